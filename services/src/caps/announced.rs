//! What a presence announces: `<c/>`.

use std::sync::Arc;

use xml::Child;

use super::hash::{Algorithm, Key};

/// The namespace of XEP-0115.
pub const CAPS: &str = "http://jabber.org/protocol/caps";
/// The namespace of XEP-0390.
pub const CAPS2: &str = "urn:xmpp:caps";
const HASHES: &str = "urn:xmpp:hashes:2";
/// Longest value of a hash and longest name of a node. What is longer is nothing that we know.
const VALUE: usize = 256;
const NODE: usize = 1024;

/// Capabilities that somebody announced.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Announced {
    /// The node of service discovery that tells of them.
    pub node: Arc<str>,
    /// The hash by which they are known; `None` where it cannot be checked: then they hold for this client alone.
    pub key: Option<Key>,
}

impl Announced {
    /// Reads one `<c/>` of either specification. `None` when there is nothing in it that can be asked for.
    pub fn read(c: &Child<'_>) -> Option<Self> {
        match (c.namespace(), c.name()) {
            (CAPS, "c") => Self::first(c),
            (CAPS2, "c") => Self::second(c),
            _ => None,
        }
    }

    /// XEP-0115 §4. Without `hash` it is the way of old clients (§9), whose `ver` is no hash.
    fn first(c: &Child<'_>) -> Option<Self> {
        let (node, value) = (c.attribute("node")?, c.attribute("ver")?);
        if value.is_empty() || value.len() > VALUE || node.len() > NODE {
            return None;
        }
        let algorithm = c.attribute("hash").as_deref().and_then(Algorithm::parse);
        Some(Self {
            node: format!("{node}#{value}").into(),
            key: algorithm.map(|algorithm| Key {
                second: false,
                algorithm,
                value: (*value).into(),
            }),
        })
    }

    /// XEP-0390 §4.3: the best of the hashes that can be checked.
    fn second(c: &Child<'_>) -> Option<Self> {
        let hashes = c.children().filter(|h| h.is("hash", HASHES));
        let known = hashes.filter_map(|hash| {
            let algorithm = Algorithm::parse(&hash.attribute("algo")?)?;
            let value = hash.text();
            let value = value.trim();
            (!value.is_empty() && value.len() <= VALUE).then(|| (algorithm, Arc::from(value)))
        });
        let (algorithm, value): (_, Arc<str>) =
            known.max_by_key(|(algorithm, _)| match algorithm {
                Algorithm::Sha1 => 0,
                Algorithm::Sha512 => 1,
                Algorithm::Sha256 => 2,
            })?;
        Some(Self {
            node: format!("{CAPS2}#{}.{value}", algorithm.as_str()).into(),
            key: Some(Key {
                second: true,
                algorithm,
                value,
            }),
        })
    }

    /// Of two in one presence, the one to go by: the newer specification has fewer collisions.
    pub fn better(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        let rank = |a: &Self| match &a.key {
            None => 0,
            Some(key) if key.second => 2,
            Some(_) => 1,
        };
        match (first, second) {
            (Some(first), Some(second)) if rank(&second) > rank(&first) => Some(second),
            (first, second) => first.or(second),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use xml::{Element, Limits};

    fn read(text: &str) -> Option<Announced> {
        let element = Element::parse(text.as_bytes(), "", Limits::generous()).unwrap();
        Announced::read(&element.as_child())
    }

    const FIRST: &str =
        "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='urn:client' ver='abc='/>";
    const SECOND: &str = "<c xmlns='urn:xmpp:caps'>\
        <hash xmlns='urn:xmpp:hashes:2' algo='sha3-256'>x</hash><hash xmlns='urn:xmpp:hashes:2' algo='sha-256'>def=</hash></c>";

    #[test]
    fn both_ways() {
        let first = read(FIRST).unwrap();
        assert_eq!(&*first.node, "urn:client#abc=");
        assert_eq!(first.key.as_ref().unwrap().algorithm, Algorithm::Sha1);
        let second = read(SECOND).unwrap();
        assert_eq!(&*second.node, "urn:xmpp:caps#sha-256.def=");
        let better = Announced::better(Some(first.clone()), Some(second.clone()));
        assert_eq!(better, Some(second.clone()));
        assert_eq!(
            Announced::better(Some(second.clone()), Some(first)),
            Some(second)
        );
    }

    #[test]
    fn what_cannot_be_checked_is_asked_for_and_known_by_nothing() {
        for hash in ["", "hash='md5'"] {
            let text = FIRST.replace("hash='sha-1'", hash);
            assert_eq!(read(&text).unwrap().key, None, "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_nothing() {
        let long = FIRST.replace("abc=", &"x".repeat(VALUE + 1));
        let unknown = SECOND.replace("sha-256", "sha-9");
        for text in [
            &long,
            &unknown,
            "<c xmlns='urn:xmpp:caps'/>",
            "<c xmlns='urn:x'/>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
