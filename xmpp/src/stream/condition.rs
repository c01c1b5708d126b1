//! Why a stream ends: the conditions of RFC 6120 §4.9.3.

use std::fmt;

macro_rules! conditions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A stream error as XMPP names it; a stream never survives one (RFC 6120 §4.9.1.1).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum StreamCondition {
            $($(#[$doc])* $variant,)*
        }

        impl StreamCondition {
            /// All conditions, in the order of RFC 6120 §4.9.3.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name of the condition's element.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

conditions! {
    /// XML that cannot be processed (§4.9.3.1).
    BadFormat = "bad-format",
    /// A prefix that is not supported, or missing where one is needed (§4.9.3.2).
    BadNamespacePrefix = "bad-namespace-prefix",
    /// Another stream takes the place of this one (§4.9.3.3).
    Conflict = "conflict",
    /// The peer does not answer any more (§4.9.3.4).
    ConnectionTimeout = "connection-timeout",
    /// The domain was served here once (§4.9.3.5).
    HostGone = "host-gone",
    /// The domain is not served here (§4.9.3.6).
    HostUnknown = "host-unknown",
    /// An address that is missing or is none (§4.9.3.7).
    ImproperAddressing = "improper-addressing",
    /// A fault of the server's (§4.9.3.8).
    InternalServerError = "internal-server-error",
    /// The sender is not who it says (§4.9.3.9).
    InvalidFrom = "invalid-from",
    /// Neither the stream's nor the content's namespace may be this (§4.9.3.10).
    InvalidNamespace = "invalid-namespace",
    /// XML that breaks the schema (§4.9.3.11).
    InvalidXml = "invalid-xml",
    /// Not before authentication, or not at all (§4.9.3.12).
    NotAuthorized = "not-authorized",
    /// Not XML (§4.9.3.13).
    NotWellFormed = "not-well-formed",
    /// A limit was overstepped (§4.9.3.14).
    PolicyViolation = "policy-violation",
    /// Another server that is needed cannot be reached (§4.9.3.15).
    RemoteConnectionFailed = "remote-connection-failed",
    /// The stream must be negotiated anew (§4.9.3.16).
    Reset = "reset",
    /// The server has too little of something (§4.9.3.17).
    ResourceConstraint = "resource-constraint",
    /// A comment, processing instruction, DTD or entity (§4.9.3.18).
    RestrictedXml = "restricted-xml",
    /// Another host serves this (§4.9.3.19).
    SeeOtherHost = "see-other-host",
    /// The server stops (§4.9.3.20).
    SystemShutdown = "system-shutdown",
    /// None of the others (§4.9.3.21).
    UndefinedCondition = "undefined-condition",
    /// Not UTF-8 (§4.9.3.22).
    UnsupportedEncoding = "unsupported-encoding",
    /// A feature that must be negotiated is not supported (§4.9.3.23).
    UnsupportedFeature = "unsupported-feature",
    /// An element that means nothing here (§4.9.3.24).
    UnsupportedStanzaType = "unsupported-stanza-type",
    /// A version of XMPP that is not supported (§4.9.3.25).
    UnsupportedVersion = "unsupported-version",
}

impl StreamCondition {
    /// Reads a condition; an unknown one is `undefined-condition` (RFC 6120 §4.9.2).
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .iter()
            .copied()
            .find(|condition| condition.name() == name)
            .unwrap_or(Self::UndefinedCondition)
    }
}

impl fmt::Display for StreamCondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        assert_eq!(StreamCondition::ALL.len(), 25);
        for &condition in StreamCondition::ALL {
            assert_eq!(StreamCondition::from_name(condition.name()), condition);
        }
        assert_eq!(
            StreamCondition::from_name("made-up"),
            StreamCondition::UndefinedCondition
        );
    }
}
