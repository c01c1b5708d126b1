//! Appendix A row by row, then the examples of §2.5, §3.1.3 and §3.4, then two accounts talking.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::{HashSet, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::roster::{Item, Label};

/// The nine states by the names of appendix A.1.
fn named(name: &str) -> State {
    let (word, pending) = name.split_once(" + ").unwrap_or((name, ""));
    let subscription = match word {
        "None" => SubscriptionState::None,
        "To" => SubscriptionState::To,
        "From" => SubscriptionState::From,
        "Both" => SubscriptionState::Both,
        _ => panic!("no state is named {name}"),
    };
    let (ask, pending_in) = match pending {
        "" => (false, false),
        "Pending Out" => (true, false),
        "Pending In" => (false, true),
        "Pending Out+In" => (true, true),
        _ => panic!("no state is named {name}"),
    };
    State {
        listed: true,
        subscription,
        ask,
        pending_in,
        approved: false,
    }
}

const STATES: [&str; 9] = [
    "None",
    "None + Pending Out",
    "None + Pending In",
    "None + Pending Out+In",
    "To",
    "To + Pending In",
    "From",
    "From + Pending Out",
    "Both",
];

/// One table: for each of [`STATES`], is it routed or delivered, and the new state; `=` is "no state change".
type Table = [(bool, &'static str); 9];

/// Table 2.
const OUT_SUBSCRIBE: Table = [
    (true, "None + Pending Out"),
    (true, "="),
    (true, "None + Pending Out+In"),
    (true, "="),
    (true, "="),
    (true, "="),
    (true, "From + Pending Out"),
    (true, "="),
    (true, "="),
];

/// Table 3.
const OUT_UNSUBSCRIBE: Table = [
    (true, "="),
    (true, "None"),
    (true, "="),
    (true, "None + Pending In"),
    (true, "None"),
    (true, "None + Pending In"),
    (true, "="),
    (true, "From"),
    (true, "From"),
];

/// Table 4. Footnote 1 (pre-approval) is `approved`.
const OUT_SUBSCRIBED: Table = [
    (false, "approved"),
    (false, "approved"),
    (true, "From"),
    (true, "From + Pending Out"),
    (false, "approved"),
    (true, "Both"),
    (false, "="),
    (false, "="),
    (false, "="),
];

/// Table 5.
const OUT_UNSUBSCRIBED: Table = [
    (false, "="),
    (false, "="),
    (true, "None"),
    (true, "None + Pending Out"),
    (false, "="),
    (true, "To"),
    (true, "None"),
    (true, "None + Pending Out"),
    (true, "To"),
];

/// Table 6.
const IN_SUBSCRIBE: Table = [
    (true, "None + Pending In"),
    (true, "None + Pending Out+In"),
    (false, "="),
    (false, "="),
    (true, "To + Pending In"),
    (false, "="),
    (false, "="),
    (false, "="),
    (false, "="),
];

/// Table 7.
const IN_UNSUBSCRIBE: Table = [
    (false, "="),
    (false, "="),
    (true, "None"),
    (true, "None + Pending Out"),
    (false, "="),
    (true, "To"),
    (true, "None"),
    (true, "None + Pending Out"),
    (true, "To"),
];

/// Table 8.
const IN_SUBSCRIBED: Table = [
    (false, "="),
    (true, "To"),
    (false, "="),
    (true, "To + Pending In"),
    (false, "="),
    (false, "="),
    (false, "="),
    (true, "Both"),
    (false, "="),
];

/// Table 9.
const IN_UNSUBSCRIBED: Table = [
    (false, "="),
    (true, "None"),
    (false, "="),
    (true, "None + Pending In"),
    (true, "None"),
    (true, "None + Pending In"),
    (false, "="),
    (true, "From"),
    (true, "From"),
];

fn expected(before: State, word: &str) -> State {
    match word {
        "=" => before,
        "approved" => State {
            approved: true,
            ..before
        },
        name => named(name),
    }
}

fn walk(name: &str, table: &Table, step: impl Fn(State) -> Outcome) {
    for (state, (route, new)) in STATES.iter().zip(table) {
        let before = named(state);
        let outcome = step(before);
        let after = expected(before, new);
        assert_eq!(
            (outcome.route, outcome.state),
            (*route, after),
            "{name} in {state}"
        );
        let visible = |s: State| (s.subscription, s.ask, s.approved);
        assert_eq!(
            outcome.push,
            visible(before) != visible(after),
            "push of {name} in {state}"
        );
    }
}

#[test]
fn appendix_a_2_outbound() {
    walk("subscribe", &OUT_SUBSCRIBE, |s| {
        outbound(Kind::Subscribe, s)
    });
    walk("unsubscribe", &OUT_UNSUBSCRIBE, |s| {
        outbound(Kind::Unsubscribe, s)
    });
    walk("subscribed", &OUT_SUBSCRIBED, |s| {
        outbound(Kind::Subscribed, s)
    });
    walk("unsubscribed", &OUT_UNSUBSCRIBED, |s| {
        outbound(Kind::Unsubscribed, s)
    });
}

#[test]
fn appendix_a_3_inbound() {
    walk("subscribe", &IN_SUBSCRIBE, |s| inbound(Kind::Subscribe, s));
    walk("unsubscribe", &IN_UNSUBSCRIBE, |s| {
        inbound(Kind::Unsubscribe, s)
    });
    walk("subscribed", &IN_SUBSCRIBED, |s| {
        inbound(Kind::Subscribed, s)
    });
    walk("unsubscribed", &IN_UNSUBSCRIBED, |s| {
        inbound(Kind::Unsubscribed, s)
    });
}

/// Footnotes of tables 6 and 7, and our answer to an approval that nobody waits for.
#[test]
fn automatic_answers() {
    for name in STATES {
        let s = named(name);
        let reply = |kind| inbound(kind, s).auto_reply;
        assert_eq!(
            reply(Kind::Subscribe),
            s.from().then_some(Kind::Subscribed),
            "{name}"
        );
        let had = s.from() || s.pending_in;
        assert_eq!(
            reply(Kind::Unsubscribe),
            had.then_some(Kind::Unsubscribed),
            "{name}"
        );
        let unexpected = !s.to() && !s.ask;
        assert_eq!(
            reply(Kind::Subscribed),
            unexpected.then_some(Kind::Unsubscribe),
            "{name}"
        );
        assert_eq!(reply(Kind::Unsubscribed), None, "{name}");
        for kind in Kind::ALL {
            assert_eq!(outbound(kind, s).auto_reply, None, "{name}");
        }
    }
    assert_eq!(
        inbound(Kind::Subscribed, State::default()).auto_reply,
        None,
        "strangers get no answer"
    );
}

/// §3.1.5, §3.2.2, §3.3.3: presence follows a grant and precedes its end, and nothing else.
#[test]
fn presence_around_the_change() {
    for name in STATES {
        let s = named(name);
        let of = |o: Outcome| (o.present, o.state.from(), s.from());
        for kind in Kind::ALL {
            for (present, after, before) in [of(outbound(kind, s)), of(inbound(kind, s))] {
                let wanted = match (before, after) {
                    (false, true) => Present::SendAvailable,
                    (true, false) => Present::SendUnavailable,
                    _ if present == Present::SendAvailable && before => Present::SendAvailable,
                    _ => Present::None,
                };
                assert_eq!(present, wanted, "{} in {name}", kind.as_str());
            }
        }
        let again = inbound(Kind::Subscribe, s).present;
        assert_eq!(
            again == Present::SendAvailable,
            s.from(),
            "asked again in {name}"
        );
        assert_eq!(
            outbound(Kind::Subscribed, s).present == Present::SendAvailable,
            s.pending_in
        );
    }
}

/// §3.4.2: the four cases of a pre-approval, its use, and its end.
#[test]
fn pre_approval() {
    let stranger = outbound(Kind::Subscribed, State::default());
    let approved = State {
        listed: true,
        approved: true,
        ..State::default()
    };
    assert_eq!(
        (stranger.state, stranger.route, stranger.push),
        (approved, false, true)
    );

    let again = outbound(Kind::Subscribed, approved);
    assert_eq!(
        (again.state, again.route, again.push),
        (approved, false, false)
    );

    let asked = inbound(Kind::Subscribe, approved);
    assert_eq!(
        asked.state,
        State {
            subscription: SubscriptionState::From,
            ..approved
        }
    );
    assert!(!asked.route, "MUST NOT be delivered");
    assert!(asked.push);
    assert_eq!(asked.auto_reply, Some(Kind::Subscribed));
    assert_eq!(asked.present, Present::SendAvailable);

    let cancelled = outbound(Kind::Unsubscribed, approved);
    assert_eq!(
        cancelled.state,
        State {
            approved: false,
            ..approved
        }
    );
    assert_eq!(
        (cancelled.route, cancelled.push, cancelled.present),
        (false, true, Present::None)
    );

    let ended = outbound(Kind::Unsubscribed, asked.state);
    assert_eq!(
        ended.state,
        State {
            listed: true,
            ..State::default()
        }
    );
    assert_eq!(
        (ended.route, ended.push, ended.present),
        (true, true, Present::SendUnavailable)
    );

    for (name, both) in [("To", "Both"), ("None + Pending Out", "From + Pending Out")] {
        let o = inbound(
            Kind::Subscribe,
            State {
                approved: true,
                ..named(name)
            },
        );
        assert_eq!(
            o.state,
            State {
                approved: true,
                ..named(both)
            }
        );
    }
}

fn bare(text: &str) -> Bare {
    Bare::parse(text).unwrap()
}

/// §3.1.3: no item for who only asks; the first request is the one kept; an answer forgets it.
#[test]
fn requests_are_kept_beside_the_roster() {
    let romeo = bare("romeo@example.net");
    let mut roster = Roster::default();
    let (first, second) = (Bytes::from_static(b"<a/>"), Bytes::from_static(b"<b/>"));

    let o = inbound(Kind::Subscribe, State::of(&roster, &romeo));
    assert!(o.route && !o.push);
    o.state.store(&mut roster, &romeo, &first);
    assert!(roster.items.is_empty(), "MUST NOT add an item");
    assert_eq!(roster.pending_in.get(&romeo), Some(&first));

    let o = inbound(Kind::Subscribe, State::of(&roster, &romeo));
    assert!(!o.route, "told once");
    o.state.store(&mut roster, &romeo, &second);
    assert_eq!(roster.pending_in.get(&romeo), Some(&first));

    let o = outbound(Kind::Subscribed, State::of(&roster, &romeo));
    o.state.store(&mut roster, &romeo, &Bytes::new());
    assert!(o.route && o.push);
    assert!(roster.pending_in.is_empty());
    assert_eq!(
        roster.items.get(&romeo).unwrap().subscription,
        SubscriptionState::From
    );
}

/// §3.3.3, last paragraph: a withdrawn request leaves no trace. §3.2.2: a denied one neither.
#[test]
fn a_request_ends_without_an_item() {
    let asked = State {
        pending_in: true,
        ..State::default()
    };
    for o in [
        inbound(Kind::Unsubscribe, asked),
        outbound(Kind::Unsubscribed, asked),
    ] {
        assert_eq!(
            (o.state, o.push, o.present),
            (State::default(), false, Present::None)
        );
        assert!(o.route);
    }
}

#[test]
fn storing_keeps_name_and_groups() {
    let romeo = bare("romeo@example.net");
    let mut roster = Roster::default();
    let mut item = Item::new(romeo.clone());
    item.label = Label::new(Some("R"), ["Friends"]);
    roster.items.insert(item.clone());
    outbound(Kind::Subscribe, State::of(&roster, &romeo))
        .state
        .store(&mut roster, &romeo, &Bytes::new());
    item.ask = true;
    assert_eq!(roster.items.get(&romeo), Some(&item));
}

/// §2.5.2, with open requests.
#[test]
fn removal() {
    use Kind::{Unsubscribe as U, Unsubscribed as D};
    let table: [(&[Kind], bool); 9] = [
        (&[], false),
        (&[U], false),
        (&[D], false),
        (&[U, D], false),
        (&[U], false),
        (&[U, D], false),
        (&[D], true),
        (&[U, D], true),
        (&[U, D], true),
    ];
    for (name, (route, unavailable)) in STATES.iter().zip(table) {
        let r = remove(named(name));
        assert_eq!(r.route.as_slice(), route, "{name}");
        assert_eq!(r.present == Present::SendUnavailable, unavailable, "{name}");
    }
}

/// §4.3.2, rule 1; it never cancels a pre-approval.
#[test]
fn probes() {
    assert_eq!(probe(named("From")), ProbeAnswer::Presence);
    assert_eq!(probe(named("Both")), ProbeAnswer::Presence);
    assert_eq!(probe(named("To")), ProbeAnswer::Unsubscribed);
    assert_eq!(probe(State::default()), ProbeAnswer::Unsubscribed);
    assert_eq!(probe(named("None + Pending In")), ProbeAnswer::Nothing);
}

#[test]
fn words() {
    for kind in Kind::ALL {
        assert_eq!(Kind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(Kind::parse("probe"), None);
    assert_eq!(Kind::Subscribe.audience(), Audience::Available);
    assert_eq!(Kind::Unsubscribed.audience(), Audience::Interested);
}

/// Two accounts, each the other's contact, with a reliable ordered queue in each direction.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Pair {
    states: [State; 2],
    queues: [VecDeque<Kind>; 2],
}

impl Pair {
    fn send(&mut self, who: usize, kind: Kind) {
        let o = outbound(kind, self.states[who]);
        self.states[who] = o.state;
        if o.route {
            self.queues[1 - who].push_back(kind);
        }
    }

    fn remove(&mut self, who: usize) {
        let r = remove(self.states[who]);
        self.states[who] = State::default();
        self.queues[1 - who].extend(r.route);
    }

    /// Takes the oldest stanza to `who`; false when there is none.
    fn receive(&mut self, who: usize) -> bool {
        let Some(kind) = self.queues[who].pop_front() else {
            return false;
        };
        let o = inbound(kind, self.states[who]);
        self.states[who] = o.state;
        self.queues[1 - who].extend(o.auto_reply);
        true
    }

    fn settled(&self) -> bool {
        self.queues.iter().all(VecDeque::is_empty)
    }

    fn check(&self) {
        let [a, b] = self.states;
        assert_eq!(a.to(), b.from(), "{a:?} {b:?}");
        assert_eq!(b.to(), a.from(), "{a:?} {b:?}");
        // Who waits for an answer has been asked for one.
        assert!(!a.ask || b.pending_in, "{a:?} {b:?}");
        assert!(!b.ask || a.pending_in, "{a:?} {b:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn two_accounts_agree_when_all_is_delivered(
        steps in prop::collection::vec((0..2usize, 0..6usize), 0..60),
    ) {
        let mut pair = Pair::default();
        for (who, what) in steps {
            match what {
                0..4 => pair.send(who, Kind::ALL[what]),
                _ => { pair.receive(who); }
            }
        }
        while pair.receive(0) || pair.receive(1) {}
        pair.check();
    }

    /// Who removed a contact is a stranger to it, and an approval of a stranger is not answered; but nobody believes that he sees
    /// whom he does not.
    #[test]
    fn removals_leave_no_false_hope(
        steps in prop::collection::vec((0..2usize, 0..7usize), 0..60),
    ) {
        let mut pair = Pair::default();
        for (who, what) in steps {
            match what {
                0..4 => pair.send(who, Kind::ALL[what]),
                4 => pair.remove(who),
                _ => { pair.receive(who); }
            }
        }
        while pair.receive(0) || pair.receive(1) {}
        let [a, b] = pair.states;
        prop_assert!((!a.to() || b.from()) && (!b.to() || a.from()), "{a:?} {b:?}");
    }
}

/// The same for every order there is, while at most seven stanzas are under way when somebody speaks. One direction of subscription is
/// independent of the other, so account 0 only asks and account 1 only answers. Nobody removes an item here: without one, a
/// surprising approval is not answered.
#[test]
fn every_interleaving_agrees() {
    let mut seen: HashSet<Pair> = HashSet::new();
    let mut open = vec![Pair::default()];
    while let Some(pair) = open.pop() {
        if !seen.insert(pair.clone()) {
            continue;
        }
        if pair.settled() {
            pair.check();
        }
        for (who, kind) in [
            (0, Kind::Subscribe),
            (0, Kind::Unsubscribe),
            (1, Kind::Subscribed),
            (1, Kind::Unsubscribed),
        ] {
            if pair.queues.iter().map(VecDeque::len).sum::<usize>() < 7 {
                let mut next = pair.clone();
                next.send(who, kind);
                open.push(next);
            }
        }
        for who in 0..2 {
            let mut next = pair.clone();
            if next.receive(who) {
                open.push(next);
            }
        }
    }
    assert!(seen.len() > 1000);
}
