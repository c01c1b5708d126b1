//! Table 1 of RFC 6121 §8.5.4 row by row, and the rules of §8.5.1 to §8.5.3 that it does not show.

use super::*;
use crate::subscription::Kind;

fn resource(index: usize, priority: Option<i8>, last_active: u64) -> Candidate {
    Candidate {
        index,
        priority,
        last_active,
    }
}

/// O, E, S of the table; D, M and A are `To`.
fn letter(route: &MessageRoute) -> char {
    match route {
        MessageRoute::Offline => 'O',
        MessageRoute::Error(ErrorKind::ServiceUnavailable) => 'E',
        MessageRoute::Ignore => 'S',
        MessageRoute::Deliver(_) => 'D',
    }
}

const KINDS: [MessageKind; 5] = [
    MessageKind::Normal,
    MessageKind::Chat,
    MessageKind::Groupchat,
    MessageKind::Headline,
    MessageKind::Error,
];

/// One row: the letters for [`KINDS`]; the fifth column is the rule for `error`, which the RFC gives in text.
fn row(wanted: &str, route: impl Fn(MessageKind) -> MessageRoute) {
    let got: String = KINDS.iter().map(|k| letter(&route(*k))).collect();
    assert_eq!(got, wanted);
}

#[test]
fn table_1_account_does_not_exist() {
    row("EEESS", message_to_nobody);
}

#[test]
fn table_1_no_active_resources() {
    row("OOESS", |k| message_to_bare(k, &[]));
    row("EOESS", |k| message_to_missing_full(k, &[]));
    let connected = [resource(0, None, 5)];
    row("OOESS", |k| message_to_bare(k, &connected));
    row("EOESS", |k| message_to_missing_full(k, &connected));
}

#[test]
fn table_1_negative_resources_only() {
    let negative = [
        resource(0, Some(-1), 5),
        resource(1, Some(-128), 6),
        resource(2, None, 7),
    ];
    row("OOESS", |k| message_to_bare(k, &negative));
    row("EOESS", |k| message_to_missing_full(k, &negative));
}

/// Whom a message to the bare address is given to, in this order.
fn delivered(kind: MessageKind, resources: &[Candidate]) -> Vec<usize> {
    match message_to_bare(kind, resources) {
        MessageRoute::Deliver(to) => to.to_vec(),
        other => panic!("a {kind:?} message should be delivered, but the rule says {other:?}"),
    }
}

#[test]
fn table_1_one_non_negative_resource() {
    let one = [resource(7, Some(0), 0), resource(8, Some(-1), 9)];
    row("DDEDS", |k| message_to_bare(k, &one));
    row("EDESS", |k| message_to_missing_full(k, &one));
    assert_eq!(delivered(MessageKind::Headline, &one), [7]);
}

#[test]
fn table_1_several_non_negative_resources() {
    let several = [
        resource(0, Some(5), 1),
        resource(1, Some(127), 0),
        resource(2, Some(-5), 9),
        resource(3, Some(5), 2),
        resource(4, None, 9),
        resource(5, Some(0), 9),
    ];
    row("DDEDS", |k| message_to_bare(k, &several));
    row("EDESS", |k| message_to_missing_full(k, &several));
    for kind in [
        MessageKind::Normal,
        MessageKind::Chat,
        MessageKind::Headline,
    ] {
        let to = delivered(kind, &several);
        assert_eq!(to, [1, 3, 0, 5], "priority, then activity");
    }
}

#[test]
fn iqs() {
    let unavailable = IqRoute::Error(ErrorKind::ServiceUnavailable);
    for kind in [IqKind::Get, IqKind::Set] {
        assert_eq!(iq_to_bare(kind), IqRoute::Server);
        assert_eq!(iq_to_missing_full(kind), unavailable);
        assert_eq!(iq_to_nobody(kind), unavailable);
        assert!(iq_to_session(kind, true));
        assert!(!iq_to_session(kind, false), "no presence leaks");
    }
    for kind in [IqKind::Result, IqKind::Error] {
        assert_eq!(iq_to_bare(kind), IqRoute::Ignore);
        assert_eq!(iq_to_missing_full(kind), IqRoute::Ignore);
        assert_eq!(iq_to_nobody(kind), IqRoute::Ignore);
        assert!(iq_to_session(kind, false));
    }
}

#[test]
fn presence_to_the_bare_address() {
    let some = [
        resource(0, Some(-1), 0),
        resource(1, None, 0),
        resource(2, Some(3), 0),
    ];
    for kind in [
        PresenceKind::Available,
        PresenceKind::Unavailable,
        PresenceKind::Error,
    ] {
        assert_eq!(
            presence_to_bare(kind, &some),
            PresenceRoute::Deliver(Indices::from_slice(&[0, 2]))
        );
        assert_eq!(presence_to_bare(kind, &[]), PresenceRoute::Ignore);
        assert_eq!(presence_to_bare(kind, &some[1..2]), PresenceRoute::Ignore);
    }
    for kind in Kind::ALL {
        let wanted = PresenceRoute::Subscription(kind);
        assert_eq!(
            presence_to_bare(PresenceKind::Subscription(kind), &some),
            wanted
        );
        assert_eq!(
            presence_to_bare(PresenceKind::Subscription(kind), &[]),
            wanted
        );
    }
    assert_eq!(
        presence_to_bare(PresenceKind::Probe, &[]),
        PresenceRoute::Probe
    );
}

#[test]
fn presence_to_a_missing_resource() {
    for kind in [
        PresenceKind::Available,
        PresenceKind::Unavailable,
        PresenceKind::Error,
    ] {
        assert_eq!(presence_to_missing_full(kind), PresenceRoute::Ignore);
    }
    for kind in Kind::ALL {
        let wanted = match kind {
            Kind::Subscribe => PresenceRoute::Subscription(kind),
            _ => PresenceRoute::Ignore,
        };
        assert_eq!(
            presence_to_missing_full(PresenceKind::Subscription(kind)),
            wanted
        );
    }
    assert_eq!(
        presence_to_missing_full(PresenceKind::Probe),
        PresenceRoute::Probe
    );
}

#[test]
fn presence_to_nobody_is_ignored() {
    for kind in [
        PresenceKind::Available,
        PresenceKind::Unavailable,
        PresenceKind::Probe,
        PresenceKind::Error,
    ] {
        assert_eq!(presence_to_nobody(kind), PresenceRoute::Ignore);
    }
    for kind in Kind::ALL {
        assert_eq!(
            presence_to_nobody(PresenceKind::Subscription(kind)),
            PresenceRoute::Ignore
        );
    }
}
