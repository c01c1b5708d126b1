//! Conversations on simulated time: phones on one side, a model that is as simple as can be on the other.

#![expect(clippy::unwrap_used, reason = "tests")]

mod answers;
mod captures;
mod delivery;
mod identity;
mod model;
mod publishing;
mod random;
mod registering;
mod restart;
mod subscribing;
mod watching;
mod world;

use presence::Decision;
use world::{Phone, World, ann, bob};
