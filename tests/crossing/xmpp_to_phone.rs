//! What a phone sees of an XMPP user.

use super::ANN;
use crate::sip::Phone;
use crate::sip::pidf::{Pidf, Tuple};
use crate::support::{Client, Server};

fn tuple<'a>(pidf: &'a Pidf, id: &str) -> &'a Tuple {
    pidf.tuple(id)
        .unwrap_or_else(|| panic!("no tuple {id}: {pidf:#?}"))
}

#[test]
fn online_away_with_a_note_and_back() {
    let server = Server::start(&["ann", "bob"]);
    for mut bob in [Phone::udp(&server, "bob"), Phone::tls(&server, "bob")] {
        let mut watch = bob.subscribe("ann", 600);
        let first = watch.active(&mut bob);
        assert!(!first.is_open(), "{first:?}");
        let mut ann = Client::online(&server, "ann", "desk");
        let here = watch.sees(&mut bob, Pidf::is_open);
        assert_eq!(here.entity, "sip:ann@office.example");
        assert_eq!(tuple(&here, "ID-desk").show, "");
        assert!(here.activities.is_empty());
        ann.send(
            "<presence xml:lang='en'><show>away</show><status>Back at two</status>\
             <status xml:lang='de'>Um zwei zurück</status><priority>1</priority></presence>",
        );
        let away = watch.sees(&mut bob, |pidf| !pidf.activities.is_empty());
        assert_eq!(away.activities, ["away"]);
        assert!(away.text.contains("<rpid:away/>"), "{}", away.text);
        let desk = tuple(&away, "ID-desk");
        assert_eq!((desk.basic.as_str(), desk.show.as_str()), ("open", "away"));
        let mut notes = desk.notes.clone();
        notes.sort();
        let pair = |lang: &str, text: &str| (lang.to_owned(), text.to_owned());
        assert_eq!(
            notes,
            [pair("de", "Um zwei zurück"), pair("en", "Back at two")]
        );
        assert_eq!(desk.priority, "0.007");
        assert!(
            desk.contact.starts_with("sip:ann@office.example"),
            "{}",
            desk.contact
        );
        ann.send("<presence><show>dnd</show></presence>");
        let busy = watch.sees(&mut bob, |pidf| pidf.activities == ["busy"]);
        assert_eq!(tuple(&busy, "ID-desk").show, "dnd");
        ann.send("<presence type='unavailable'/>");
        watch.sees(&mut bob, |pidf| !pidf.is_open());
        ann.send("<presence><show>chat</show></presence>");
        let back = watch.sees(&mut bob, Pidf::is_open);
        assert_eq!(tuple(&back, "ID-desk").show, "chat");
        assert!(back.activities.is_empty());
        // The connection breaks.
        ann.cut();
        watch.sees(&mut bob, |pidf| !pidf.is_open());
        assert_eq!(watch.refresh(&mut bob, 0).status, 200);
        watch.ends(&mut bob);
    }
}

#[test]
fn all_priorities_there_are() {
    let server = Server::with("[limits]\nnotify_pace = \"0s\"", &["ann", "bob"]);
    let mut bob = Phone::tcp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    let mut ann = Client::online(&server, "ann", "desk");
    watch.sees(&mut bob, Pidf::is_open);
    for (priority, mapped) in [
        (1, "0.007"),
        (2, "0.015"),
        (64, "0.503"),
        (126, "0.992"),
        (127, "1"),
    ] {
        ann.send(&format!(
            "<presence><priority>{priority}</priority></presence>"
        ));
        let is = |pidf: &Pidf| {
            let text = &tuple(pidf, "ID-desk").priority;
            text.trim_end_matches('0').trim_end_matches('.') == mapped
        };
        watch.sees(&mut bob, is);
    }
    // A negative one is not mapped (RFC 8048 table 1).
    ann.send("<presence><priority>-1</priority></presence>");
    let negative = watch.sees(&mut bob, |pidf| tuple(pidf, "ID-desk").priority.is_empty());
    assert!(negative.is_open());
}

#[test]
fn several_resources_and_a_phone_of_one_person() {
    let server = Server::start(&["ann", "bob"]);
    let mut bob = Phone::tcp(&server, "bob");
    let mut watch = bob.subscribe("ann", 600);
    let mut desk = Client::online(&server, "ann", "desk");
    let mobile = Client::online(&server, "ann", "Büro 1");
    let mut phone = Phone::udp(&server, "ann");
    let body = crate::sip::pidf::simple(ANN, "desk", "open", "by phone");
    phone.publish(None, Some(&body), 600);
    let all = watch.sees(&mut bob, |pidf| {
        pidf.tuples
            .iter()
            .filter(|tuple| tuple.basic == "open")
            .count()
            == 3
    });
    let mut ids: Vec<_> = all.tuples.iter().map(|tuple| &tuple.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "{all:?}");
    // `Büro 1` is no XML id.
    assert_eq!(tuple(&all, "IDx-42c3bc726f2031").basic, "open");
    mobile.close();
    desk.send("<presence type='unavailable'/>");
    let one = watch.sees(&mut bob, |pidf| {
        pidf.tuples
            .iter()
            .filter(|tuple| tuple.basic == "open")
            .count()
            == 1
    });
    assert!(one.has_note("by phone"), "{one:?}");
}

#[test]
fn changes_come_at_the_pace_of_the_configuration() {
    let server = Server::with("[limits]\nnotify_pace = \"2s\"", &["ann", "bob"]);
    let mut bob = Phone::tcp(&server, "bob");
    let mut ann = Client::online(&server, "ann", "desk");
    let mut watch = bob.subscribe("ann", 600);
    watch.sees(&mut bob, Pidf::is_open);
    let began = std::time::Instant::now();
    for number in 0..50 {
        ann.send(&format!("<presence><status>{number}</status></presence>"));
    }
    ann.settle();
    let mut count = 1;
    while !watch.active(&mut bob).has_note("49") {
        count += 1;
    }
    // However slow the machine is: not more than the first at once and one each two seconds.
    assert!(
        count <= 3 + began.elapsed().as_secs() / 2,
        "{count} in {:?}",
        began.elapsed()
    );
}

#[test]
fn what_a_phone_watches_by_an_alias_or_the_address_of_the_machine() {
    let server = Server::with(
        "[[aliases]]\naccount = \"ann@office.example\"\naddresses = [\"101\"]",
        &["ann", "bob"],
    );
    let _ann = Client::online(&server, "ann", "desk");
    let mut bob = Phone::udp(&server, "bob");
    let port = server.address("sip.udp");
    for target in [
        "101@office.example".to_owned(),
        format!("101@{port}"),
        format!("ann@{port}"),
    ] {
        let mut watch = bob.subscribe(&target, 600);
        let pidf = watch.active(&mut bob);
        assert!(pidf.is_open());
        // Clients look for the entity by the address they asked for.
        assert_eq!(pidf.entity, format!("sip:{target}"));
        assert_eq!(watch.refresh(&mut bob, 0).status, 200);
        watch.ends(&mut bob);
    }
}
