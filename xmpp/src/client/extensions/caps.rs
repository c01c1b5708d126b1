//! Entity capabilities (XEP-0115): what the server can, as a hash. What clients can is in [`crate::client`]'s `capabilities`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use services::caps::{CAPS2, V1Form, V1Identity, plain_v1};
use sha1::{Digest, Sha1};
use xml::Writer;

use crate::stream::namespaces::CAPS;

use super::Extension;
use super::{contact, disco};

/// Names the software together with its version (XEP-0115 §4).
pub const CAPS_NODE: &str = "adsum";

pub(super) const EXTENSION: Extension =
    Extension::new("Entity capabilities", "XEP-0115", "1.6.0", &[]).on_server(&[CAPS]);

/// Read from clients; of the server itself it is not told.
pub(super) const SECOND: Extension =
    Extension::new("Entity capabilities 2.0", "XEP-0390", "0.3.2", &[]).on_server(&[CAPS2]);

/// Writes `<c/>` for stream features or presence (XEP-0115 §4, §6.3).
pub(in crate::client) fn write(to: &mut Writer<'_>, verification: &str) {
    to.start("c").attribute("xmlns", CAPS);
    to.attribute("hash", "sha-1");
    to.attribute("node", CAPS_NODE);
    to.attribute("ver", verification);
    to.end();
}

/// Of the server itself.
pub(in crate::client) fn of_server(contacts: &[(&'static str, Vec<String>)]) -> String {
    let us = disco::SERVER_IDENTITY;
    let us = V1Identity {
        category: us.category,
        kind: us.type_,
        lang: "",
        name: us.name,
    };
    let fields = contacts.iter().map(|(var, addresses)| {
        let addresses = addresses.iter().map(String::as_str).collect();
        (*var, addresses)
    });
    let form = V1Form {
        kind: contact::KIND,
        fields: fields.collect(),
    };
    let forms = if contacts.is_empty() {
        vec![]
    } else {
        vec![form]
    };
    let plain = plain_v1(&[us], &disco::server_features(), &forms);
    STANDARD.encode(Sha1::digest(plain))
}
