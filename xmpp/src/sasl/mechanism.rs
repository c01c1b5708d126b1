//! The mechanisms, and which of them a stream may use (RFC 4422, RFC 5802 §6, XEP-0440).

use super::downgrade::OfferDigests;
use super::failure::Failure;
use super::hash::Hash;
use std::fmt;
use std::sync::Arc;

/// A SASL mechanism; the order is that of strength, strongest first, which is how they are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mechanism {
    /// SCRAM-SHA-512 bound to the TLS channel.
    ScramSha512Plus,
    /// SCRAM-SHA-256 bound to the TLS channel (RFC 7677).
    ScramSha256Plus,
    /// SCRAM-SHA-1 bound to the TLS channel (RFC 5802).
    ScramSha1Plus,
    /// SCRAM-SHA-512.
    ScramSha512,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// SCRAM-SHA-1 (RFC 5802).
    ScramSha1,
    /// The password in clear (RFC 4616).
    Plain,
}

impl Mechanism {
    /// All mechanisms, strongest first.
    pub const ALL: [Self; 7] = [
        Self::ScramSha512Plus,
        Self::ScramSha256Plus,
        Self::ScramSha1Plus,
        Self::ScramSha512,
        Self::ScramSha256,
        Self::ScramSha1,
        Self::Plain,
    ];

    /// The registered name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha512Plus => "SCRAM-SHA-512-PLUS",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::Plain => "PLAIN",
        }
    }

    /// Reads a registered name; they are upper case and compared as they are (RFC 4422 §3.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name() == name)
    }

    /// The hash of a SCRAM mechanism; `None` for PLAIN.
    pub const fn hash(self) -> Option<Hash> {
        match self {
            Self::ScramSha512Plus | Self::ScramSha512 => Some(Hash::Sha512),
            Self::ScramSha256Plus | Self::ScramSha256 => Some(Hash::Sha256),
            Self::ScramSha1Plus | Self::ScramSha1 => Some(Hash::Sha1),
            Self::Plain => None,
        }
    }

    /// Whether it is bound to the TLS channel.
    pub const fn binds_channel(self) -> bool {
        matches!(
            self,
            Self::ScramSha512Plus | Self::ScramSha256Plus | Self::ScramSha1Plus
        )
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A channel binding type that is supported here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding {
    /// `tls-exporter` (RFC 9266).
    TlsExporter,
    /// `tls-server-end-point` (RFC 5929 §4).
    TlsServerEndPoint,
}

impl Binding {
    /// The registered name, as `p=` and XEP-0440 use it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TlsExporter => "tls-exporter",
            Self::TlsServerEndPoint => "tls-server-end-point",
        }
    }
}

/// The channel binding data of one TLS connection; empty on a plain one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelBindings {
    /// 32 bytes exported with the label `EXPORTER-Channel-Binding` and an empty context (RFC 9266 §2); on TLS 1.2 only
    /// with the extended master secret (RFC 7627).
    pub exporter: Option<Vec<u8>>,
    /// The hash of the server's certificate (RFC 5929 §4.1).
    pub server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// The types that can be used here, in the order in which XEP-0440 lists them.
    pub fn supported(&self) -> Vec<Binding> {
        let both = [Binding::TlsExporter, Binding::TlsServerEndPoint];
        both.into_iter()
            .filter(|binding| self.data(binding.name()).is_some())
            .collect()
    }

    /// The data of a type by its registered name; `None` when it is not available on this connection.
    pub fn data(&self, name: &str) -> Option<&[u8]> {
        let data = match name {
            "tls-exporter" => self.exporter.as_deref(),
            "tls-server-end-point" => self.server_end_point.as_deref(),
            _ => None,
        };
        data.filter(|bytes| !bytes.is_empty())
    }

    /// Whether any type can be used, which is when the -PLUS mechanisms are offered.
    pub fn any(&self) -> bool {
        !self.supported().is_empty()
    }
}

/// What SASL has to know of the stream it runs on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// TLS is in place.
    pub encrypted: bool,
    /// `[xmpp] require_tls`: nothing is negotiated on a stream without TLS.
    pub require_tls: bool,
    /// What TLS gives to bind to.
    pub bindings: ChannelBindings,
    /// Not every account has keys for SHA-512, so it is not offered: a client would take its failure for a wrong password.
    pub without_sha512: bool,
    /// What the client was offered, for its protection against a downgrade (XEP-0474); `None`: it is told nothing.
    pub digests: Option<Arc<OfferDigests>>,
}

impl Channel {
    /// The mechanisms to offer, strongest first; none when TLS must come before (RFC 6120 §6.4.1).
    pub fn offered(&self) -> Vec<Mechanism> {
        Mechanism::ALL
            .into_iter()
            .filter(|&mechanism| self.check(mechanism).is_ok())
            .collect()
    }

    /// The mechanism that a client asks for, when it is on offer.
    ///
    /// # Errors
    /// `invalid-mechanism` for what is unknown or needs a binding that is missing, `encryption-required` for what needs TLS first.
    pub fn select(&self, name: &str) -> Result<Mechanism, Failure> {
        let mechanism = Mechanism::from_name(name).ok_or(Failure::InvalidMechanism)?;
        self.check(mechanism).map(|()| mechanism)
    }

    fn check(&self, mechanism: Mechanism) -> Result<(), Failure> {
        if self.require_tls && !self.encrypted {
            return Err(Failure::EncryptionRequired);
        }
        let is_withheld = self.without_sha512 && mechanism.hash() == Some(Hash::Sha512);
        if is_withheld || (mechanism.binds_channel() && !self.bindings.any()) {
            return Err(Failure::InvalidMechanism);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(encrypted: bool, require_tls: bool, exporter: &[u8]) -> Channel {
        let bindings = ChannelBindings {
            exporter: Some(exporter.to_vec()),
            server_end_point: None,
        };
        Channel {
            encrypted,
            require_tls,
            bindings,
            ..Channel::default()
        }
    }

    fn names(channel: &Channel) -> Vec<&'static str> {
        channel.offered().into_iter().map(Mechanism::name).collect()
    }

    #[test]
    fn strongest_first() {
        assert_eq!(
            names(&channel(true, true, b"x")),
            [
                "SCRAM-SHA-512-PLUS",
                "SCRAM-SHA-256-PLUS",
                "SCRAM-SHA-1-PLUS",
                "SCRAM-SHA-512",
                "SCRAM-SHA-256",
                "SCRAM-SHA-1",
                "PLAIN"
            ]
        );
        assert!(Mechanism::ALL.is_sorted());
    }

    #[test]
    fn no_binding_no_plus() {
        assert_eq!(
            names(&channel(true, true, b"")),
            ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
        );
        assert_eq!(
            channel(true, true, b"").select("SCRAM-SHA-1-PLUS"),
            Err(Failure::InvalidMechanism)
        );
    }

    #[test]
    fn sha_512_is_withheld_whole() {
        let channel = Channel {
            without_sha512: true,
            ..channel(true, true, b"x")
        };
        assert!(!names(&channel).iter().any(|name| name.contains("512")));
        for name in ["SCRAM-SHA-512", "SCRAM-SHA-512-PLUS"] {
            assert_eq!(channel.select(name), Err(Failure::InvalidMechanism));
        }
    }

    #[test]
    fn nothing_before_tls_where_it_is_required() {
        let before = channel(false, true, b"");
        assert!(before.offered().is_empty());
        assert_eq!(before.select("PLAIN"), Err(Failure::EncryptionRequired));
        assert_eq!(
            before.select("SCRAM-SHA-256"),
            Err(Failure::EncryptionRequired)
        );
        assert_eq!(before.select("CRAM-MD5"), Err(Failure::InvalidMechanism));
    }

    #[test]
    fn plain_text_where_it_is_allowed() {
        assert_eq!(
            names(&channel(false, false, b"")),
            ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
        );
    }

    #[test]
    fn names_are_taken_literally() {
        let channel = channel(true, true, b"x");
        for mechanism in Mechanism::ALL {
            assert_eq!(channel.select(mechanism.name()), Ok(mechanism));
            assert_eq!(mechanism.to_string(), mechanism.name());
        }
        for wrong in ["", "plain", " PLAIN", "SCRAM-SHA-384"] {
            assert_eq!(channel.select(wrong), Err(Failure::InvalidMechanism));
        }
    }

    #[test]
    fn bindings_are_listed_by_preference() {
        let bindings = ChannelBindings {
            exporter: Some(vec![1]),
            server_end_point: Some(vec![2]),
        };
        let names: Vec<_> = bindings
            .supported()
            .into_iter()
            .map(Binding::name)
            .collect();
        assert_eq!(names, ["tls-exporter", "tls-server-end-point"]);
        assert_eq!(bindings.data("tls-unique"), None);
        assert!(!ChannelBindings::default().any());
    }
}
