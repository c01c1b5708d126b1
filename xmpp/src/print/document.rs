//! The common document as the content of an XMPP presence (RFC 6121 §4.7.2, XEP-0319), for what phones and programs published.

use presence::Document;
use xml::Writer;

/// The namespace of XEP-0319.
pub(crate) const IDLE: &str = "urn:xmpp:idle:1";

/// Writes what stands between the tags of a presence that has no XMPP form of its own. `lang` is the one its stanza will have: a
/// note in that language needs no attribute.
pub fn document(out: &mut Vec<u8>, document: &Document, lang: Option<&str>) {
    let mut to = Writer::new(out);
    if let Some(show) = document.show {
        to.start("show").text(show.as_str()).end();
    }
    for note in &document.notes {
        to.start("status");
        if let Some(own) = note.lang.as_deref().filter(|own| Some(*own) != lang) {
            to.attribute("xml:lang", own);
        }
        to.text(&note.text);
        to.end();
    }
    if let Some(priority) = document.priority {
        to.start("priority").text(&priority.0.to_string()).end();
    }
    if let Some(since) = document.idle_since {
        to.start("idle").attribute("xmlns", IDLE);
        to.attribute("since", &since.to_rfc3339());
        to.end();
    }
}
