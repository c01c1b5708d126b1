//! The presence server: everything but the command line entry, so that tests can use it.
