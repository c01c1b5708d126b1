//! Several threads at once: no deadlock, and at the end everybody sees what he may.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use bytes::Bytes;
use common::{Client, Dice, bare, message, presented, resource};
use model::accounts::Secrets;
use model::commit::Reply;
use model::messages::Handling;
use model::{Model, Now, Rules, SessionId};
use presence::subscription::Kind;
use presence::{Bare, Timestamp, Utc};
use store::{Options, Store};

const PEOPLE: usize = 8;
const THREADS: usize = 4;
const STEPS: usize = 3000;

struct Live {
    account: Bare,
    id: SessionId,
    client: Arc<Client>,
    available: bool,
}

fn person(n: usize) -> Bare {
    bare(&format!("p{n}"))
}

fn hammer(model: &Arc<Model>, thread: usize) -> Vec<Live> {
    let dice = Dice::new(thread as u64);
    let mut live: Vec<Live> = Vec::new();
    for step in 0..STEPS {
        let (a, b) = (dice.below(PEOPLE), dice.below(PEOPLE));
        let (a, b) = (person(a), person((b + 1) % PEOPLE));
        match dice.below(20) {
            0..=2 => {
                let name = format!("t{thread}r{}", dice.below(2));
                let client = Client::new(&format!("{a}/{name}"), None);
                let route = Arc::clone(&client);
                if let Ok((id, _)) = model.connect(&a, Some(resource(&name)), route) {
                    live.push(Live {
                        account: a,
                        id,
                        client,
                        available: false,
                    });
                }
            }
            3..=7 if !live.is_empty() => {
                let index = dice.below(live.len());
                let own = &mut live[index];
                let said = presented(&format!("{thread}.{step}"), 0);
                own.available |= model.available(&own.account, own.id, said).is_ok();
            }
            8..=9 if !live.is_empty() => {
                let gone = live.swap_remove(dice.below(live.len()));
                gone.client.ended.store(true, Ordering::Relaxed);
                model.disconnect(&gone.account, gone.id, None);
            }
            10..=16 if a != b => {
                let kinds = [
                    Kind::Subscribe,
                    Kind::Subscribed,
                    Kind::Subscribe,
                    Kind::Subscribed,
                    Kind::Unsubscribed,
                    Kind::Unsubscribe,
                ];
                let kind = kinds[dice.below(6)];
                model.subscription(&a, kind, &b, Bytes::new(), &Reply::ignored());
            }
            17 if a != b => model.roster_remove(&a, &b, &Reply::ignored()),
            18 => {
                let handling = Handling::TEXT;
                let sent = message("m", "x@localhost/y", a.as_str());
                model.message(sent, handling, |_, _| {});
            }
            _ => model.handle_timeout(),
        }
        for own in &live {
            own.client.write(model);
        }
        live.retain(|l| !l.client.ended.load(Ordering::Relaxed));
    }
    live
}

fn all_is_well(model: &Arc<Model>, live: &[Live]) {
    while model.store().queue_depth() > 0 || !model.store().outbox().unwrap().is_empty() {
        model.handle_timeout();
        model.store().barrier();
    }
    model.store().barrier();
    let rosters: BTreeMap<Bare, _> = (0..PEOPLE)
        .map(|n| {
            (
                person(n),
                model.store().load(&person(n)).unwrap().unwrap().roster,
            )
        })
        .collect();
    for (a, roster) in &rosters {
        for item in &roster.items {
            let back = rosters[&item.contact].items.get(a);
            let from = back.is_some_and(|i| i.subscription.from());
            assert_eq!(item.subscription.to(), from, "{a} to {}", item.contact);
        }
    }
    for own in live.iter().filter(|l| l.available) {
        let contacts = rosters[&own.account].items.iter();
        let contacts = contacts.filter(|i| i.subscription.to()).map(|i| &i.contact);
        let mut right = BTreeMap::new();
        for account in contacts.chain([&own.account]) {
            let (seen, _) = model.look(account, account).unwrap();
            for p in &seen.view.publications {
                right.insert(
                    format!("{account}/{}", p.resource),
                    common::mark(&p.document),
                );
            }
        }
        assert_eq!(*own.client.roster.lock(), right, "{}", own.client.full);
    }
}

#[test]
fn four_threads() {
    let (done, finished) = mpsc::channel();
    std::thread::spawn(move || {
        let (store, _) = Store::open_in_memory(Options::default()).unwrap();
        let clock = Box::new(|| Now {
            at: Timestamp(1000),
            utc: Utc(common::BASE),
        });
        let model = Model::new(
            store,
            Rules::default(),
            clock,
            Box::new(|octets| octets.fill(7)),
        );
        for n in 0..PEOPLE {
            let secrets = Secrets {
                scram: vec![],
                sealed_ha1: vec![],
            };
            model.add_account(&person(n), secrets, false, &Reply::ignored());
        }
        model.store().barrier();
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let model = Arc::clone(&model);
                std::thread::spawn(move || hammer(&model, thread))
            })
            .collect();
        let mut live = Vec::new();
        for thread in threads {
            live.extend(thread.join().unwrap());
        }
        live.retain(|l| !l.client.ended.load(Ordering::Relaxed));
        all_is_well(&model, &live);
        assert_eq!(model.counts().sessions, live.len());
        done.send(()).unwrap();
    });
    finished
        .recv_timeout(Duration::from_secs(60))
        .expect("no deadlock, and no other failure");
}
