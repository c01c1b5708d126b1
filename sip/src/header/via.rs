//! Via (RFC 3261 §20.42, RFC 3581).

use std::{borrow::Cow, fmt, net::IpAddr};

use crate::{
    Malformed,
    params::{self, Params},
    syntax::{is_token, split_byte, split_space, trim},
    uri::{Host, parse_ipv6, split_host_port},
};

/// A transport protocol, as Via names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Transport {
    /// UDP
    Udp,
    /// TCP
    Tcp,
    /// TLS over TCP
    Tls,
    /// WebSocket (RFC 7118)
    Ws,
    /// WebSocket over TLS (RFC 7118)
    Wss,
    /// Any other token, as written.
    Other(Box<str>),
}

impl Transport {
    /// Takes a token, without regard to case; `None` if `text` is none.
    pub fn from_token(text: &str) -> Option<Self> {
        let known = [Self::Udp, Self::Tcp, Self::Tls, Self::Ws, Self::Wss];
        for transport in known {
            if transport.as_str().eq_ignore_ascii_case(text) {
                return Some(transport);
            }
        }
        is_token(text.as_bytes()).then(|| Self::Other(text.into()))
    }

    /// The token of Via, e.g. `UDP`.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Ws => "WS",
            Self::Wss => "WSS",
            Self::Other(text) => text,
        }
    }

    /// Whether delivery is reliable: transactions do not retransmit (RFC 3261 §17).
    pub fn is_reliable(&self) -> bool {
        match self {
            Self::Udp => false,
            Self::Tcp | Self::Tls | Self::Ws | Self::Wss => true,
            Self::Other(text) => !text.eq_ignore_ascii_case("DTLS-UDP"),
        }
    }

    /// The port to use where none is written: 5061 for TLS, 80 and 443 for WebSocket, else 5060.
    pub fn default_port(&self) -> u16 {
        self.vocabulary()
            .map_or(5060, |transport| *transport.default_port().value())
    }

    /// Whether the peer's bytes come encrypted.
    pub fn is_secure(&self) -> bool {
        self.vocabulary()
            .is_some_and(|transport| transport.is_secure())
    }

    /// The same in the words of rsip, which knows ports and protection of each.
    fn vocabulary(&self) -> Option<rsip::Transport> {
        Some(match self {
            Self::Udp => rsip::Transport::Udp,
            Self::Tcp => rsip::Transport::Tcp,
            Self::Tls => rsip::Transport::Tls,
            Self::Ws => rsip::Transport::Ws,
            Self::Wss => rsip::Transport::Wss,
            Self::Other(text) if text.eq_ignore_ascii_case("SCTP") => rsip::Transport::Sctp,
            Self::Other(text) if text.eq_ignore_ascii_case("TLS-SCTP") => rsip::Transport::TlsSctp,
            Self::Other(_) => return None,
        })
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One member of the Via list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The transport.
    pub transport: Transport,
    /// Host of sent-by.
    pub host: Host,
    /// Port of sent-by.
    pub port: Option<u16>,
    /// Parameters.
    pub params: Params,
}

/// What every branch begins with that RFC 3261 makes unique (§8.1.1.7).
pub const MAGIC_COOKIE: &str = "z9hG4bK";

const ERROR: Malformed = Malformed { what: "Via" };

impl Via {
    /// A Via with a branch and, to learn the own address, an empty `rport` (RFC 3581 §3).
    pub fn new(transport: Transport, host: Host, port: Option<u16>, branch: &str) -> Self {
        Self {
            transport,
            host,
            port,
            params: Params::new()
                .with("rport", None)
                .with("branch", Some(branch)),
        }
    }

    /// Reads one member of the list. Any version and odd parameters are taken, so that a 505 or 400 finds
    /// its way; messages that were accepted have neither in their topmost Via.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let parts = split(text)?;
        Ok(Self {
            transport: Transport::from_token(parts.transport).ok_or(ERROR)?,
            host: Host::parse(parts.host).map_err(|_| ERROR)?,
            port: parts.port,
            params: Params::from_checked(parts.params),
        })
    }

    /// Checks one member of the list like [`Via::parse`], and that version and parameters are in order.
    pub(crate) fn check(text: &str) -> Result<(), Malformed> {
        let parts = split(text)?;
        params::check(parts.params, "Via")?;
        if parts.version == "2.0" {
            Ok(())
        } else {
            Err(ERROR)
        }
    }

    /// The `branch` parameter.
    pub fn branch(&self) -> Option<&str> {
        self.params
            .get("branch")
            .filter(|branch| !branch.is_empty())
    }

    /// The branch if it is one of RFC 3261: it begins with the cookie, in any case, and goes on behind it
    /// (RFC 4475 §3.2.1).
    pub fn unique_branch(&self) -> Option<&str> {
        unique(self.branch()?)
    }

    /// The `received` parameter; IPv6 with or without brackets (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        let text = self.params.get("received")?;
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        match bare.unwrap_or(text).parse() {
            Ok(ip) => Some(ip),
            Err(_) => parse_ipv6(bare.unwrap_or(text)).map(IpAddr::V6),
        }
    }

    /// The `rport` parameter: `Some(None)` if it asks, `Some(Some(port))` if it is filled (RFC 3581 §4).
    pub fn rport(&self) -> Option<Option<u16>> {
        let value = self.params.get("rport")?;
        Some(value.parse().ok())
    }

    /// The `maddr` parameter.
    pub fn maddr(&self) -> Option<Host> {
        Host::parse(self.params.get("maddr")?).ok()
    }

    /// The port of sent-by, or the default of the transport.
    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or_else(|| self.transport.default_port())
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/2.0/{} {}", self.transport, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}", self.params)
    }
}

/// One member of the Via list as text, checked as [`Via::parse`] does.
pub(crate) struct Parts<'a> {
    version: &'a str,
    pub(crate) transport: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    pub(crate) params: &'a str,
}

impl<'a> Parts<'a> {
    /// The `branch` parameter; an empty one is none.
    pub(crate) fn branch(&self) -> Option<&'a str> {
        params::lookup(self.params, "branch").filter(|branch| !branch.is_empty())
    }

    /// Whether `rport` is there.
    pub(crate) fn has_rport(&self) -> bool {
        params::lookup(self.params, "rport").is_some()
    }

    /// The host as it is printed, which is the same for each way to write an IPv6 address.
    pub(crate) fn plain_host(&self) -> Cow<'a, str> {
        if self.host.starts_with('[')
            && let Ok(host) = Host::parse(self.host)
        {
            return Cow::Owned(host.to_string());
        }
        Cow::Borrowed(self.host)
    }

    /// The port of sent-by, or the default of the transport.
    pub(crate) fn port_or_default(&self) -> u16 {
        let default = || match self.transport {
            "UDP" | "TCP" => 5060,
            other => Transport::from_token(other).map_or(5060, |t| t.default_port()),
        };
        self.port.unwrap_or_else(default)
    }
}

/// The branch if it is one of RFC 3261 ([`Via::unique_branch`]).
pub(crate) fn unique(branch: &str) -> Option<&str> {
    let cookie = branch.get(..MAGIC_COOKIE.len())?;
    (branch.len() > MAGIC_COOKIE.len() && cookie.eq_ignore_ascii_case(MAGIC_COOKIE))
        .then_some(branch)
}

/// `SIP / 2.0 / UDP host:port ;params`, with white space around the slashes and the colon.
pub(crate) fn split(text: &str) -> Result<Parts<'_>, Malformed> {
    let (name, rest) = split_byte(text, b'/').ok_or(ERROR)?;
    let (version, rest) = split_byte(rest, b'/').ok_or(ERROR)?;
    let version = trim(version);
    if !trim(name).eq_ignore_ascii_case("SIP") || !is_token(version.as_bytes()) {
        return Err(ERROR);
    }
    let rest = trim(rest);
    let (transport, rest) = split_space(rest).ok_or(ERROR)?;
    if !is_token(transport.as_bytes()) {
        return Err(ERROR);
    }
    let end = memchr::memchr(b';', rest.as_bytes()).unwrap_or(rest.len());
    let (sent_by, params) = rest.split_at(end);
    let (host, port) = read_sent_by(trim(sent_by))?;
    Host::check(host).map_err(|_| ERROR)?;
    let params = trim(params);
    Ok(Parts {
        version,
        transport,
        host,
        port,
        params,
    })
}

/// Host and port, with white space around the colon.
fn read_sent_by(text: &str) -> Result<(&str, Option<u16>), Malformed> {
    if memchr::memchr2(b' ', b'\t', text.as_bytes()).is_none() {
        return split_host_port(text).map_err(|_| ERROR);
    }
    let (host, port) = text.rsplit_once(':').ok_or(ERROR)?;
    let port = trim(port);
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ERROR);
    }
    Ok((trim(host), Some(port.parse().map_err(|_| ERROR)?)))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn vias_are_read_and_printed() {
        let via =
            Via::parse("sip / 2.0 / udp  [2001:db8::1] : 5070 ; branch = z9hG4bKa;rport;ttl=1")
                .unwrap();
        assert_eq!(via.transport, Transport::Udp);
        assert_eq!(via.port, Some(5070));
        assert_eq!(via.unique_branch(), Some("z9hG4bKa"));
        assert_eq!(via.rport(), Some(None));
        assert_eq!(via.received(), None);
        let made = Via::new(Transport::Tls, via.host, None, "z9hG4bKb");
        assert_eq!(
            made.to_string(),
            "SIP/2.0/TLS [2001:db8::1];rport;branch=z9hG4bKb"
        );
        assert_eq!(made.port_or_default(), 5061);
        for text in [
            "SIP/2.0/UDP",
            "SIP/2.0/UDP a b",
            "SIP/2.0/UDP a:",
            "HTTP/2.0/UDP a",
            "SIP/2.0/U@ a",
            "SIP/2.0/UDP a:70000",
        ] {
            assert!(Via::parse(text).is_err(), "{text}");
        }
        assert!(Via::check("SIP/2.0/UDP a;branch=1;branch=2").is_err());
        assert!(Via::check("SIP/3.0/UDP a").is_err());
    }

    #[test]
    fn transports_know_their_ports() {
        let ports = ["UDP", "TCP", "tls", "WS", "WSS", "SCTP", "X"]
            .map(|text| Transport::from_token(text).unwrap())
            .map(|transport| (transport.default_port(), transport.is_secure()));
        assert_eq!(
            ports,
            [
                (5060, false),
                (5060, false),
                (5061, true),
                (80, false),
                (443, true),
                (5060, false),
                (5060, false)
            ]
        );
        assert_eq!(Transport::from_token("a b"), None);
    }
}
