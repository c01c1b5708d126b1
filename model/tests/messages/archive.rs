//! Archives (XEP-0313): what goes in with what else, and what a full queue means.

use super::*;
use presence::{ArchiveId, ArchiveQuery, ArchivedForm};

fn office() -> World {
    let rules = Rules {
        archive: Some(Duration::from_secs(3600)),
        archive_preferences: 2,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    world.add("bob");
    world
}

fn archive(world: &World, name: &str) -> Vec<ArchiveId> {
    let query = ArchiveQuery::default();
    let page = world.model.archive_page(&bare(name), &query).unwrap();
    page.messages.iter().map(|m| m.id).collect()
}

#[test]
fn the_answer_waits_for_both_archives() {
    let world = office();
    let (ann, _) = world.come("ann@localhost/desk", "a");
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let said = message("m", "bob@localhost/x", "ann@localhost");
    world
        .model
        .message(said, HANDLING, move |_, sent| *slot.lock() = Some(sent));
    // It is delivered at once.
    assert_eq!(texts(&ann), [("m".to_owned(), false)]);
    assert_eq!(*answer.lock(), None);
    world.settle();
    assert_eq!(*answer.lock(), Some(Ok(Sent::Delivered)));
    assert_eq!(archive(&world, "ann"), archive(&world, "bob"));
    assert_eq!(archive(&world, "ann").len(), 1);
}

#[test]
fn numbers_grow_whatever_the_clock_does() {
    let world = office();
    let (_ann, _) = world.come("ann@localhost/desk", "a");
    for millis in [5, 5, 3, 0, 9] {
        let said = Message {
            received: Utc(BASE + millis),
            ..message("m", "bob@localhost/x", "ann@localhost")
        };
        assert_eq!(send(&world, said), Ok(Sent::Delivered));
    }
    let ids = archive(&world, "ann");
    assert_eq!(ids.len(), 5);
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert_eq!(ids.last().unwrap().moment(), Utc(BASE + 9));
}

#[test]
fn what_waits_is_archived_with_it_and_knows_its_number() {
    let world = office();
    let said = message("m", "bob@localhost/x", "ann@localhost");
    assert_eq!(send(&world, said), Ok(Sent::Stored));
    let waiting = world.model.store().offline_messages(&bare("ann")).unwrap();
    assert_eq!(waiting[0].1.archived, Some(archive(&world, "ann")[0]));
    // Too much waits: it is refused and in no archive.
    let rules = Rules {
        archive: Some(Duration::from_secs(3600)),
        offline_messages: 0,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    world.add("bob");
    let said = message("m", "bob@localhost/x", "ann@localhost");
    assert_eq!(send(&world, said), Err(Refusal::Unavailable));
    assert!(archive(&world, "ann").is_empty() && archive(&world, "bob").is_empty());
}

#[test]
fn a_full_queue_delivers_nothing() {
    let world = office();
    let (ann, _) = world.come("ann@localhost/desk", "a");
    world.settle();
    ann.take();
    world.fill();
    let said = message("m", "bob@localhost/x", "ann@localhost");
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    world
        .model
        .message(said, HANDLING, move |_, sent| *slot.lock() = Some(sent));
    assert_eq!(*answer.lock(), Some(Err(Refusal::Overloaded)));
    assert!(texts(&ann).is_empty());
    // What is not archived needs no room.
    let passing = Handling {
        storable: false,
        archivable: false,
        ..HANDLING
    };
    let typing = message("typing", "bob@localhost/x", "ann@localhost");
    world.model.message(typing, passing, |_, _| {});
    assert_eq!(texts(&ann), [("typing".to_owned(), false)]);
    world.settle();
    assert!(archive(&world, "ann").is_empty());
}

#[test]
fn wishes_are_bounded_and_decide_for_their_own_archive_alone() {
    let world = office();
    let (_ann, _) = world.come("ann@localhost/desk", "a");
    let wish = |never: &[&str]| {
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        let never = never.iter().map(|a| presence::Address::parse(a).unwrap());
        let wants = presence::ArchivePreferences {
            never: never.collect(),
            ..presence::ArchivePreferences::default()
        };
        let reply = model::commit::Reply::new(move |result| *slot.lock() = Some(result));
        world
            .model
            .set_archive_preferences(&bare("ann"), wants, &reply);
        world.settle();
        let result = answer.lock().take();
        result.unwrap()
    };
    assert_eq!(wish(&["bob@localhost"]), Ok(()));
    let limit = Err(Refusal::Limit("archive_preferences"));
    assert_eq!(wish(&["a@localhost", "b@localhost", "c@localhost"]), limit);
    for (from, to) in [
        ("bob@localhost/x", "ann@localhost"),
        ("ann@localhost/y", "bob@localhost"),
    ] {
        send(&world, message("m", from, to)).unwrap();
    }
    assert!(archive(&world, "ann").is_empty());
    assert_eq!(archive(&world, "bob").len(), 2);
}

#[test]
fn what_is_for_oneself_is_there_once() {
    let world = office();
    let (_ann, _) = world.come("ann@localhost/desk", "a");
    let said = message("m", "ann@localhost/lap", "ann@localhost");
    assert_eq!(send(&world, said), Ok(Sent::Delivered));
    assert_eq!(archive(&world, "ann").len(), 1);
    let page = world
        .model
        .archive_page(&bare("ann"), &ArchiveQuery::default());
    let form = &page.unwrap().messages[0].form;
    assert!(matches!(form, ArchivedForm::Stanza(_)), "{form:?}");
}

/// Who reads the archive is not given what waits and stands there, but all that does not, and all that comes later.
#[test]
fn what_is_archived_need_not_be_given_twice() {
    let rules = Rules {
        archive: Some(Duration::from_secs(24 * 3600)),
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    world.add("bob");
    let send_ann = |id: &str, archivable: bool| {
        let said = Message {
            received: world.now().utc,
            ..message(id, "bob@localhost/x", "ann@localhost")
        };
        let handling = Handling {
            archivable,
            ..HANDLING
        };
        let answer = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&answer);
        world
            .model
            .message(said, handling, move |_, sent| *slot.lock() = Some(sent));
        world.settle();
        assert_eq!(*answer.lock(), Some(Ok(Sent::Stored)), "{id}");
    };
    send_ann("archived", true);
    send_ann("private", false);
    let (ann, session) = world.connect("ann@localhost/desk");
    world.model.reads_archive(&bare("ann"), session).unwrap();
    world.settle();
    let waiting = || {
        world
            .model
            .store()
            .offline_messages(&bare("ann"))
            .unwrap()
            .len()
    };
    // It waits no longer, whether the client becomes available or not.
    assert_eq!(waiting(), 1);
    send_ann("late", true);
    let come = |session| {
        let shown = presented("a", 0);
        world.model.available(&bare("ann"), session, shown).unwrap();
        world.settle();
    };
    come(session);
    assert_eq!(
        texts(&ann),
        [("private".to_owned(), true), ("late".to_owned(), true)]
    );
    assert_eq!((waiting(), archive(&world, "ann").len()), (0, 2));
    // Nothing of it comes again, to others either.
    world.model.disconnect(&bare("ann"), session, None);
    let (other, _) = world.come("ann@localhost/other", "b");
    assert!(texts(&other).is_empty());
}

/// What leaves the archive before anybody has looked is given.
#[test]
fn what_does_not_stay_archived_is_given() {
    let rules = Rules {
        archive: Some(Duration::from_secs(3 * 3600)),
        ..Rules::default()
    };
    for (hours, given) in [(1, false), (2, true), (4, true)] {
        let world = World::new(1, rules.clone());
        world.add("ann");
        world.add("bob");
        let said = Message {
            received: world.now().utc,
            ..message("m", "bob@localhost/x", "ann@localhost")
        };
        assert_eq!(send(&world, said), Ok(Sent::Stored));
        world.pass(Duration::from_secs(hours * 3600));
        let (ann, session) = world.connect("ann@localhost/desk");
        world.model.reads_archive(&bare("ann"), session).unwrap();
        let shown = presented("a", 0);
        world.model.available(&bare("ann"), session, shown).unwrap();
        world.settle();
        assert_eq!(!texts(&ann).is_empty(), given, "{hours}");
    }
}

/// Whose clients read the archive is told there what does not fit elsewhere.
#[test]
fn what_is_too_much_to_wait_is_archived_alone_for_who_reads_archives() {
    let rules = Rules {
        archive: Some(Duration::from_secs(30 * 86_400)),
        offline_messages: 2,
        offline_expires: None,
        ..Rules::default()
    };
    let world = World::new(1, rules);
    world.add("ann");
    world.add("bob");
    let said = |text: &str| Message {
        received: world.now().utc,
        ..message(text, "bob@localhost/x", "ann@localhost")
    };
    for text in ["one", "two"] {
        assert_eq!(send(&world, said(text)), Ok(Sent::Stored));
    }
    // Nobody knows that anybody would look for it.
    assert_eq!(send(&world, said("refused")), Err(Refusal::Unavailable));
    assert_eq!(archive(&world, "ann").len(), 2);
    // Now somebody has looked.
    assert_eq!(send(&world, said("three")), Ok(Sent::Stored));
    let waiting = world.model.store().offline_messages(&bare("ann")).unwrap();
    assert_eq!((waiting.len(), archive(&world, "ann").len()), (2, 3));
    assert_eq!(archive(&world, "bob"), archive(&world, "ann"));
    // What is in no archive has no other place.
    let private = Handling {
        archivable: false,
        ..HANDLING
    };
    let answer = Arc::new(Mutex::new(None));
    let slot = Arc::clone(&answer);
    let told = move |_: &Message, sent| *slot.lock() = Some(sent);
    world.model.message(said("private"), private, told);
    world.settle();
    assert_eq!(*answer.lock(), Some(Err(Refusal::Unavailable)));
    // A client that is given what waits would not learn of it.
    let (ann, session) = world.connect("ann@localhost/desk");
    let shown = presented("a", 0);
    world.model.available(&bare("ann"), session, shown).unwrap();
    world.settle();
    assert_eq!(texts(&ann).len(), 2);
    world.model.disconnect(&bare("ann"), session, None);
    world.settle();
    for text in ["four", "five", "six"] {
        assert_eq!(send(&world, said(text)), Ok(Sent::Stored), "{text}");
    }
    // Whoever has looked so long ago that the archive does not reach back there may have gone over to something else.
    world.pass(Duration::from_secs(31 * 86_400));
    for text in ["seven", "eight"] {
        assert_eq!(
            send(&world, said(text)),
            Err(Refusal::Unavailable),
            "{text}"
        );
    }
}
