//! The tests of the whole: black-box tests of the program, and what must be true of the repository.

mod arrows;
mod command_line;
mod documents_true;
