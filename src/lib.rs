//! Adsum, a presence server: everything but the entry of the program, so that tests can use it.
//!
//! One account `user@domain` is present through XMPP clients and SIP phones at once. The protocol logic lives in the
//! sibling crates, without sockets; here are the command line, the configuration, certificates, the data folder, the wiring
//! of the machines to the model, and the drivers that own sockets, clocks and tasks.

pub mod certificates;
pub mod cli;
pub mod config;
pub mod data_folder;
pub mod demo;
pub mod log;
pub mod secrets;
pub mod server;
pub mod wiring;
