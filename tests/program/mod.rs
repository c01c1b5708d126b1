//! The program from its first start to its end.
#![expect(clippy::unwrap_used, reason = "tests")]

mod accounts;
mod backups;
mod checks;
mod endings;
mod first_start;
mod flood;
mod groups;
mod pages;
mod refusals;
mod write_queue;
