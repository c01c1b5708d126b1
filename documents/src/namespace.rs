//! The namespaces that this crate understands, and the old names that phones still use for them.

/// RFC 3863.
pub(crate) const PIDF: &str = "urn:ietf:params:xml:ns:pidf";
/// RFC 4479.
pub(crate) const DATA_MODEL: &str = "urn:ietf:params:xml:ns:pidf:data-model";
/// RFC 4480.
pub(crate) const RPID: &str = "urn:ietf:params:xml:ns:pidf:rpid";
/// RFC 6121; RFC 8048 carries its show in PIDF.
pub(crate) const JABBER_CLIENT: &str = "jabber:client";
/// XEP-0319.
pub(crate) const IDLE: &str = "urn:xmpp:idle:1";
/// XEP-0203.
pub(crate) const DELAY: &str = "urn:xmpp:delay";
/// The namespace of `xml:lang`.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations themselves, which nobody may declare.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// What a namespace is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Pidf,
    DataModel,
    Rpid,
    Foreign,
}

/// Old names count as the present ones: the drafts before RFC 3863 and RFC 4480 are in phones that nobody will ever update.
pub(crate) fn kind(namespace: &str) -> Kind {
    match namespace {
        PIDF | "urn:ietf:params:xml:ns:cpim-pidf" | "urn:ietf:params:xml:ns:cpim-pidf:1.0" => {
            Kind::Pidf
        }
        DATA_MODEL
        | "urn:ietf:params:xml:ns:pidf:person"
        | "urn:ietf:params:xml:ns:pidf:device" => Kind::DataModel,
        RPID => Kind::Rpid,
        _ if namespace
            .strip_prefix("urn:ietf:params:xml:ns:pidf:")
            .is_some_and(|rest| {
                rest.starts_with("rpid:")
                    || rest.starts_with("rpid-")
                    || rest.starts_with("status:rpid")
            }) =>
        {
            Kind::Rpid
        }
        _ => Kind::Foreign,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_count() {
        assert_eq!(kind("urn:ietf:params:xml:ns:cpim-pidf"), Kind::Pidf);
        assert_eq!(
            kind("urn:ietf:params:xml:ns:pidf:status:rpid-status"),
            Kind::Rpid
        );
        assert_eq!(kind("urn:ietf:params:xml:ns:pidf:rpid-tuple"), Kind::Rpid);
        assert_eq!(kind("urn:ietf:params:xml:ns:pidf:caps"), Kind::Foreign);
        assert_eq!(kind("urn:ietf:params:xml:ns:pidf:rpidx"), Kind::Foreign);
    }
}
