//! The ways on which a client speaks XMPP.

/// How stanzas travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Way {
    /// A stream over TCP (RFC 6120).
    #[default]
    Tcp,
    /// Requests that are held (XEP-0124, XEP-0206).
    Bosh,
    /// Frames (RFC 7395).
    Websocket,
}

impl Way {
    /// What it is called in names of scenarios.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Bosh => "bosh",
            Self::Websocket => "websocket",
        }
    }

    /// Where HTTP servers have it unless told otherwise.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Tcp => "",
            Self::Bosh => "/http-bind",
            Self::Websocket => "/xmpp-websocket",
        }
    }

    /// The protocol that TLS is asked for.
    pub(crate) fn alpn(self) -> &'static [u8] {
        match self {
            Self::Tcp => b"xmpp-client",
            Self::Bosh | Self::Websocket => b"http/1.1",
        }
    }
}
