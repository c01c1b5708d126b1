//! Secrets that are good for nothing any more, and who is told when.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::sync::Arc;

use common::{Client, World, bare};
use model::accounts::Secrets;
use model::commit::Reply;
use model::route::{Ended, Route};
use parking_lot::Mutex;
use presence::Resource;

fn others() -> Secrets {
    Secrets {
        scram: vec![9],
        sealed_ha1: vec![9],
    }
}

/// After the commit, so that whoever looks finds the new ones, and before the sessions end, so that none begins in between unseen.
#[test]
fn told_after_the_commit_and_before_the_sessions_end() {
    let world = World::of(&["ann"]);
    let (client, _) = world.connect("ann@localhost/desk");
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (saw, its, store) = (
        Arc::clone(&seen),
        Arc::clone(&client),
        world.model.store().clone(),
    );
    world.model.watch_secrets(move |account| {
        let stored = store
            .credentials(account)
            .unwrap()
            .map(|it| (it.scram, it.disabled));
        saw.lock().push((account.clone(), stored, its.closed()));
    });
    let ann = bare("ann");
    world.model.set_secrets(&ann, others(), &Reply::ignored());
    assert!(seen.lock().is_empty(), "nothing is committed");
    world.settle();
    assert_eq!(
        std::mem::take(&mut *seen.lock()),
        [(ann.clone(), Some((vec![9], false)), false)]
    );
    assert!(client.closed());
    world
        .ask(|reply| world.model.disable(&ann, true, reply))
        .unwrap();
    world
        .ask(|reply| world.model.disable(&ann, false, reply))
        .unwrap();
    world
        .ask(|reply| world.model.delete_account(&ann, reply))
        .unwrap();
    world.add("ann");
    let told: Vec<_> = seen
        .lock()
        .iter()
        .map(|(_, stored, _)| stored.clone())
        .collect();
    let again = Some((vec![1], false));
    assert_eq!(told, [Some((vec![9], true)), None, again]);
}

#[test]
fn a_client_has_one_session() {
    let world = World::of(&["ann", "bob"]);
    let connect = |account: &str, name: &str, client: Option<[u8; 16]>| {
        let full = format!("{account}@localhost/{name}");
        let at = Client::new(&full, None);
        let route = Arc::clone(&at) as Arc<dyn Route>;
        let name = Resource::parse(name).unwrap();
        let bound = world
            .model
            .connect_client(&bare(account), Some(name), client, route);
        bound.unwrap();
        at
    };
    let old = connect("ann", "Old/1", Some([1; 16]));
    let rest = [
        connect("ann", "Old/2", Some([2; 16])),
        connect("ann", "Old/3", None),
        connect("ann", "Old/4", None),
        connect("bob", "Old/1", Some([1; 16])),
    ];
    let new = connect("ann", "New/1", Some([1; 16]));
    assert_eq!(old.take(), [common::Heard::Ended(Ended::Replaced)]);
    assert!(rest.iter().all(|it| !it.closed()) && !new.closed());
}
