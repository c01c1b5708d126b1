//! What is wrong with the peer's octets.

/// A limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// Octets of one first-level element or of the stream header.
    Bytes,
    /// Nesting.
    Depth,
    /// Elements in one first-level element.
    Elements,
    /// Attributes of one element.
    Attributes,
}

/// Why a stream or document cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not XML (XML 1.0), with what is wrong.
    #[error("the XML is not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// XML that streams may not hold (RFC 6120 §11.1), with what it is.
    #[error("the XML holds what is forbidden here: {0}")]
    Restricted(&'static str),
    /// A prefix that is not declared, or a declaration that is forbidden (Namespaces in XML 1.0).
    #[error("the namespace prefix is not declared or misused")]
    Prefix,
    /// The declaration names another encoding than UTF-8, or the octets are not UTF-8 (RFC 6120 §4.9.3.22, §11.6).
    #[error("the encoding is not UTF-8")]
    Encoding,
    /// Text between first-level elements, or something else that a stream has no place for.
    #[error("the stream holds what it has no place for")]
    Format,
    /// A limit was passed.
    #[error("the limit on {0:?} was passed")]
    Limit(Which),
}

/// The stream error conditions that reading can meet (RFC 6120 §4.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `<bad-format/>`
    BadFormat,
    /// `<bad-namespace-prefix/>`: for callers that check the prefix of the header.
    BadNamespacePrefix,
    /// `<not-well-formed/>`
    NotWellFormed,
    /// `<policy-violation/>`
    PolicyViolation,
    /// `<restricted-xml/>`
    RestrictedXml,
    /// `<unsupported-encoding/>`
    UnsupportedEncoding,
}

impl ReadError {
    /// How a stream is ended because of it.
    pub fn condition(&self) -> Condition {
        match self {
            Self::NotWellFormed(_) => Condition::NotWellFormed,
            Self::Restricted(_) => Condition::RestrictedXml,
            // RFC 6120 §4.9.3.13 shows this very case; bad-namespace-prefix is for the prefix of the stream element itself.
            Self::Prefix => Condition::NotWellFormed,
            Self::Encoding => Condition::UnsupportedEncoding,
            Self::Format => Condition::BadFormat,
            Self::Limit(_) => Condition::PolicyViolation,
        }
    }
}
