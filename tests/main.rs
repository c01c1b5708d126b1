//! The black-box and whole-project tests, one binary.
