//! Days in an office, on simulated time: the machines of both protocols over one model.

#![expect(clippy::unwrap_used, reason = "tests")]

mod archive;
mod avatars;
mod blocking;
mod bookmarks;
mod chat;
mod commands;
mod copies;
mod directory;
mod eventing;
mod gateway;
mod groups;
mod lifetimes;
mod lost;
mod messages;
mod nodes;
mod office;
mod permission;
mod person;
mod phone;
mod sightings;
mod silence;
mod status;
mod subscribers;
mod tokens;
mod world;

use chat::Chat;
use phone::Phone;
use world::{World, bare};

/// The address of a user.
fn address(name: &str) -> String {
    bare(name).to_string()
}
