//! Hosts: domain names and IP addresses (RFC 3261 §25.1, RFC 5118).

use std::{
    fmt,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use crate::{Malformed, syntax::push_ipv4};

/// The host of a URI or of a Via's sent-by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A domain name, as written. Compare with [`Host::same`], which ignores case.
    Name(Box<str>),
    /// An address; IPv6 is printed in brackets.
    Ip(IpAddr),
}

impl Host {
    /// Reads `host`: a domain name, an IPv4 address or an IPv6 reference in brackets.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        const WHAT: Malformed = Malformed { what: "host" };
        if let Some(inner) = text.strip_prefix('[') {
            let inner = inner.strip_suffix(']').ok_or(WHAT)?;
            return parse_ipv6(inner).map(|ip| Self::Ip(ip.into())).ok_or(WHAT);
        }
        if let Some(ip) = parse_ipv4(text) {
            return Ok(Self::Ip(ip.into()));
        }
        if is_name(text) {
            Ok(Self::Name(text.into()))
        } else {
            Err(WHAT)
        }
    }

    /// Checks like [`Host::parse`].
    pub(crate) fn check(text: &str) -> Result<(), Malformed> {
        let valid = match text.strip_prefix('[') {
            Some(_) => return Self::parse(text).map(|_| ()),
            None => is_name(text),
        };
        valid.then_some(()).ok_or(Malformed { what: "host" })
    }

    /// Whether both are the same host: names without regard to case and a last dot, addresses by value.
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Name(a), Self::Name(b)) => {
                let (a, b) = (a.trim_end_matches('.'), b.trim_end_matches('.'));
                a.eq_ignore_ascii_case(b)
            }
            (Self::Ip(a), Self::Ip(b)) => a == b,
            _ => false,
        }
    }

    /// Whether `text` is a way to write this host.
    pub(crate) fn is(&self, text: &str) -> bool {
        match self {
            Self::Ip(std::net::IpAddr::V4(ip)) => text.parse() == Ok(*ip),
            Self::Ip(_) => Self::parse(text).is_ok_and(|other| self.same(&other)),
            Self::Name(name) => {
                let (a, b) = (name.trim_end_matches('.'), text.trim_end_matches('.'));
                a.eq_ignore_ascii_case(b)
            }
        }
    }

    /// Appends the host as it is printed.
    pub(crate) fn push_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Name(name) => out.extend_from_slice(name.as_bytes()),
            Self::Ip(IpAddr::V4(ip)) => push_ipv4(out, *ip),
            // Writing to a vector does not fail.
            Self::Ip(IpAddr::V6(ip)) => drop(write!(out, "[{ip}]")),
        }
    }

    /// The address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(ip) => Some(*ip),
            Self::Name(_) => None,
        }
    }
}

impl From<IpAddr> for Host {
    fn from(ip: IpAddr) -> Self {
        Self::Ip(ip)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Ip(IpAddr::V4(ip)) => ip.fmt(f),
            Self::Ip(IpAddr::V6(ip)) => write!(f, "[{ip}]"),
        }
    }
}

/// An IPv4 address, quickly ruled out for names.
fn parse_ipv4(text: &str) -> Option<Ipv4Addr> {
    if !text.bytes().last()?.is_ascii_digit() || !text.bytes().next()?.is_ascii_digit() {
        return None;
    }
    text.parse().ok()
}

/// An IPv6 address without brackets; the `:::` that the grammar of RFC 3261 makes is taken for `::`
/// (RFC 5118 §4.10).
pub(crate) fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    let (left, right) = text.split_once(":::")?;
    format!("{left}::{right}").parse().ok()
}

/// Whether `text` may be a domain name. Underscores are let through: many internal names have them.
fn is_name(text: &str) -> bool {
    let mut before = b'.';
    let valid = text.bytes().all(|b| {
        let dots = b == b'.' && before == b'.';
        before = b;
        !dots && (b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
    });
    valid && !text.is_empty() && text.len() <= 255 && !text.starts_with('-')
}

/// Splits `host [":" port]`; the port is not empty and at most 65535.
pub(crate) fn split_host_port(text: &str) -> Result<(&str, Option<u16>), Malformed> {
    const WHAT: Malformed = Malformed { what: "port" };
    let after = match text.strip_prefix('[') {
        Some(inner) => inner.find(']').map(|at| at + 2).ok_or(WHAT)?,
        None => memchr::memchr(b':', text.as_bytes()).unwrap_or(text.len()),
    };
    let (host, rest) = text.split_at(after);
    if rest.is_empty() {
        return Ok((host, None));
    }
    let port = rest.strip_prefix(':').ok_or(WHAT)?;
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err(WHAT);
    }
    Ok((host, Some(port.parse().map_err(|_| WHAT)?)))
}
