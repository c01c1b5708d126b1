//! The content of an XMPP `<presence/>` for a publication that did not come from an XMPP session (RFC 8048 §6.2).

use presence::{Basic, Publication};

use crate::namespace::{DELAY, IDLE};
use crate::out::Out;

/// A timestamp this much older than the change, in milliseconds, means that the state was made before it reached us.
const DELAYED: i64 = 60_000;

/// What stands between the tags of the stanza, with `jabber:client` as default namespace: show, status in each language,
/// priority, XEP-0319 idle time, and XEP-0203 delay when the document is at least a minute older than its publication (a
/// phone stamps every document, and clients show what is delayed differently). A closed publication, which goes out as
/// `unavailable`, has its status alone.
pub fn presence_content(publication: &Publication) -> Vec<u8> {
    let document = &publication.document;
    let open = document.basic == Basic::Open;
    let mut out = Out::with_capacity(256);
    if let (true, Some(show)) = (open, document.show) {
        out.leaf("show", show.as_str());
    }
    for note in &document.notes {
        out.start("status");
        if let Some(lang) = note.lang.as_deref().or(publication.lang.as_deref()) {
            out.attr("xml:lang", lang);
        }
        out.text(&note.text);
        out.end("status");
    }
    if !open {
        return out.into_bytes();
    }
    if let Some(priority) = document.priority {
        out.leaf("priority", &priority.0.to_string());
    }
    if let Some(since) = document.idle_since {
        out.start("idle");
        out.attr("xmlns", IDLE);
        out.attr("since", &since.to_rfc3339());
        out.end("idle");
    }
    if let Some(stamp) = document.timestamp
        && publication.changed.0.saturating_sub(stamp.0) >= DELAYED
    {
        out.start("delay");
        out.attr("xmlns", DELAY);
        out.attr("stamp", &stamp.to_rfc3339());
        out.end("delay");
    }
    out.into_bytes()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use presence::{Document, Native, Note, Priority, Resource, Show, Source, Utc};

    fn phone() -> Publication {
        Publication {
            resource: Resource::parse("sip-0a1b2c3d").unwrap(),
            source: Source::Sip { device: "d".into() },
            etag: None,
            expires: None,
            document: Document {
                basic: Basic::Open,
                show: Some(Show::Dnd),
                notes: vec![
                    Note {
                        lang: None,
                        text: "<busy>".to_owned(),
                    },
                    Note {
                        lang: Some("de".to_owned()),
                        text: "besetzt".to_owned(),
                    },
                ],
                priority: Some(Priority(102)),
                activities: Vec::new(),
                idle_since: Some(Utc(0)),
                timestamp: Some(Utc(1_000)),
            },
            native: Native::None,
            lang: None,
            changed: Utc(60_999),
        }
    }

    fn content(publication: &Publication) -> String {
        String::from_utf8(presence_content(publication)).unwrap()
    }

    #[test]
    fn everything_is_written() {
        let mut phone = phone();
        let fresh = concat!(
            "<show>dnd</show><status>&lt;busy&gt;</status><status xml:lang=\"de\">besetzt</status>",
            "<priority>102</priority><idle xmlns=\"urn:xmpp:idle:1\" since=\"1970-01-01T00:00:00Z\"/>"
        );
        assert_eq!(content(&phone), fresh);
        phone.changed = Utc(61_000);
        assert_eq!(
            content(&phone),
            format!("{fresh}<delay xmlns=\"urn:xmpp:delay\" stamp=\"1970-01-01T00:00:01Z\"/>")
        );
    }

    #[test]
    fn the_closed_have_a_status_alone() {
        let mut phone = phone();
        phone.document.basic = Basic::Closed;
        phone.document.notes.truncate(1);
        phone.lang = Some("en".into());
        assert_eq!(
            content(&phone),
            "<status xml:lang=\"en\">&lt;busy&gt;</status>"
        );
        phone.document = Document::default();
        assert_eq!(content(&phone), "");
    }
}
