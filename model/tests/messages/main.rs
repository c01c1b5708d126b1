//! Messages that wait, and what else waits when the writer's queue is full.

#![allow(clippy::unwrap_used, reason = "tests")]

mod archive;
#[path = "../common/mod.rs"]
mod common;
mod copies;
mod phones;
mod portions;
mod storing;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use common::{BASE, Client, Heard, World, bare, message, presented};
use model::Rules;
use model::messages::{Handling, Sent};
use parking_lot::Mutex;
use presence::subscription::Kind;
use presence::{Message, Refusal, Utc};

const HANDLING: Handling = Handling::TEXT;

fn send(world: &World, message: Message) -> Result<Sent, Refusal> {
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    world
        .model
        .message(message, HANDLING, move |_, sent| *slot.lock() = Some(sent));
    world.settle();
    let sent = answer.lock().take();
    sent.unwrap()
}

fn texts(client: &Client) -> Vec<(String, bool)> {
    let heard = client.take().into_iter();
    heard
        .filter_map(|h| match h {
            Heard::Message { id, delayed } => Some((id, delayed)),
            _ => None,
        })
        .collect()
}

/// A portion holds two messages of [`sized`].
fn in_portions() -> World {
    let rules = Rules {
        offline_portion: 1000,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    world
}

fn sized(id: &str) -> Message {
    let mut sized = message(id, "bob@localhost/x", "ann@localhost");
    sized.bodies[0].text = "x".repeat(350);
    sized
}

fn store_for_ann(world: &World, ids: &[&str]) {
    for id in ids {
        assert_eq!(send(world, sized(id)), Ok(Sent::Stored));
    }
}

fn wait_for_ann(world: &World) -> Vec<String> {
    let waiting = world.model.store().offline_messages(&bare("ann")).unwrap();
    let ids = waiting.into_iter().map(|(_, m)| m.id.unwrap().to_string());
    ids.collect()
}

/// A client that is available and does not read.
fn slow(world: &World, full: &str) -> (Arc<Client>, model::SessionId) {
    let (client, id) = world.connect(full);
    client.slow.store(true, Ordering::Relaxed);
    let said = presented("s", 0);
    world.model.available(&bare("ann"), id, said).unwrap();
    world.settle();
    (client, id)
}

fn ids(client: &Client) -> Vec<String> {
    texts(client).into_iter().map(|(id, _)| id).collect()
}

fn offered(world: &World) -> Vec<(String, u64)> {
    let offers = std::mem::take(&mut *world.phones.offers.lock());
    let offers = offers.into_iter();
    offers.map(|o| (o.2, o.3.unwrap())).collect()
}

fn names(offers: &[(String, u64)]) -> Vec<&str> {
    offers.iter().map(|o| o.0.as_str()).collect()
}

fn to_be(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}
