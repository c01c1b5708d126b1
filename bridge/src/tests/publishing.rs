//! PUBLISH: the entity-tag machine (RFC 3903 §4, table 1).

use std::sync::Arc;

use presence::{Basic, Publication};
use sip::Response;

use super::answers::document;
use super::*;

const ANN: &str = "sip:ann@office.example";
const PIDF: &str = "Event: presence\r\nContent-Type: application/pidf+xml\r\n";

fn published(world: &World) -> Vec<Arc<Publication>> {
    world
        .model
        .published
        .get(&ann())
        .cloned()
        .unwrap_or_default()
}

fn tag(answer: &Response) -> String {
    assert_eq!(answer.status, 200);
    answer.headers.sip_etag().unwrap().to_owned()
}

#[test]
fn create_refresh_modify_remove() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    let answer = phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("{PIDF}Expires: 600\r\n"),
        &document(ANN),
    );
    assert_eq!(answer.headers.expires().unwrap(), Some(600));
    let first = tag(&answer);
    let one = published(&world);
    assert_eq!((one.len(), one[0].document.basic), (1, Basic::Open));
    // Refresh: no body, with or without the type that some phones leave there.
    let answer = phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("Event: presence\r\nSIP-If-Match: {first}\r\n"),
        "",
    );
    let second = tag(&answer);
    assert_eq!(answer.headers.expires().unwrap(), Some(3600));
    let answer = phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("{PIDF}SIP-If-Match: {second}\r\n"),
        "",
    );
    let third = tag(&answer);
    assert!(first != second && second != third);
    assert_eq!(published(&world)[0].document, one[0].document);
    // The old tag is gone.
    let old = phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("Event: presence\r\nSIP-If-Match: {first}\r\n"),
        "",
    );
    assert_eq!((old.status, old.headers.sip_etag()), (412, None));
    let closed = document(ANN).replace("open", "closed");
    let answer = phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("{PIDF}SIP-If-Match: {third}\r\n"),
        &closed,
    );
    let fourth = tag(&answer);
    assert_eq!(published(&world)[0].document.basic, Basic::Closed);
    assert_eq!(published(&world)[0].resource, one[0].resource);
    let answer = phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("Event: presence\r\nSIP-If-Match: {fourth}\r\nExpires: 0\r\n"),
        "",
    );
    assert_eq!(
        (answer.status, answer.headers.expires().unwrap()),
        (200, Some(0))
    );
    assert!(published(&world).is_empty());
}

#[test]
fn whose_document_it_is() {
    let (mut world, mut phone) = (World::new(), Phone::new("ann"));
    world
        .model
        .aliases
        .insert("101@office.example".to_owned(), ann());
    for entity in [
        "sip:ann@192.0.2.1:5070",
        "pres:ann@office.example",
        "sip:101@192.0.2.1",
        "sips:Ann@office.example",
    ] {
        let answer = phone.ask(&mut world, "PUBLISH", ANN, PIDF, &document(entity));
        assert_eq!(answer.status, 200, "{entity}");
    }
    // To an alias of one's own.
    assert_eq!(
        phone
            .ask(
                &mut world,
                "PUBLISH",
                "sip:101@office.example",
                PIDF,
                &document(ANN)
            )
            .status,
        200
    );
}

#[test]
fn two_phones_of_one_make_do_not_collide() {
    let mut world = World::new();
    let mut phone = Phone::new("ann");
    for contact in [
        "Contact: <sip:ann@10.0.0.1>\r\n",
        "Contact: <sip:ann@10.0.0.2>\r\n",
    ] {
        phone.ask(
            &mut world,
            "PUBLISH",
            ANN,
            &format!("{PIDF}{contact}"),
            &document(ANN),
        );
    }
    let both = published(&world);
    assert_ne!(both[0].resource, both[1].resource);
    assert_ne!(both[0].native, both[1].native);
    // The same device after its restart is the same resource.
    phone.ask(
        &mut world,
        "PUBLISH",
        ANN,
        &format!("{PIDF}Contact: <sip:ann@10.0.0.1>\r\n"),
        &document(ANN),
    );
    assert_eq!(published(&world)[2].resource, both[0].resource);
}

#[test]
fn it_reaches_who_watches() {
    let mut world = World::new();
    let (mut phone, mut watcher) = (Phone::new("ann"), Phone::new("bob"));
    watcher.subscribe(&mut world, ANN, "");
    world.notified();
    world.pass(std::time::Duration::from_secs(2));
    phone.ask(&mut world, "PUBLISH", ANN, PIDF, &document(ANN));
    world.changed(&ann());
    let (_, body) = world.notified();
    assert!(
        body.contains("<basic>open</basic>") && body.contains("entity=\"sip:ann@office.example\"")
    );
    assert_eq!(world.answers.len(), 0);
}
