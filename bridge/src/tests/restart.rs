//! The process ends and begins anew.

use std::time::Duration;

use presence::Refusal;
use sip::header::Transport;
use sip::transaction::Flow;

use super::*;

/// Ann watches bob, and what she was told is written.
fn watching(phone: &mut Phone) -> (World, sip::Response) {
    let mut world = World::new();
    world.model.present(&bob(), None, "here");
    let first = phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    assert_eq!(world.model.kept.len(), 1);
    world.pass(Duration::from_secs(11));
    assert_eq!(world.model.kept.len(), 1);
    (world, first)
}

/// Bob is gone, ann is told, and that is on its way.
fn gone(world: &mut World) {
    world.model.present(&bob(), None, "gone");
    world.changed(&bob());
    assert!(world.one().told().1.contains(">gone<"));
}

#[test]
fn nothing_changed_nothing_is_told() {
    let mut phone = Phone::new("ann");
    let (mut world, first) = watching(&mut phone);
    world.restart(|_| {});
    world.pass(Duration::from_secs(60));
    world.none();
    // The dialog lives: the number goes on above all that may have been used.
    assert_eq!(phone.again(&mut world, &first, "").status, 200);
    let notify = world.one();
    assert!(notify.cseq() > 1000 && notify.told().1.contains(">here<"));
    world.reply(&notify, 200);
    let last = notify.cseq();
    world.restart(|_| {});
    world.none();
    assert_eq!(phone.again(&mut world, &first, "").status, 200);
    assert!(world.one().cseq() > last);
}

#[test]
fn what_changed_is_told_once_the_numbers_are_reserved() {
    let mut phone = Phone::new("ann");
    let (mut world, _) = watching(&mut phone);
    world.model.present(&bob(), None, "gone");
    world.restart(|_| {});
    assert_eq!(
        world.model.kept.last().map(|(_, durable)| *durable),
        Some(true)
    );
    let notify = world.one();
    assert!(notify.cseq() > 1000 && notify.told().1.contains(">gone<"));
    world.reply(&notify, 200);
    world.pass(Duration::from_secs(20));
    world.restart(|_| {});
    world.none();
}

#[test]
fn who_may_have_heard_something_else_in_between_is_told() {
    let mut phone = Phone::new("ann");
    let (mut world, _) = watching(&mut phone);
    gone(&mut world);
    // No answer comes before the end, and all is again as it was when what was told was written.
    world.model.present(&bob(), None, "here");
    world.changed(&bob());
    world.restart(|_| {});
    assert!(world.one().told().1.contains(">here<"));
}

#[test]
fn what_was_told_before_is_not_written_while_more_is_on_its_way() {
    let mut world = World::with(|config| config.notify_pace = Duration::ZERO);
    let mut phone = Phone::new("ann");
    phone.subscribe(&mut world, "sip:bob@office.example", "");
    world.notified();
    world.pass(Duration::from_secs(10));
    for note in ["here", "there"] {
        world.model.present(&bob(), None, note);
        world.changed(&bob());
        assert!(world.notified().1.contains(note));
        world.pass(Duration::from_millis(100));
    }
    // "there" is to be written a moment later, but by then something else is on its way.
    gone(&mut world);
    world.pass(Duration::from_secs(1));
    world.model.present(&bob(), None, "there");
    world.restart(|_| {});
    assert!(world.one().told().1.contains(">there<"));
}

#[test]
fn a_dialog_that_is_written_while_something_is_on_its_way_does_not_say_what_is_known() {
    let mut phone = Phone::new("ann");
    let (mut world, _) = watching(&mut phone);
    gone(&mut world);
    let (id, stored) = world.model.watches.iter_mut().next().unwrap();
    stored.dialog = world.bridge.subscriptions.get_mut(*id).unwrap().record();
    world.model.present(&bob(), None, "here");
    world.restart(|_| {});
    assert!(world.one().told().1.contains(">here<"));
}

/// Whether it is written of the only watcher what he knows.
fn is_known(world: &World) -> bool {
    let record = world.model.watches.values().next().unwrap();
    record.dialog[1] == 1
}

#[test]
fn a_refresh_that_is_not_written_leaves_nothing_older_behind() {
    let mut phone = Phone::new("ann");
    let (mut world, first) = watching(&mut phone);
    world.model.present(&bob(), None, "odd");
    world.changed(&bob());
    let odd = world.one();
    world.reply(&odd, 400);
    world.model.refuse = Some(Refusal::Overloaded);
    assert_eq!(phone.again(&mut world, &first, "").status, 503);
    world.model.refuse = None;
    world.pass(Duration::from_secs(5));
    gone(&mut world);
    world.model.present(&bob(), None, "here");
    world.changed(&bob());
    world.restart(|_| {});
    assert!(world.one().told().1.contains(">here<"));
}

#[test]
fn what_was_told_is_written_later_when_the_dialog_could_not_be() {
    let mut phone = Phone::new("ann");
    let (mut world, first) = watching(&mut phone);
    world.model.refuse = Some(Refusal::Fault);
    assert_eq!(phone.again(&mut world, &first, "").status, 500);
    assert!(!is_known(&world));
    world.model.refuse = None;
    world.pass(Duration::from_secs(31));
    assert!(is_known(&world));
    world.restart(|_| {});
    world.none();
    // The same with the numbers.
    world.model.present(&bob(), None, "gone");
    world.model.refuse = Some(Refusal::Overloaded);
    world.changed(&bob());
    world.none();
    assert!(!is_known(&world));
    world.model.refuse = None;
    world.pass(Duration::from_secs(31));
    assert!(world.notified().1.contains(">gone<") && is_known(&world));
}

#[test]
fn numbers_wait_for_the_disk() {
    let mut phone = Phone::new("ann");
    let (mut world, _) = watching(&mut phone);
    world.model.present(&bob(), None, "gone");
    world.silent = true;
    world.restart(|_| {});
    assert_eq!(world.held(), 1);
    world.none();
    world.speak();
    assert_eq!(world.notified().0, "active");
}

#[test]
fn a_right_that_was_lost_meanwhile() {
    let mut phone = Phone::new("ann");
    let (mut world, _) = watching(&mut phone);
    world
        .model
        .decisions
        .insert((ann(), bob()), Decision::Pending);
    world.restart(|_| {});
    assert_eq!(world.notified().0, "terminated;rejected");
    assert!(world.model.watches.is_empty());
}

#[test]
fn the_time_goes_on() {
    let mut phone = Phone::new("ann");
    let (mut world, first) = watching(&mut phone);
    let granted = first.headers.expires().unwrap().unwrap();
    world.restart(|_| {});
    world.pass(Duration::from_secs(u64::from(granted) - 11));
    world.none();
    world.pass(Duration::from_secs(9));
    assert_eq!(world.notified().0, "terminated;timeout");
    assert!(world.model.watches.is_empty());
}

#[test]
fn a_connection_of_before_is_not_used() {
    let remote = std::net::SocketAddr::from(([192, 0, 2, 77], 41000));
    let mut phone = Phone::over("ann", Flow::to(Transport::Tcp, remote).with_connection(7));
    let (mut world, _) = watching(&mut phone);
    world.model.present(&bob(), None, "gone");
    world.restart(|_| {});
    let notify = world.one();
    assert!(matches!(&notify.to, sip::dialog::NextHop::Flow(flow) if flow.connection.is_none()));
}

#[test]
fn damaged_records_are_dropped() {
    let mut phone = Phone::new("ann");
    let (mut world, _) = watching(&mut phone);
    let whole: Vec<u8> = world.model.watches.values().next().unwrap().dialog.to_vec();
    for end in 0..whole.len() {
        let record = world.model.watches.values_mut().next().unwrap();
        record.dialog = whole[..end].to_vec().into();
        let record = record.clone();
        world.restart(|_| {});
        world.model.watches.insert(record.id, record);
        world.sent.clear();
    }
    let record = world.model.watches.values_mut().next().unwrap();
    record.dialog = [&[9], &whole[1..]].concat().into();
    world.restart(|_| {});
    assert!(world.model.watches.is_empty());
}

/// Numbers that a refresh was to reserve, and that were not written, are not used.
#[test]
fn numbers_of_a_refused_refresh_are_not_used() {
    let mut phone = Phone::new("ann");
    let (mut world, first) = watching(&mut phone);
    let durable = |world: &World| world.model.kept.iter().any(|(_, durable)| *durable);
    let tell = |world: &mut World, n: usize| {
        world.pass(Duration::from_secs(2));
        world.model.present(&bob(), None, &format!("note {n}"));
        world.changed(&bob());
        let notify = world.one();
        world.reply(&notify, 200);
    };
    // How many it takes until the next one would reserve more.
    let mut many = 0;
    while !durable(&world) {
        tell(&mut world, many);
        many += 1;
        assert!(many < 2000, "no numbers were ever reserved");
    }
    let mut phone = Phone::new("ann");
    let (mut world, again) = watching(&mut phone);
    drop(first);
    for n in 0..many - 1 {
        tell(&mut world, n);
    }
    assert!(!durable(&world));
    world.model.refuse = Some(Refusal::Overloaded);
    assert_eq!(phone.again(&mut world, &again, "").status, 503);
    world.pass(Duration::from_secs(2));
    world.model.present(&bob(), None, "not yet");
    world.changed(&bob());
    world.none();
    world.model.refuse = None;
    world.pass(Duration::from_secs(60));
    assert!(world.one().told().1.contains(">not yet<"));
}
