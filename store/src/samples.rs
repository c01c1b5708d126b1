//! Values of every kind for property tests. Keys come from a few, so that operations meet each other.

mod archive;

use std::sync::Arc;

use bytes::Bytes;
use presence::{
    Activity, Address, ArchiveDefault, ArchiveId, ArchivePreferences, ArchiveQuery, ArchivedForm,
    Bare, Basic, Binding, Card, Document, EntityTag, Facts, Grant, GrantOrigin, Item, Kept, Label,
    Message, MessageKind, MessageNative, Native, Note, Priority, Publication, Report, ReportReason,
    Resource, Show, Source, StanzaId, SubscriptionState, Utc, WatchId, WatchRecord,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::{KEPT_EXPIRED, LoginToken, Most, NodeItem, NodeSubscriber, Op};

pub(crate) use archive::{archive_id, archive_op, archive_query, form, preferences};

pub(crate) fn account() -> impl Strategy<Value = Bare> {
    prop_oneof!["ann", "bob", "eve"].prop_map(|l| Bare::from_prepared(&format!("{l}@example.org")))
}

fn contact() -> impl Strategy<Value = Bare> {
    "[a-cé]@example\\.(org|net)".prop_map(|t| Bare::from_prepared(&t))
}

fn resource() -> impl Strategy<Value = Resource> {
    "[a-d]".prop_map(|t| Resource::from_prepared(&t))
}

fn shared() -> impl Strategy<Value = Arc<str>> {
    ".{0,12}".prop_map(Arc::from)
}

fn octets() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

fn utc() -> impl Strategy<Value = Utc> {
    any::<i64>().prop_map(Utc)
}

fn note() -> impl Strategy<Value = Note> {
    (of("[a-z]{2}"), ".{0,20}").prop_map(|(lang, text)| Note { lang, text })
}

fn activity() -> impl Strategy<Value = Activity> {
    prop_oneof![
        Just(Activity::Appointment),
        Just(Activity::Away),
        Just(Activity::Breakfast),
        Just(Activity::Busy),
        Just(Activity::Dinner),
        Just(Activity::Holiday),
        Just(Activity::InTransit),
        Just(Activity::LookingForWork),
        Just(Activity::Lunch),
        Just(Activity::Meal),
        Just(Activity::Meeting),
        Just(Activity::OnThePhone),
        Just(Activity::Performance),
        Just(Activity::PermanentAbsence),
        Just(Activity::Playing),
        Just(Activity::Presentation),
        Just(Activity::Shopping),
        Just(Activity::Sleeping),
        Just(Activity::Spectator),
        Just(Activity::Steering),
        Just(Activity::Travel),
        Just(Activity::Tv),
        Just(Activity::Unknown),
        Just(Activity::Vacation),
        Just(Activity::Working),
        Just(Activity::Worship),
        ".{0,8}".prop_map(Activity::Other),
    ]
}

fn show() -> impl Strategy<Value = Show> {
    prop_oneof![
        Just(Show::Away),
        Just(Show::Chat),
        Just(Show::Dnd),
        Just(Show::Xa)
    ]
}

fn document() -> impl Strategy<Value = Document> {
    let texts = (vec(note(), 0..3), vec(activity(), 0..4));
    (
        any::<bool>(),
        of(show()),
        texts,
        of(any::<i8>()),
        of(utc()),
        of(utc()),
    )
        .prop_map(
            |(open, show, (notes, activities), priority, idle_since, timestamp)| Document {
                basic: if open { Basic::Open } else { Basic::Closed },
                show,
                notes,
                priority: priority.map(Priority),
                activities,
                idle_since,
                timestamp,
            },
        )
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        Just(Source::Session),
        shared().prop_map(|device| Source::Sip { device }),
        shared().prop_map(|device| Source::Registration { device }),
        Just(Source::Manual),
    ]
}

fn native() -> impl Strategy<Value = Native> {
    prop_oneof![
        Just(Native::None),
        octets().prop_map(Native::Xmpp),
        octets().prop_map(Native::Pidf)
    ]
}

pub(crate) fn publication() -> impl Strategy<Value = Publication> {
    let head = (resource(), source(), of(shared()), of(utc()));
    (head, document(), native(), of(shared()), utc()).prop_map(
        |((resource, source, etag, expires), document, native, lang, changed)| Publication {
            resource,
            source,
            etag: etag.map(EntityTag),
            expires,
            document,
            native,
            lang,
            changed,
        },
    )
}

pub(crate) fn binding() -> impl Strategy<Value = Binding> {
    let head = (
        "[a-c]".prop_map(Arc::from),
        of(shared()),
        shared(),
        any::<u32>(),
    );
    let tail = (vec(shared(), 0..3), any::<bool>(), shared(), of(shared()));
    (head, utc(), any::<u16>(), tail).prop_map(
        |(
            (contact, instance, call_id, cseq),
            expires,
            q,
            (path, takes_message, flow, user_agent),
        )| Binding {
            contact,
            instance,
            call_id,
            cseq,
            expires,
            q,
            path,
            takes_message,
            flow,
            user_agent,
        },
    )
}

fn address() -> impl Strategy<Value = Address> {
    (contact(), of(resource())).prop_map(|(bare, resource)| Address { bare, resource })
}

pub(crate) fn message() -> impl Strategy<Value = Message> {
    let kind = prop_oneof![
        Just(MessageKind::Normal),
        Just(MessageKind::Chat),
        Just(MessageKind::Groupchat),
        Just(MessageKind::Headline),
        Just(MessageKind::Error),
    ];
    let native = prop_oneof![
        octets().prop_map(MessageNative::Xmpp),
        (shared(), octets())
            .prop_map(|(content_type, body)| MessageNative::Sip { content_type, body }),
    ];
    let texts = (vec(note(), 0..2), vec(note(), 0..3));
    (
        address(),
        address(),
        kind,
        of(shared()),
        of(shared()),
        texts,
        native,
        (utc(), of(archive_id())),
    )
        .prop_map(
            |(from, to, kind, id, thread, (subjects, bodies), native, (received, archived))| {
                Message {
                    from,
                    to,
                    kind,
                    id,
                    thread,
                    subjects,
                    bodies,
                    native,
                    received,
                    archived,
                }
            },
        )
}

fn item() -> impl Strategy<Value = Item> {
    let state =
        (any::<bool>(), any::<bool>()).prop_map(|(to, from)| SubscriptionState::of(to, from));
    (
        contact(),
        of(".{0,9}"),
        vec(".{0,9}", 0..3),
        state,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(contact, name, groups, subscription, ask, approved)| Item {
                contact,
                label: Label::new(name.as_deref(), groups),
                subscription,
                ask,
                approved,
            },
        )
}

fn grant() -> impl Strategy<Value = Grant> {
    (any::<bool>(), any::<bool>()).prop_map(|(allow, owner)| Grant {
        allow,
        origin: if owner {
            GrantOrigin::Owner
        } else {
            GrantOrigin::Admin
        },
    })
}

fn watch() -> impl Strategy<Value = WatchRecord> {
    (0..6u64, contact(), account(), ".{0,9}", utc(), octets()).prop_map(
        |(id, watcher, presentity, package, expires, dialog)| WatchRecord {
            id: WatchId(id),
            watcher,
            presentity,
            package,
            expires,
            dialog,
        },
    )
}

pub(crate) fn report() -> impl Strategy<Value = Report> {
    let reason = prop_oneof![
        Just(ReportReason::Spam),
        Just(ReportReason::Abuse),
        ".{0,9}".prop_map(ReportReason::Other),
    ];
    let stanza = (".{0,9}", ".{0,9}").prop_map(|(by, id)| StanzaId { by, id });
    (address(), reason, of(".{0,20}"), vec(stanza, 0..3), utc()).prop_map(
        |(about, reason, text, stanzas, at)| Report {
            about,
            reason,
            text,
            stanzas,
            at,
        },
    )
}

fn group_op() -> impl Strategy<Value = Op> {
    let name = || "[gh]";
    prop_oneof![
        (name(), any::<bool>()).prop_map(|(name, everybody)| Op::GroupPut { name, everybody }),
        name().prop_map(|name| Op::GroupRemove { name }),
        (name(), account()).prop_map(|(name, account)| Op::GroupJoin { name, account }),
        (name(), account()).prop_map(|(name, account)| Op::GroupJoin { name, account }),
        (name(), account()).prop_map(|(name, account)| Op::GroupLeave { name, account }),
    ]
}

fn blocking_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        (account(), address()).prop_map(|(account, address)| Op::BlockPut { account, address }),
        (account(), address()).prop_map(|(account, address)| Op::BlockRemove { account, address }),
        (account(), report().prop_map(Box::new), 0..5_usize).prop_map(|(account, report, most)| {
            Op::ReportPut {
                account,
                report,
                most,
            }
        }),
    ]
}

fn account_op() -> impl Strategy<Value = Op> {
    let secret = || vec(any::<u8>(), 0..9);
    prop_oneof![
        3 => (account(), secret(), secret(), any::<bool>(), utc()).prop_map(
            |(account, scram, sealed_ha1, admin, created)| Op::AccountCreate {
                account, scram, sealed_ha1, admin, created
            }
        ),
        1 => (account(), secret(), secret())
            .prop_map(|(account, scram, sealed_ha1)| Op::AccountPassword { account, scram, sealed_ha1 }),
        1 => (account(), secret(), secret())
            .prop_map(|(account, was, scram)| Op::AccountScram { account, was, scram }),
        1 => (account(), any::<bool>()).prop_map(|(account, disabled)| Op::AccountDisable { account, disabled }),
        1 => (account(), any::<bool>()).prop_map(|(account, admin)| Op::AccountAdmin { account, admin }),
        1 => account().prop_map(|account| Op::AccountDelete { account }),
        1 => ("[0-2]", account()).prop_map(|(alias, account)| Op::AliasPut { alias, account }),
        1 => "[0-2]".prop_map(|alias| Op::AliasRemove { alias }),
        6 => login_op(),
        1 => ("[k-l]", secret()).prop_map(|(key, value)| Op::MetaPut { key, value }),
    ]
}

pub(crate) fn clients() -> [[u8; 16]; 3] {
    [[1; 16], [2; 16], [3; 16]]
}

fn login_op() -> impl Strategy<Value = Op> {
    let client = || prop::sample::select(clients().to_vec());
    let nonce = || prop::sample::select(vec![[7; 16], [8; 16], [9; 16]]);
    let issued = (0..30_i64, prop::bool::ANY)
        .prop_map(|(at, late)| at + if late { KEPT_EXPIRED } else { 0 });
    let token = (client(), 1..4_u8, nonce(), issued, 1..20_i64).prop_map(
        |(client, mechanism, nonce, issued, life)| {
            Box::new(LoginToken {
                client,
                used: false,
                mechanism,
                nonce,
                password: [mechanism; 16],
                issued: Utc(issued),
                expires: Utc(issued + life),
                count: 0,
            })
        },
    );
    prop_oneof![
        3 => (account(), token, 0..4_u32).prop_map(|(account, token, most)| Op::LoginTokenPut { account, token, most }),
        3 => (account(), client(), nonce(), of(0..4_u64)).prop_map(|(account, client, nonce, count)| Op::LoginTokenUsed {
            account,
            client,
            nonce,
            count
        }),
        1 => (account(), client(), nonce(), of(0..4_u64)).prop_map(|(account, client, nonce, count)| Op::LoginTokensRevoke {
            account,
            client,
            nonce,
            count
        }),
    ]
}

fn contact_op() -> impl Strategy<Value = Op> {
    let who = || (account(), contact());
    prop_oneof![
        (account(), item(), any::<u64>()).prop_map(|(account, item, version)| Op::RosterPut {
            account,
            item,
            version
        }),
        (who(), any::<u64>()).prop_map(|((account, contact), version)| Op::RosterRemove {
            account,
            contact,
            version
        }),
        (who(), octets()).prop_map(|((account, contact), stanza)| Op::PendingInPut {
            account,
            contact,
            stanza
        }),
        who().prop_map(|(account, contact)| Op::PendingInRemove { account, contact }),
        (who(), grant()).prop_map(|((account, watcher), grant)| Op::GrantPut {
            account,
            watcher,
            grant
        }),
        who().prop_map(|(account, watcher)| Op::GrantRemove { account, watcher }),
        (0..6u64, who(), octets()).prop_map(|(seq, (origin, target), payload)| Op::OutboxPut {
            seq,
            origin,
            target,
            payload
        }),
        (0..6u64).prop_map(|seq| Op::OutboxRemove { seq }),
        (who(), 0..9u64).prop_map(|((target, origin), seq)| Op::InboxMark {
            target,
            origin,
            seq
        }),
    ]
}

fn presence_op() -> impl Strategy<Value = Op> {
    let shared_publication = || publication().prop_map(Arc::new);
    prop_oneof![
        (account(), 0..6u64, message().prop_map(Box::new)).prop_map(|(account, id, message)| {
            Op::OfflinePut {
                account,
                id,
                message,
            }
        }),
        (account(), vec(0..6u64, 0..4))
            .prop_map(|(account, ids)| Op::OfflineRemove { account, ids }),
        (account(), archive_id(), archive_id()).prop_map(|(account, from, below)| {
            Op::OfflineArchived {
                account,
                from,
                below,
            }
        }),
        (account(), shared_publication()).prop_map(|(account, publication)| Op::PublicationPut {
            account,
            publication
        }),
        (account(), resource())
            .prop_map(|(account, resource)| Op::PublicationRemove { account, resource }),
        (account(), binding()).prop_map(|(account, binding)| Op::BindingPut { account, binding }),
        (account(), "[a-c]".prop_map(Arc::from))
            .prop_map(|(account, contact)| Op::BindingRemove { account, contact }),
        watch().prop_map(Op::WatchPut),
        (0..6u64, octets()).prop_map(|(id, head)| Op::WatchHead {
            id: WatchId(id),
            head
        }),
        (0..6u64).prop_map(|id| Op::WatchRemove { id: WatchId(id) }),
        (account(), shared_publication()).prop_map(|(account, publication)| Op::LastKnownPut {
            account,
            publication
        }),
        (account(), resource())
            .prop_map(|(account, resource)| Op::LastKnownRemove { account, resource }),
        (account(), utc(), of(".{0,9}")).prop_map(|(account, at, status)| Op::LastSeen {
            account,
            at,
            status
        }),
    ]
}

fn card() -> impl Strategy<Value = Card> {
    let text = || ".{0,9}";
    let facts = (text(), text(), text(), text(), text());
    (octets(), facts, of("[0-9a-f]{4}")).prop_map(
        |(xml, (name, first, last, nick, email), photo)| Card {
            xml,
            photo,
            facts: Facts {
                name,
                first,
                last,
                nick,
                email,
            },
        },
    )
}

/// All the names that things are kept under.
pub(crate) fn labels() -> Vec<presence::card::Label> {
    let label = |namespace: &str, name: &str| presence::card::Label {
        namespace: namespace.into(),
        name: name.into(),
    };
    vec![label("a", "x"), label("a", "y"), label("b", "x")]
}

fn person_op() -> impl Strategy<Value = Op> {
    let label = (0..3_usize).prop_map(|n| labels().swap_remove(n));
    let kept = (label, octets()).prop_map(|(label, xml)| Kept { label, xml });
    prop_oneof![
        (account(), any::<u64>()).prop_map(|(account, number)| Op::MotdTold { account, number }),
        (account(), of(card().prop_map(Box::new)))
            .prop_map(|(account, card)| Op::VcardPut { account, card }),
        (account(), vec(kept, 0..4), 0..4_usize, 0..500_u64).prop_map(
            |(account, kept, elements, bytes)| Op::PrivatePut {
                account,
                kept,
                most: Most { elements, bytes },
            }
        ),
    ]
}

fn node_op() -> impl Strategy<Value = Op> {
    let key = || (account(), "[m-n]".prop_map(Arc::from));
    let item = (0..6_u64, shared(), of(contact()), utc(), octets()).prop_map(
        |(seq, id, publisher, at, payload)| NodeItem {
            seq,
            id,
            publisher,
            at,
            payload,
        },
    );
    let subscriber =
        (1..3_u8, 0..9_u8, of(utc())).prop_map(|(state, options, until)| NodeSubscriber {
            state,
            options,
            until,
        });
    prop_oneof![
        4 => (key(), vec(any::<u8>(), 0..9), of(1..99_u32)).prop_map(
            |((account, node), config, lifetime)| Op::NodePut { account, node, config, lifetime }
        ),
        1 => key().prop_map(|(account, node)| Op::NodeRemove { account, node }),
        4 => (key(), item.prop_map(Box::new))
            .prop_map(|((account, node), item)| Op::ItemPut { account, node, item }),
        1 => (key(), 0..6_u64)
            .prop_map(|((account, node), seq)| Op::ItemRemove { account, node, seq }),
        1 => key().prop_map(|(account, node)| Op::NodePurge { account, node }),
        2 => (key(), contact(), of(1..6_u8)).prop_map(
            |((account, node), who, affiliation)| Op::Affiliation { account, node, who, affiliation }
        ),
        2 => (key(), address(), of(subscriber)).prop_map(
            |((account, node), who, state)| Op::NodeSubscription { account, node, who, state }
        ),
    ]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![3 => archive_op(), 2 => account_op(), 3 => contact_op(), 4 => presence_op(), 2 => person_op(), 2 => blocking_op(), 2 => group_op(), 3 => node_op()]
}
