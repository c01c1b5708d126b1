//! The kinds of listeners that speak TLS, and what each of them settles.

/// A kind of listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// XMPP after STARTTLS (RFC 6120 §5).
    XmppStartTls,
    /// XMPP over direct TLS (XEP-0368).
    XmppDirect,
    /// HTTP and what runs over it.
    Http,
    /// SIP (RFC 3261 §26.3).
    Sip,
}

impl Listener {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::XmppStartTls, Self::XmppDirect, Self::Http, Self::Sip];

    /// Protocol names for ALPN (RFC 7301), of the IANA registry. After STARTTLS the protocol is known, none is settled.
    pub fn protocols(self) -> &'static [&'static [u8]] {
        match self {
            Self::XmppStartTls => &[],
            Self::XmppDirect => &[b"xmpp-client"],
            Self::Http => &[b"h2", b"http/1.1"],
            // The registered name, and one that is met.
            Self::Sip => &[b"sip/2", b"sip"],
        }
    }

    /// Whether TLS 1.2 clients must have the extended master secret (RFC 7627), without which `tls-exporter` is not
    /// safe (RFC 9266 §4.2).
    pub fn requires_extended_master_secret(self) -> bool {
        matches!(self, Self::XmppStartTls | Self::XmppDirect)
    }
}
