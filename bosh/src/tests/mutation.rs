//! Bodies as clients write them, damaged: nothing panics, and what can still be read is read in one way only.

use proptest::prelude::*;
use xml::{Element, Wrapper};

use super::*;
use crate::{Claim, poll};

/// Whole requests of every kind.
fn requests() -> Vec<Vec<u8>> {
    let key = "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d";
    [
        format!("<body rid='1001' xmlns='{NAMESPACE}' sid='SID'/>"),
        format!("<body rid=\"1001\" sid=\"SID\" ack=\"1000\" xmlns=\"{NAMESPACE}\" />"),
        format!("<?xml version='1.0'?><body xmlns='{NAMESPACE}' sid='SID' rid='1001'></body>\n"),
        format!("<body xmlns='{NAMESPACE}' sid='SID' rid='1001' pause='60'/>"),
        format!("<body xmlns='{NAMESPACE}' sid='SID' rid='1001' key='{key}' newkey='{key}'/>"),
        format!(
            "<body xmlns='{NAMESPACE}' rid='1000' to='office.example' from='ann@office.example' ver='1.11' wait='60' hold='1' ack='1' \
             content='text/xml; charset=utf-8' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'/>"
        ),
        format!(
            "<body xmlns='{NAMESPACE}' sid='SID' rid='1001' to='office.example' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'/>"
        ),
        format!(
            "<body xmlns='{NAMESPACE}' sid='SID' rid='1001' type='terminate'><presence xmlns='jabber:client' type='unavailable'/></body>"
        ),
        format!(
            "<body xmlns='{NAMESPACE}' xmlns:p='urn:p' sid='SID' rid='1001'><message to='bob@office.example' id='&lt;&#252;'>\
             <body>\u{fc} &amp; <![CDATA[<]]></body><p:x p:y='z'/></message> <iq xmlns='jabber:client' type='get' id='1'/></body>"
        ),
    ]
    .map(String::into_bytes)
    .into()
}

/// What happens to octets.
#[derive(Debug, Clone)]
enum Damage {
    /// A bit changes.
    Flip(prop::sample::Index, u8),
    /// An octet becomes one that means something.
    Set(prop::sample::Index, u8),
    /// The end is lost.
    Cut(prop::sample::Index),
    /// Some are lost.
    Drop(prop::sample::Index, usize),
    /// Some come twice.
    Double(prop::sample::Index, usize),
    /// Some of another request stand in between.
    Splice {
        at: prop::sample::Index,
        other: prop::sample::Index,
        from: prop::sample::Index,
        most: usize,
    },
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    let octets = b"<>/='\"&; \t\n\x0c!?[]-:xr0\x00\xc3\xff".to_vec();
    prop_oneof![
        3 => (at(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        3 => (at(), prop::sample::select(octets)).prop_map(|(at, octet)| Damage::Set(at, octet)),
        1 => at().prop_map(Damage::Cut),
        2 => (at(), 1usize..12).prop_map(|(at, most)| Damage::Drop(at, most)),
        2 => (at(), 1usize..40).prop_map(|(at, most)| Damage::Double(at, most)),
        3 => (at(), at(), at(), 1usize..60).prop_map(|(at, other, from, most)| Damage::Splice { at, other, from, most }),
    ]
}

/// At most so many octets from there on.
fn piece(octets: &[u8], from: usize, most: usize) -> &[u8] {
    &octets[from..octets.len().min(from + most)]
}

fn damaged(octets: &mut Vec<u8>, damage: &Damage, all: &[Vec<u8>]) {
    if octets.is_empty() {
        return;
    }
    let len = octets.len();
    match damage {
        Damage::Flip(at, bit) => octets[at.index(len)] ^= 1 << bit,
        Damage::Set(at, octet) => octets[at.index(len)] = *octet,
        Damage::Cut(at) => octets.truncate(at.index(len)),
        Damage::Drop(at, most) => {
            let at = at.index(len);
            octets.drain(at..len.min(at + most));
        }
        Damage::Double(at, most) => {
            let at = at.index(len);
            let twice = piece(octets, at, *most).to_vec();
            octets.splice(at..at, twice);
        }
        Damage::Splice {
            at,
            other,
            from,
            most,
        } => {
            let at = at.index(len);
            let other = &all[other.index(all.len())];
            let part = piece(other, from.index(other.len()), *most).to_vec();
            octets.splice(at..at, part);
        }
    }
}

/// A body read as XML, whatever it is.
fn slowly(octets: &Bytes) -> Option<Body> {
    let wrapper = Wrapper::parse(octets, LIMITS.xml, LIMITS.elements).ok()?;
    Body::of(&wrapper).ok()
}

/// Hands a request to a session, which takes it or ends.
fn handle(request: Result<&Body, Option<u64>>) {
    let mut talk = Talk::new("");
    match request {
        Ok(body) if body.opens() => {
            let opened = Session::open(talk.now, &Bounds::default(), "NEW", Ticket(1), body);
            assert!(opened.is_err() || opened.unwrap().sid() == "NEW");
            return;
        }
        Ok(body) => talk
            .session
            .handle_request(talk.now, Ticket(1), body.clone()),
        Err(rid) => talk.session.handle_unreadable(Ticket(1), rid),
    }
    talk.drain();
    talk.heard();
    talk.say(&message("a"));
    talk.seconds(200);
    assert!(talk.session.is_over(), "nothing more came");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_damaged_is_read_in_one_way_or_not_at_all(
        which in any::<prop::sample::Index>(),
        damages in prop::collection::vec(damage(), 0..4),
    ) {
        let all = requests();
        let mut octets = all[which.index(all.len())].clone();
        for damage in &damages {
            damaged(&mut octets, damage, &all);
        }
        let octets = Bytes::from(octets);
        let read = Body::parse(&octets, LIMITS);
        let slow = slowly(&octets);
        prop_assert!(!damages.is_empty() || read.is_ok());
        prop_assert_eq!(format!("{:?}", read.as_ref().ok()), format!("{:?}", slow.as_ref()), "{:?}", &octets);
        if let Some(quick) = poll::read(&octets) {
            prop_assert_eq!(format!("{quick:?}"), format!("{:?}", slow.as_ref().unwrap()), "{:?}", &octets);
        }
        let claim = Claim::read(&octets);
        if let Ok(body) = &read {
            for payload in &body.payloads {
                prop_assert!(Element::parse(payload, "", xml::Limits::generous()).is_ok(), "{:?}", payload);
            }
            // What it seems to say is what it says.
            prop_assert!(claim.rid.is_none_or(|rid| rid == body.rid), "{:?}", &octets);
            prop_assert!(claim.sid.is_none_or(|sid| Some(sid) == body.sid.as_deref()), "{:?}", &octets);
        }
        handle(read.as_ref().map_err(|_| claim.rid));
    }
}
