//! Where messages come from and go to.

use std::{
    fmt,
    io::Write as _,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use thiserror::Error;

use crate::{
    header::Transport,
    syntax::{push_ipv4, push_number},
};

/// A way between this server and a peer: addresses of both ends, and for streams the connection.
///
/// Printed as `udp:192.0.2.1:5060/192.0.2.9:5060#7`: transport, remote, then local address and number of
/// the connection where they are known. [`FromStr`] reads that back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// The address of this end; unspecified (port 0) where it does not matter.
    pub local: SocketAddr,
    /// The address of the peer.
    pub remote: SocketAddr,
    /// The driver's number of a TCP, TLS or WebSocket connection. `None` for UDP, and for a stream that
    /// the driver is to look up by `remote` or to open. Numbers are never used again.
    pub connection: Option<u64>,
}

/// Text that is no [`Flow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a flow")]
pub struct FlowError;

impl Flow {
    /// A flow without connection.
    pub fn new(transport: Transport, local: SocketAddr, remote: SocketAddr) -> Self {
        Self {
            transport,
            local,
            remote,
            connection: None,
        }
    }

    /// A flow to `remote` from whatever local address fits.
    pub fn to(transport: Transport, remote: SocketAddr) -> Self {
        Self::new(transport, any_address(remote), remote)
    }

    /// `self` over a connection.
    pub fn with_connection(mut self, connection: u64) -> Self {
        self.connection = Some(connection);
        self
    }

    /// Whether delivery is reliable (RFC 3261 §17).
    pub fn is_reliable(&self) -> bool {
        self.transport.is_reliable()
    }

    /// Whether the peer's octets come encrypted.
    pub fn is_secure(&self) -> bool {
        self.transport.is_secure()
    }
}

/// The unspecified address of the family of `remote`, port 0.
fn any_address(remote: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    SocketAddr::new(ip, 0)
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::with_capacity(96);
        out.extend_from_slice(self.transport.as_str().as_bytes());
        out.make_ascii_lowercase();
        out.push(b':');
        push_address(&mut out, self.remote);
        if self.local != any_address(self.remote) {
            out.push(b'/');
            push_address(&mut out, self.local);
        }
        if let Some(connection) = self.connection {
            out.push(b'#');
            push_number(&mut out, connection);
        }
        f.write_str(std::str::from_utf8(&out).unwrap_or_default())
    }
}

fn push_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(v4) => {
            push_ipv4(out, *v4.ip());
            out.push(b':');
            push_number(out, v4.port().into());
        }
        // Writing to a vector does not fail.
        SocketAddr::V6(v6) => drop(write!(out, "{v6}")),
    }
}

impl FromStr for Flow {
    type Err = FlowError;

    fn from_str(text: &str) -> Result<Self, FlowError> {
        let (transport, rest) = text.split_once(':').ok_or(FlowError)?;
        let transport = Transport::from_token(transport).ok_or(FlowError)?;
        let (addresses, connection) = match rest.split_once('#') {
            Some((addresses, number)) => {
                let number = number.parse().map_err(|_| FlowError)?;
                (addresses, Some(number))
            }
            None => (rest, None),
        };
        let (remote, local) = match addresses.split_once('/') {
            Some((remote, local)) => (remote, Some(local)),
            None => (addresses, None),
        };
        let remote = remote.parse().map_err(|_| FlowError)?;
        let local = match local {
            Some(local) => local.parse().map_err(|_| FlowError)?,
            None => any_address(remote),
        };
        Ok(Self {
            transport,
            local,
            remote,
            connection,
        })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn flows_are_printed_and_read_back() {
        for text in [
            "udp:192.0.2.1:5060",
            "udp:192.0.2.1:5060/192.0.2.9:5060",
            "tls:[2001:db8::1]:40000/[2001:db8::9]:5061#7",
            "wss:[2001:db8::1]:40000#18446744073709551615",
        ] {
            let flow: Flow = text.parse().unwrap();
            assert_eq!(flow.to_string(), text);
        }
        let flow: Flow = "tcp:192.0.2.1:5060#7".parse().unwrap();
        assert_eq!(flow.connection, Some(7));
        assert_eq!(flow.local, "0.0.0.0:0".parse().unwrap());
        assert!(flow.is_reliable() && !flow.is_secure());
        for text in [
            "",
            "udp",
            "udp:x",
            "udp:192.0.2.1:5060#",
            "u p:192.0.2.1:1",
            "udp:192.0.2.1:1/x",
        ] {
            assert!(text.parse::<Flow>().is_err(), "{text}");
        }
    }
}
