//! The strings that are hashed (XEP-0115 §5.1, XEP-0390 §4.1), and whether an answer fits what was announced (XEP-0115 §5.4).

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};

use crate::disco::{Identity, Info};
use crate::form::Form;

/// A hash function (XEP-0300 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-1, which XEP-0115 has.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// By its name (XEP-0300 §4).
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "sha-1" => Some(Self::Sha1),
            "sha-256" => Some(Self::Sha256),
            "sha-512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha-1",
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    fn hash(self, octets: &[u8]) -> String {
        match self {
            Self::Sha1 => STANDARD.encode(Sha1::digest(octets)),
            Self::Sha256 => STANDARD.encode(Sha256::digest(octets)),
            Self::Sha512 => STANDARD.encode(Sha512::digest(octets)),
        }
    }
}

/// What is known by a hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// By XEP-0390; else by XEP-0115.
    pub(super) second: bool,
    pub(super) algorithm: Algorithm,
    pub(super) value: Arc<str>,
}

impl Key {
    /// The answer is what was hashed. `lang` is the language around the answer.
    pub fn fits(&self, info: &Info, lang: Option<&str>) -> bool {
        let matches = |octets: Option<Vec<u8>>| {
            octets.is_some_and(|octets| self.algorithm.hash(&octets) == *self.value)
        };
        let plain = |lang: Option<&str>| {
            if self.second {
                second(info, lang)
            } else {
                first(info, lang)
            }
        };
        // An inherited language counts; clients that hashed their own words only are as right.
        matches(plain(None)) || (lang.is_some() && matches(plain(lang)))
    }
}

/// An identity of our own, to be hashed.
pub struct V1Identity<'a> {
    /// Its category.
    pub category: &'a str,
    /// Its type within that.
    pub kind: &'a str,
    /// Its language, or nothing.
    pub lang: &'a str,
    /// Its name, or nothing.
    pub name: &'a str,
}

/// A form of our own: its `FORM_TYPE`, and its other fields with their values.
pub struct V1Form<'a> {
    /// Its `FORM_TYPE`.
    pub kind: &'a str,
    /// Its other fields.
    pub fields: Vec<(&'a str, Vec<&'a str>)>,
}

/// What XEP-0115 §5.1 hashes. Everything is sorted by octets.
pub fn plain_v1(identities: &[V1Identity<'_>], features: &[&str], forms: &[V1Form<'_>]) -> String {
    let mut identities: Vec<String> = identities
        .iter()
        .map(|i| format!("{}/{}/{}/{}", i.category, i.kind, i.lang, i.name))
        .collect();
    identities.sort_unstable();
    let mut features = features.to_vec();
    features.sort_unstable();
    let mut all = String::new();
    let mut add = |text: &str| {
        all.push_str(text);
        all.push('<');
    };
    for identity in &identities {
        add(identity);
    }
    for feature in features {
        add(feature);
    }
    let mut forms: Vec<&V1Form<'_>> = forms.iter().collect();
    forms.sort_unstable_by_key(|f| f.kind);
    for form in forms {
        add(form.kind);
        let mut fields: Vec<&(&str, Vec<&str>)> = form.fields.iter().collect();
        fields.sort_unstable_by_key(|(name, _)| *name);
        for (name, values) in fields {
            add(name);
            let mut values = values.clone();
            values.sort_unstable();
            for value in values {
                add(value);
            }
        }
    }
    all
}

/// XEP-0115 §5.4: nothing for an answer that is ill-formed. A form without a hidden `FORM_TYPE` is left out.
fn first(info: &Info, lang: Option<&str>) -> Option<Vec<u8>> {
    let identities: Vec<V1Identity<'_>> = info
        .identities
        .iter()
        .map(|i| V1Identity {
            category: &i.category,
            kind: &i.kind,
            lang: i.lang.as_deref().or(lang).unwrap_or_default(),
            name: &i.name,
        })
        .collect();
    if twice(info.identities.iter().collect()) || twice(info.features.iter().collect()) {
        return None;
    }
    let features: Vec<&str> = info.features.iter().map(String::as_str).collect();
    let mut forms: Vec<V1Form<'_>> = Vec::new();
    for form in &info.forms {
        let Some(kind) = form.kind.as_deref().filter(|_| form.kind_is_hidden) else {
            continue;
        };
        forms.push(V1Form {
            kind,
            fields: fields(form),
        });
    }
    if twice(forms.iter().map(|f| f.kind).collect()) {
        return None;
    }
    Some(plain_v1(&identities, &features, &forms).into_bytes())
}

fn fields(form: &Form) -> Vec<(&str, Vec<&str>)> {
    form.fields
        .iter()
        .map(|f| (&*f.var, f.values.iter().map(String::as_str).collect()))
        .collect()
}

fn twice<T: Ord>(mut all: Vec<T>) -> bool {
    all.sort_unstable();
    all.windows(2).any(|two| two[0] == two[1])
}

/// XEP-0390 §4.1: nothing for what has no hash.
fn second(info: &Info, lang: Option<&str>) -> Option<Vec<u8>> {
    let kinds = info.forms.iter().all(|f| f.kind.is_some());
    if info.has_more || !kinds {
        return None;
    }
    let features = info.features.iter().map(|f| joined(&[f]));
    let identities = info.identities.iter().map(|identity| {
        let Identity {
            category,
            kind,
            lang: own,
            name,
        } = identity;
        let lang = own.as_deref().or(lang).unwrap_or_default();
        ended(joined(&[category, kind, lang, name]), 0x1e)
    });
    let forms = info.forms.iter().map(|form| {
        let kind = ("FORM_TYPE", vec![form.kind.as_deref().unwrap_or_default()]);
        let fields = fields(form).into_iter().chain([kind]);
        let fields = fields.map(|(var, values)| {
            let mut field = joined(&[var]);
            field.extend(sorted(values.into_iter().map(|v| joined(&[v]))));
            ended(field, 0x1e)
        });
        ended(sorted(fields), 0x1d)
    });
    let mut all = ended(sorted(features), 0x1c);
    all.extend(ended(sorted(identities), 0x1c));
    all.extend(ended(sorted(forms), 0x1c));
    Some(all)
}

fn joined(texts: &[&str]) -> Vec<u8> {
    let mut octets = Vec::new();
    for text in texts {
        octets.extend_from_slice(text.as_bytes());
        octets.push(0x1f);
    }
    octets
}

fn ended(mut octets: Vec<u8>, by: u8) -> Vec<u8> {
    octets.push(by);
    octets
}

fn sorted(all: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    all.concat()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use xml::{Element, Limits};

    fn info(content: &str) -> Info {
        let text =
            format!("<query xmlns='http://jabber.org/protocol/disco#info'>{content}</query>");
        let element = Element::parse(text.as_bytes(), "", Limits::generous()).unwrap();
        Info::read(&element.as_child())
    }

    fn key(second: bool, algorithm: Algorithm, value: &str) -> Key {
        Key {
            second,
            algorithm,
            value: value.into(),
        }
    }

    const EXODUS: &str = "<identity category='client' name='Exodus 0.9.1' type='pc'/>\
        <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>\
        <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>";

    #[test]
    fn the_first_way() {
        let right = key(false, Algorithm::Sha1, "QgayPKawpkPSDYmwT/WM94uAlu0=");
        assert!(right.fits(&info(EXODUS), None));
        assert!(right.fits(&info(EXODUS), Some("en")));
        let more = format!("{EXODUS}<feature var='urn:x+notify'/>");
        assert!(!right.fits(&info(&more), None));
        let other = key(false, Algorithm::Sha256, "QgayPKawpkPSDYmwT/WM94uAlu0=");
        assert!(!other.fits(&info(EXODUS), None));
    }

    #[test]
    fn the_first_way_with_a_form() {
        let form = "<x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'>\
            <value>urn:xmpp:dataforms:softwareinfo</value></field><field var='ip_version'><value>ipv4</value>\
            <value>ipv6</value></field><field var='os'><value>Mac</value></field><field var='os_version'>\
            <value>10.5.1</value></field><field var='software'><value>Psi</value></field>\
            <field var='software_version'><value>0.11</value></field></x>";
        let features = EXODUS.split_once("/>").unwrap().1;
        let psi = format!(
            "<identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>\
             <identity xml:lang='el' category='client' name='\u{3a8} 0.11' type='pc'/>{features}{form}"
        );
        let right = key(false, Algorithm::Sha1, "q07IKJEyjvHSyhy//CH0CxmKi8w=");
        assert!(right.fits(&info(&psi), None));
        // Without a hidden FORM_TYPE the form does not count, and twice the same is ill-formed.
        assert!(!right.fits(&info(&psi.replace(" type='hidden'", "")), None));
        assert!(!right.fits(&info(&format!("{psi}{form}")), None));
        assert!(!right.fits(
            &info(&format!(
                "{psi}<feature var='http://jabber.org/protocol/caps'/>"
            )),
            None
        ));
    }

    #[test]
    fn the_second_way() {
        let features = [
            "http://jabber.org/protocol/si",
            "http://jabber.org/protocol/bytestreams",
            "http://jabber.org/protocol/chatstates",
            "http://jabber.org/protocol/disco#info",
            "http://jabber.org/protocol/disco#items",
            "urn:xmpp:ping",
            "jabber:iq:time",
            "jabber:iq:privacy",
            "jabber:iq:version",
            "http://jabber.org/protocol/rosterx",
            "urn:xmpp:time",
            "jabber:x:oob",
            "http://jabber.org/protocol/ibb",
            "http://jabber.org/protocol/si/profile/file-transfer",
            "urn:xmpp:receipts",
            "jabber:iq:roster",
            "jabber:iq:last",
        ];
        let mut text = "<identity category='client' name='BombusMod' type='mobile'/>".to_owned();
        for feature in features {
            text.push_str("<feature var='");
            text.push_str(feature);
            text.push_str("'/>");
        }
        let right = key(
            true,
            Algorithm::Sha256,
            "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
        );
        assert!(right.fits(&info(&text), None));
        assert!(!right.fits(&info(&format!("{text}<odd/>")), None));
        let first = key(
            false,
            Algorithm::Sha256,
            "kzBZbkqJ3ADrj7v08reD1qcWUwNGHaidNUgD7nHpiw8=",
        );
        assert!(!first.fits(&info(&text), None));
    }

    #[test]
    fn the_second_way_with_a_form() {
        let text = "<identity category='client' type='pc' name='n'/><feature var='f'/>\
            <x xmlns='jabber:x:data' type='result'><field var='FORM_TYPE' type='hidden'><value>k</value></field>\
            <field var='b'><value>2</value><value>1</value></field></x>";
        let plain = second(&info(text), None).unwrap();
        let expected: &[u8] = b"f\x1f\x1cclient\x1fpc\x1f\x1fn\x1f\x1e\x1cFORM_TYPE\x1fk\x1f\x1eb\x1f1\x1f2\x1f\x1e\x1d\x1c";
        assert_eq!(plain, expected);
        assert_eq!(
            second(&info("<x xmlns='jabber:x:data' type='result'/>"), None),
            None
        );
    }

    #[test]
    fn an_inherited_language_counts() {
        let text = "<identity category='client' type='pc'/>";
        let plain = second(&info(text), Some("de")).unwrap();
        let right = key(true, Algorithm::Sha512, &Algorithm::Sha512.hash(&plain));
        assert!(right.fits(&info(text), Some("de")) && !right.fits(&info(text), None));
    }
}
