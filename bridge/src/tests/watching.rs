//! NOTIFY: pace, one at a time, and what answers mean.

use std::time::Duration;

use presence::Show;
use sip::transaction::{Failure, Flow};
use sip::{HeaderName, Response};

use super::*;

fn watching() -> (World, Phone) {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    world.pass(Duration::from_secs(5));
    (world, phone)
}

fn bob_says(world: &mut World, note: &str) {
    world.model.present(&bob(), Some(Show::Dnd), note);
    world.changed(&bob());
}

#[test]
fn the_first_change_goes_at_once_later_ones_together() {
    let (mut world, _) = watching();
    bob_says(&mut world, "one");
    assert!(world.notified().1.contains(">one<"));
    for note in ["two", "three", "four"] {
        bob_says(&mut world, note);
        world.none();
        world.pass(Duration::from_millis(300));
    }
    world.none();
    world.pass(Duration::from_millis(100));
    let (_, body) = world.notified();
    assert!(body.contains(">four<") && !body.contains(">three<"));
}

#[test]
fn one_is_out_at_a_time() {
    let (mut world, mut phone) = watching();
    bob_says(&mut world, "one");
    let first = world.one();
    bob_says(&mut world, "two");
    world.pass(Duration::from_secs(3));
    bob_says(&mut world, "three");
    // Also a refresh waits for the answer; its own NOTIFY is the next.
    let again = Response::for_request(&first.request, 200);
    world.none();
    world.reply_with(&first, again);
    let second = world.one();
    assert!(second.told().1.contains(">three<"));
    assert_eq!(second.cseq(), first.cseq() + 1);
    // A refresh that crosses a NOTIFY on its way is told after it.
    let dialog = Response::for_request(&second.request, 200);
    let _ = (dialog, &mut phone);
    world.reply(&second, 200);
    world.pass(Duration::from_secs(5));
    world.none();
}

#[test]
fn a_refresh_crosses_a_change() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    let out = world.one();
    bob_says(&mut world, "one");
    assert_eq!(phone.again(&mut world, &first, "").status, 200);
    assert_eq!(
        phone.again(&mut world, &first, "Expires: 0\r\n").status,
        200
    );
    world.none();
    world.reply(&out, 200);
    let last = world.one();
    let (state, body) = last.told();
    assert!(state == "terminated;timeout" && body.contains(">one<"));
    world.reply(&last, 481);
    assert!(world.bridge.subscriptions.is_clean() && world.bridge.subscription_count() == 0);
}

#[test]
fn what_looks_the_same_is_not_told() {
    let (mut world, _) = watching();
    world.model.absent(&bob());
    world.changed(&bob());
    world.pass(Duration::from_secs(5));
    world.none();
    bob_says(&mut world, "one");
    world.notified();
    bob_says(&mut world, "two");
    bob_says(&mut world, "one");
    world.pass(Duration::from_secs(5));
    world.none();
}

#[test]
fn answers_that_end_a_subscription() {
    for status in [
        404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604,
    ] {
        let (mut world, _) = watching();
        bob_says(&mut world, "one");
        let notify = world.one();
        world.reply(&notify, status);
        assert_eq!(
            (world.bridge.subscription_count(), world.model.watches.len()),
            (0, 0),
            "{status}"
        );
        assert!(world.bridge.subscriptions.is_clean());
        world.none();
    }
}

#[test]
fn answers_that_do_not() {
    for (status, after) in [
        (500, Some(30)),
        (503, Some(30)),
        (401, None),
        (400, None),
        (603, None),
    ] {
        let (mut world, _) = watching();
        bob_says(&mut world, "one");
        let notify = world.one();
        world.reply(&notify, status);
        assert_eq!(world.bridge.subscription_count(), 1);
        world.pass(Duration::from_secs(29));
        world.none();
        world.pass(Duration::from_secs(2));
        if after.is_some() {
            assert!(world.notified().1.contains(">one<"), "{status}");
        }
        world.none();
        bob_says(&mut world, "two");
        world.pass(Duration::from_secs(1));
        assert!(world.notified().1.contains(">two<"), "{status}");
    }
}

#[test]
fn a_watcher_may_ask_for_time() {
    let (mut world, _) = watching();
    bob_says(&mut world, "one");
    let notify = world.one();
    let busy = Response::for_request(&notify.request, 503).with(HeaderName::RetryAfter, "100");
    world.reply_with(&notify, busy);
    bob_says(&mut world, "two");
    world.pass(Duration::from_secs(99));
    world.none();
    world.pass(Duration::from_secs(1));
    assert!(world.notified().1.contains(">two<"));
}

#[test]
fn no_answer_ends_it_and_no_way_there_waits() {
    let (mut world, _) = watching();
    bob_says(&mut world, "one");
    let notify = world.one();
    world.fail(&notify, Failure::Timeout);
    assert_eq!(
        (world.bridge.subscription_count(), world.model.watches.len()),
        (0, 0)
    );

    let mut world = World::new();
    let remote = std::net::SocketAddr::from(([192, 0, 2, 77], 41000));
    let over = |n| Flow::to(sip::header::Transport::Tcp, remote).with_connection(n);
    let mut phone = Phone::over("ann", over(7));
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    assert_eq!(
        first.headers.get(&HeaderName::Contact),
        Some("<sip:office.example;transport=tcp>")
    );
    world.notified();
    world.pass(Duration::from_secs(5));
    world.bridge.handle_closed(world.now, 7);
    bob_says(&mut world, "one");
    let notify = world.one();
    assert!(matches!(&notify.to, sip::dialog::NextHop::Flow(flow) if flow.connection.is_none()));
    world.fail(&notify, Failure::Transport);
    bob_says(&mut world, "two");
    world.pass(Duration::from_secs(60));
    world.none();
    assert_eq!(world.bridge.subscription_count(), 1);
    // It comes back over another connection.
    phone.flow = over(8);
    assert_eq!(phone.again(&mut world, &first, "").status, 200);
    let notify = world.one();
    assert!(matches!(&notify.to, sip::dialog::NextHop::Flow(flow) if flow.connection == Some(8)));
    assert!(notify.told().1.contains(">two<"));
    world.reply(&notify, 200);
    // One that never comes back is forgotten in silence when its time is over.
    world.bridge.handle_closed(world.now, 8);
    bob_says(&mut world, "three");
    world.pass(Duration::from_secs(1));
    let notify = world.one();
    world.fail(&notify, Failure::Transport);
    world.pass(Duration::from_secs(4000));
    world.none();
    assert_eq!(
        (world.bridge.subscription_count(), world.model.watches.len()),
        (0, 0)
    );
    assert!(world.bridge.subscriptions.is_clean());
}

#[test]
fn without_authentication_one_unanswered_notify_a_source() {
    let mut world = World::with(|c| c.require_auth = false);
    let mut phone = Phone::new("ann");
    phone.subscribe(&mut world, "sip:bob@office.example", "");
    phone.subscribe(&mut world, "sip:ann@office.example", "");
    phone.ask(
        &mut world,
        "SUBSCRIBE",
        "sip:bob@office.example",
        "Contact: <sip:ann@10.0.0.1>\r\nEvent: presence;id=1\r\n",
        "",
    );
    world.pass(Duration::from_secs(2));
    let first = world.one();
    // Nothing came back: the next may try, alone.
    world.fail(&first, Failure::Timeout);
    let second = world.one();
    world.reply(&second, 200);
    // Now it is known to be there.
    assert_eq!(world.notified().0, "active");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.bridge.subscription_count(), 2);
}

#[test]
fn those_that_wait_for_a_source_end_in_silence() {
    let mut world = World::with(|c| c.require_auth = false);
    let mut phone = Phone::new("ann");
    phone.subscribe(&mut world, "sip:bob@office.example", "");
    phone.subscribe(&mut world, "sip:ann@office.example", "Expires: 60\r\n");
    phone.ask(
        &mut world,
        "SUBSCRIBE",
        "sip:bob@office.example",
        "Contact: <sip:ann@10.0.0.1>\r\nEvent: presence;id=1\r\n",
        "",
    );
    let first = world.one();
    world.pass(Duration::from_secs(70));
    assert_eq!(world.bridge.subscription_count(), 2);
    world.fail(&first, Failure::Timeout);
    assert_eq!(world.one().header(&HeaderName::Event), "presence;id=1");
}

#[test]
fn numbers_are_reserved_before_they_are_used() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    phone.subscribe(&mut world, "sip:bob@office.example", "Expires: 86400\r\n");
    world.notified();
    let mut last = 1;
    for n in 0..1500 {
        world.pass(Duration::from_secs(2));
        bob_says(&mut world, &format!("note {n}"));
        let notify = world.one();
        assert_eq!(notify.cseq(), last + 1);
        last = notify.cseq();
        world.reply(&notify, 200);
    }
    let durable = world
        .model
        .kept
        .iter()
        .filter(|(_, durable)| *durable)
        .count();
    assert_eq!(durable, 1);
    // What was told is handed over at once, so that a restart does not tell it again.
    assert_eq!(world.model.kept.len() - durable, 1 + 1500);
}

#[test]
fn what_was_told_is_kept_at_once_and_then_now_and_again() {
    let mut world = World::with(|config| config.notify_pace = Duration::ZERO);
    let mut phone = Phone::new("ann");
    phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    assert_eq!(world.model.kept.len(), 1);
    world.pass(Duration::from_secs(10));
    for n in 0..50 {
        bob_says(&mut world, &format!("note {n}"));
        world.notified();
        world.pass(Duration::from_millis(100));
    }
    // Twice a second, and in between once that it is not known.
    let writes = world.model.kept.len();
    assert!((11..=22).contains(&writes), "{writes}");
    // The last of it too; then there is nothing to write any more.
    world.pass(Duration::from_secs(100));
    assert!(world.model.kept.len() <= writes + 1);
    world.restart(|_| {});
    world.none();
}
