//! The program from its first start to its end.
#![expect(clippy::unwrap_used, reason = "tests")]

mod first_start;
