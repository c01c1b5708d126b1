//! The tests of the whole: black-box tests of the program, and what must be true of the repository.

mod arrows;
mod command_line;
mod crossing;
mod documents_true;
mod examples;
mod journeys;
mod program;
mod sip;
mod support;
mod web;
mod xmpp;
