//! The configuration, read in two steps: raw values with their places, then decided ones; every mistake at once.

mod decide;
mod domain;
mod keys;
mod lists;
mod load;
mod nearest;
mod read;
mod reference;
mod tree;
mod types;
mod units;
mod unknown;

pub use domain::Domain;
pub use load::{Choice, Loaded, Mistakes, defaults, load, parse};
pub use read::Mistake;
pub use reference::{markdown, toml};
pub use types::*;
pub use units::{duration, show_duration, show_size, size};
