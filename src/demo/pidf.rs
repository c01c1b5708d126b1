//! What the phone publishes, and how it shows what it is told (RFC 3863, RFC 4480).

use presence::{Basic, Document, Show};
use xml::Writer;

/// The phone's document while its owner talks.
pub(super) fn on_the_phone(entity: &str, note: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    Writer::new(&mut octets)
        .start("presence")
        .attribute("xmlns", "urn:ietf:params:xml:ns:pidf")
        .attribute("xmlns:dm", "urn:ietf:params:xml:ns:pidf:data-model")
        .attribute("xmlns:rpid", "urn:ietf:params:xml:ns:pidf:rpid")
        .attribute("entity", entity)
        .start("tuple")
        .attribute("id", "desk")
        .start("status")
        .start("basic")
        .text("open")
        .end()
        .end()
        .start("note")
        .text(note)
        .end()
        .end()
        .start("dm:person")
        .attribute("id", "person")
        .start("rpid:activities")
        .start("rpid:on-the-phone")
        .end()
        .end()
        .end()
        .end();
    octets
}

/// A presence document in a few words, as the display of a phone has room for: `away, "Back at three"`.
pub fn shown(document: &Document) -> String {
    let word = match (document.basic, document.show) {
        (Basic::Closed, _) => "offline",
        (Basic::Open, None | Some(Show::Chat)) => "available",
        (Basic::Open, Some(Show::Away)) => "away",
        (Basic::Open, Some(Show::Xa)) => "away for long",
        (Basic::Open, Some(Show::Dnd)) => "busy",
    };
    match document.notes.first() {
        Some(note) => format!("{word}, \"{}\"", note.text),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use presence::Activity;

    #[test]
    fn what_the_phone_publishes_can_be_read() {
        let octets = on_the_phone("sip:bob@localhost", "At lunch & <away>");
        let read = documents::pidf::read(&octets).unwrap();
        assert_eq!(read.entity, "sip:bob@localhost");
        assert_eq!(read.document.activities, [Activity::OnThePhone]);
        assert_eq!(shown(&read.document), "busy, \"At lunch & <away>\"");
    }

    #[test]
    fn every_state_has_a_word() {
        let mut document = Document::default();
        assert_eq!(shown(&document), "available");
        document.show = Some(Show::Xa);
        assert_eq!(shown(&document), "away for long");
        document.basic = Basic::Closed;
        assert_eq!(shown(&document), "offline");
    }
}
