//! Entity capabilities (XEP-0115): what the server can, as a hash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use xml::Writer;

use crate::stream::namespaces::CAPS;

use super::Extension;
use super::disco::{self, Identity};

/// Names the software together with its version (XEP-0115 §4).
pub const CAPS_NODE: &str = "adsum";

pub(super) const EXTENSION: Extension =
    Extension::new("Entity capabilities", "XEP-0115", "1.6.0", &[]).on_server(&[CAPS]);

/// A data form in an answer of service discovery (XEP-0128): its `FORM_TYPE`, and its other fields with their values.
pub(super) struct Form<'a> {
    pub(super) kind: &'a str,
    pub(super) fields: Vec<(&'a str, Vec<&'a str>)>,
}

/// The verification string (XEP-0115 §5.1), hashed with SHA-1. Everything is sorted by octets.
pub(super) fn verification(
    identities: &[Identity<'_>],
    features: &[&str],
    forms: &[Form<'_>],
) -> String {
    STANDARD.encode(Sha1::digest(plain(identities, features, forms)))
}

fn plain(identities: &[Identity<'_>], features: &[&str], forms: &[Form<'_>]) -> String {
    let mut identities: Vec<String> = identities
        .iter()
        .map(|i| format!("{}/{}/{}/{}", i.category, i.type_, i.lang, i.name))
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
    let mut forms: Vec<&Form<'_>> = forms.iter().collect();
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

/// Writes `<c/>` for stream features or presence (XEP-0115 §4, §6.3).
pub(in crate::client) fn write(to: &mut Writer<'_>, verification: &str) {
    to.start("c").attribute("xmlns", CAPS);
    to.attribute("hash", "sha-1");
    to.attribute("node", CAPS_NODE);
    to.attribute("ver", verification);
    to.end();
}

/// Of the server itself.
pub(in crate::client) fn of_server() -> String {
    verification(&[disco::SERVER_IDENTITY], &disco::server_features(), &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: [&str; 4] = [
        "http://jabber.org/protocol/muc",
        CAPS,
        "http://jabber.org/protocol/disco#items",
        "http://jabber.org/protocol/disco#info",
    ];

    fn client<'a>(lang: &'a str, name: &'a str) -> Identity<'a> {
        Identity {
            category: "client",
            type_: "pc",
            lang,
            name,
        }
    }

    #[test]
    fn the_simple_example_of_the_specification() {
        assert_eq!(
            verification(&[client("", "Exodus 0.9.1")], &FEATURES, &[]),
            "QgayPKawpkPSDYmwT/WM94uAlu0="
        );
    }

    #[test]
    fn the_complex_example_of_the_specification() {
        let form = Form {
            kind: "urn:xmpp:dataforms:softwareinfo",
            fields: vec![
                ("software", vec!["Psi"]),
                ("software_version", vec!["0.11"]),
                ("os", vec!["Mac"]),
                ("ip_version", vec!["ipv6", "ipv4"]),
                ("os_version", vec!["10.5.1"]),
            ],
        };
        assert_eq!(
            verification(
                &[client("en", "Psi 0.11"), client("el", "\u{3a8} 0.11")],
                &FEATURES,
                &[form]
            ),
            "q07IKJEyjvHSyhy//CH0CxmKi8w="
        );
    }
}
