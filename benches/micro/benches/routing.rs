//! The model: from what a session sends to the events on others' routes, which here only count. The store is in memory and
//! its writer on a thread of its own: no disk is measured here, nor printing.
#![expect(missing_docs, reason = "criterion makes functions without")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use model::commit::Reply;
use model::messages::{Handling, Sent};
use model::sessions::Presented;
use model::{Event, Model, Now, Route, Rules, SessionId};
use presence::{
    Address, Bare, Document, Item, Label, Message, MessageKind, MessageNative, Note, Priority,
    Resource, Show, SubscriptionState, Timestamp, Utc,
};
use store::{Op, Options, Store};

const BEGIN: i64 = 1_700_000_000_000;
/// Changes of presence after which the store is waited for.
const PORTION: u64 = 1000;

/// Counts what it is given.
#[derive(Default)]
struct Ear(AtomicU64);

impl Route for Ear {
    fn deliver(&self, event: &Event<'_>) {
        std::hint::black_box(event);
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn closed(&self) -> bool {
        false
    }
}

/// Ann, whose contacts all know her.
struct Office {
    model: Arc<Model>,
    ann: Bare,
    session: SessionId,
    /// Of all contacts.
    ear: Arc<Ear>,
}

fn person(n: usize) -> Bare {
    Bare::parse(&format!("contact{n}@office.example")).expect("an address")
}

fn account(account: &Bare) -> Op {
    Op::AccountCreate {
        account: account.clone(),
        scram: vec![1],
        sealed_ha1: vec![2],
        admin: false,
        created: Utc(BEGIN),
    }
}

fn knows(account: &Bare, contact: &Bare) -> Op {
    let item = Item {
        label: Label::new(Some("Somebody"), &["Colleagues".to_owned()]),
        subscription: SubscriptionState::Both,
        ..Item::new(contact.clone())
    };
    Op::RosterPut {
        account: account.clone(),
        item,
        version: 1,
    }
}

fn presented(away: bool) -> Presented {
    let content: &[u8] = if away {
        b"<show>away</show><status>In a meeting</status>"
    } else {
        b"<show>dnd</show><status>In a meeting</status>"
    };
    Presented {
        document: Document {
            show: Some(if away { Show::Away } else { Show::Dnd }),
            notes: vec![Note {
                lang: None,
                text: "In a meeting".into(),
            }],
            priority: Some(Priority(0)),
            ..Document::default()
        },
        content: Bytes::from_static(content),
        lang: None,
        id: None,
    }
}

impl Office {
    /// With so many contacts on Ann's roster, so many of whom are online.
    fn new(contacts: usize, online: usize) -> Self {
        let ann = Bare::parse("ann@office.example").expect("an address");
        let (store, _) = Store::open_in_memory(Options::default()).expect("a store");
        let mut ops = vec![account(&ann)];
        for other in (0..contacts).map(person) {
            ops.extend([account(&other), knows(&ann, &other), knows(&other, &ann)]);
        }
        let written = store.submit(ops, Box::new(|result| result.expect("written")));
        written.expect("an empty queue");
        store.barrier();
        let rules = Rules {
            domains: vec!["office.example".to_owned()],
            ..Rules::default()
        };
        let now = Now {
            at: Timestamp(1000),
            utc: Utc(BEGIN),
        };
        let random = Box::new(|octets: &mut [u8]| octets.fill(7));
        let model = Model::new(store, rules, Box::new(move || now), random);
        model.restore(false).expect("a start");
        let ear = Arc::<Ear>::default();
        let session = come(&model, &ann, &Arc::default());
        for other in (0..online).map(person) {
            come(&model, &other, &ear);
        }
        let office = Self {
            model,
            ann,
            session,
            ear,
        };
        // What coming online told them has been told.
        office.heard();
        office
    }

    /// How much the contacts have heard since this was last asked.
    fn heard(&self) -> u64 {
        self.ear.0.swap(0, Ordering::Relaxed)
    }
}

/// Comes online, roster first.
fn come(model: &Arc<Model>, account: &Bare, ear: &Arc<Ear>) -> SessionId {
    let route = Arc::clone(ear) as Arc<dyn Route>;
    let wish = Some(Resource::from_prepared("desk"));
    let (session, _) = model.connect(account, wish, route).expect("a session");
    model.roster(account, session, &Reply::ignored());
    let available = model.available(account, session, presented(false));
    available.expect("a session");
    session
}

fn message(c: &mut Criterion) {
    let office = Office::new(1, 1);
    let stanza = "<message from='ann@office.example/desk' to='contact0@office.example' type='chat' id='m7'>\
        <body>At four, then.</body></message>";
    for (name, to) in [
        (
            "model: message to a session",
            "contact0@office.example/desk",
        ),
        ("model: message to an account", "contact0@office.example"),
    ] {
        let message = Message {
            from: Address::parse("ann@office.example/desk").expect("an address"),
            to: Address::parse(to).expect("an address"),
            kind: MessageKind::Chat,
            id: Some("m7".into()),
            thread: None,
            subjects: Vec::new(),
            bodies: vec![Note {
                lang: None,
                text: "At four, then.".into(),
            }],
            native: MessageNative::Xmpp(Bytes::from_static(stanza.as_bytes())),
            received: Utc(BEGIN),
            archived: None,
        };
        let handling = Handling::TEXT;
        c.bench_function(name, |b| {
            b.iter_batched(
                || message.clone(),
                |message| {
                    office.model.message(message, handling, |_, sent| {
                        assert_eq!(sent, Ok(Sent::Delivered));
                    });
                    assert_eq!(office.heard(), 1);
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn broadcast(c: &mut Criterion) {
    for (contacts, online) in [(20, 20), (200, 200), (200, 20)] {
        let office = Office::new(contacts, online);
        let mut changes = 0;
        let name = format!("model: presence to {online} of {contacts} contacts");
        c.bench_function(&name, |b| {
            b.iter_batched(
                || {
                    // The store drops what nobody waits for when too much of it is queued; here it is given time.
                    if changes % PORTION == 0 {
                        office.model.store().barrier();
                    }
                    changes += 1;
                    presented(changes % 2 == 0)
                },
                |presented| {
                    let told = office
                        .model
                        .available(&office.ann, office.session, presented);
                    told.expect("a session");
                    assert_eq!(office.heard(), online as u64);
                },
                BatchSize::NumIterations(PORTION),
            );
        });
        assert_eq!(office.model.store().soft_dropped(), 0);
    }
}

fn roster(c: &mut Criterion) {
    for contacts in [200, 2000] {
        let office = Office::new(contacts, 0);
        c.bench_function(&format!("model: roster of {contacts}"), |b| {
            b.iter(|| {
                let reply = Reply::new(move |roster| {
                    let roster: presence::Roster = roster.expect("a roster");
                    assert_eq!(roster.items.len(), contacts);
                });
                office.model.roster(&office.ann, office.session, &reply);
            });
        });
    }
}

criterion_group!(benches, message, broadcast, roster);
criterion_main!(benches);
