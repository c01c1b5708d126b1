//! Presence on its way to many (RFC 6121 §4): printed once, addressed for each.

use bytes::Bytes;
use presence::subscription::Kind;
use presence::{Address, Bare};
use xml::{Element, Writer, escape};

use crate::stream::namespaces::CLIENT;

/// What a presence tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shown {
    /// The resource is there.
    Available,
    /// The resource is gone.
    Unavailable,
}

/// A presence that lacks only its recipient: all before the value of `to`, and all after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceParts {
    bytes: Vec<u8>,
    /// Where the recipient goes.
    gap: usize,
}

impl PresenceParts {
    /// A presence of `from` with what stands between its tags, `jabber:client` being the default namespace there.
    pub fn new(
        from: &Address,
        shown: Shown,
        id: Option<&str>,
        lang: Option<&str>,
        content: &[u8],
    ) -> Self {
        let mut bytes = Vec::with_capacity(128 + content.len());
        bytes.extend_from_slice(b"<presence from='");
        escape(&mut bytes, from.bare.as_str());
        if let Some(resource) = &from.resource {
            bytes.push(b'/');
            escape(&mut bytes, resource.as_str());
        }
        if shown == Shown::Unavailable {
            bytes.extend_from_slice(b"' type='unavailable");
        }
        if let Some(id) = id {
            bytes.extend_from_slice(b"' id='");
            escape(&mut bytes, id);
        }
        if let Some(lang) = lang {
            bytes.extend_from_slice(b"' xml:lang='");
            escape(&mut bytes, lang);
        }
        bytes.extend_from_slice(b"' to='");
        let gap = bytes.len();
        if content.is_empty() {
            bytes.extend_from_slice(b"'/>");
        } else {
            bytes.extend_from_slice(b"'>");
            bytes.extend_from_slice(content);
            bytes.extend_from_slice(b"</presence>");
        }
        Self { bytes, gap }
    }

    /// Appends the copy for one recipient.
    pub fn write(&self, out: &mut Vec<u8>, to: &str) {
        let (head, tail) = self.bytes.split_at(self.gap);
        out.reserve(self.bytes.len() + to.len());
        out.extend_from_slice(head);
        escape(out, to);
        out.extend_from_slice(tail);
    }
}

/// Writes a subscription stanza (RFC 6121 §3): between bare addresses. `stanza` is the complete one that its sender wrote (§3.1.3 wants
/// that kept), or nothing when the server speaks for him.
pub fn subscription(out: &mut Vec<u8>, kind: Kind, from: &Bare, to: &Bare, stanza: &Bytes) {
    let attributes = [
        ("type", Some(kind.as_str())),
        ("from", Some(from.as_str())),
        ("to", Some(to.as_str())),
    ];
    let written = (!stanza.is_empty()).then(|| Element::stored(stanza.clone(), CLIENT));
    if let Some(Ok(element)) = written {
        element.write_patched(out, &attributes);
        return;
    }
    let mut w = Writer::new(out);
    w.start("presence");
    for (name, value) in attributes {
        w.attribute(name, value.unwrap_or_default());
    }
    w.end();
}

/// Writes a probe (RFC 6121 §4.3.1).
pub fn probe(out: &mut Vec<u8>, from: &Address, to: &Bare) {
    let mut w = Writer::new(out);
    w.start("presence").attribute("type", "probe");
    w.attribute("from", &from.to_string());
    w.attribute("to", to.as_str());
    w.end();
}
