//! Where responses go (RFC 3261 §18.2, RFC 3581 §4).

use std::{
    io::Write as _,
    net::{IpAddr, SocketAddr},
};

use crate::{
    header::{Transport, via},
    message::{HeaderName, Request, Response},
    params,
    syntax::{find_outside, push_ipv4, push_number, trim},
    uri::Host,
};

/// Notes in the topmost Via where a request came from.
///
/// `received` is set if sent-by differs from the source or `rport` asks for it, and `rport` gets the
/// source's port. What the sender claims in them is overwritten or removed. The rest of the Via stays as
/// it was written, for clients compare it.
pub fn stamp_received(request: &mut Request, source: SocketAddr) {
    let Some(text) = request.headers.get(&HeaderName::Via) else {
        return;
    };
    let end = find_outside(text, b',').unwrap_or(text.len());
    let (first, others) = text.split_at(end);
    let Ok(via) = via::split(trim(first)) else {
        return;
    };
    let ip = source.ip().to_canonical();
    let asked = via.has_rport();
    let same = via.host.parse() == Ok(ip)
        || via.host.starts_with('[')
            && Host::parse(via.host).is_ok_and(|h| h.ip().map(|h| h.to_canonical()) == Some(ip));
    if !asked && same && params::lookup(via.params, "received").is_none() {
        return;
    }
    let stamped = stamp(first, &via, others, (asked, !same), ip, source.port());
    request.headers.replace_first(&HeaderName::Via, stamped);
}

/// The Via with what is true in the place of what was claimed.
fn stamp(
    first: &str,
    via: &via::Parts<'_>,
    others: &str,
    (asked, differs): (bool, bool),
    ip: IpAddr,
    port: u16,
) -> Vec<u8> {
    let sent_by = trim(first.split(';').next().unwrap_or(first));
    let mut out = Vec::with_capacity(first.len() + others.len() + 40);
    out.extend_from_slice(sent_by.as_bytes());
    let (mut has_rport, mut has_received) = (!asked, !(asked || differs));
    for (name, value) in params::Iter::new(via.params) {
        let rport = asked && name.eq_ignore_ascii_case("rport");
        let received = name.eq_ignore_ascii_case("received");
        if (rport && has_rport) || (received && has_received) {
            continue;
        }
        out.push(b';');
        out.extend_from_slice(name.as_bytes());
        if rport {
            has_rport = true;
            out.push(b'=');
            push_number(&mut out, port.into());
        } else if received {
            has_received = true;
            push_ip(&mut out, ip);
        } else if let Some(value) = value {
            out.push(b'=');
            out.extend_from_slice(value.as_bytes());
        }
    }
    if !has_received {
        out.extend_from_slice(b";received");
        push_ip(&mut out, ip);
    }
    out.extend_from_slice(others.as_bytes());
    out
}

fn push_ip(out: &mut Vec<u8>, ip: IpAddr) {
    out.push(b'=');
    match ip {
        IpAddr::V4(ip) => push_ipv4(out, ip),
        // Writing to a vector does not fail.
        IpAddr::V6(ip) => drop(write!(out, "{ip}")),
    }
}

/// Where to send a response to, if the connection the request came over is gone or there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseTarget {
    /// The transport of the topmost Via.
    pub transport: Transport,
    /// An address, or a name to be resolved (RFC 3263 §5) if the Via was not stamped.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// The target of a response by its topmost Via (RFC 3261 §18.2.2, RFC 3581 §4); `None` without a
/// readable one. Over a stream the connection of the request comes first, which only the driver knows.
///
/// `maddr` is not obeyed: it would let a sender direct responses at anybody, and multicast, which it is
/// for, is not served.
pub fn response_target(response: &Response) -> Option<ResponseTarget> {
    let via = response.headers.via().ok()?;
    let port = via.port_or_default();
    let target = match (via.received(), via.rport()) {
        (Some(ip), Some(Some(rport))) if !via.transport.is_reliable() => (Host::Ip(ip), rport),
        (Some(ip), _) => (Host::Ip(ip), port),
        (None, _) => (via.host, port),
    };
    Some(ResponseTarget {
        transport: via.transport,
        host: target.0,
        port: target.1,
    })
}

impl Response {
    /// Whether a response is for this element: it has one Via. An endpoint discards one with more, which
    /// was misrouted or is meant to be reflected (RFC 3261 §8.1.3.3, RFC 4475 §3.3.10).
    pub fn has_single_via(&self) -> bool {
        self.headers.list(&HeaderName::Via).count() == 1
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::message::{Message, parse};

    fn request(via: &str) -> Request {
        let text = format!(
            "OPTIONS sip:a.example SIP/2.0\r\nVia: {via}\r\nFrom: <sip:b@b.example>;tag=1\r\n\
             To: <sip:a.example>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n"
        );
        let Message::Request(request) = parse(&Bytes::from(text)).unwrap() else {
            unreachable!("a request was written")
        };
        request
    }

    /// The Via after stamping, and where the response goes.
    fn stamped(via: &str, source: &str) -> (String, String) {
        let mut request = request(via);
        stamp_received(&mut request, source.parse().unwrap());
        let response = Response::for_request(&request, 200);
        let target = response_target(&response).unwrap();
        let via = response.headers.get(&HeaderName::Via).unwrap().to_owned();
        (
            via,
            format!("{} {} {}", target.transport, target.host, target.port),
        )
    }

    #[test]
    fn responses_go_where_requests_came_from() {
        for (via, source, expected, target) in [
            (
                "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
                "192.0.2.1:5070",
                "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
                "UDP 192.0.2.1 5060",
            ),
            (
                "SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bK1",
                "192.0.2.1:9988",
                "SIP/2.0/UDP 10.1.1.1:4540;rport=9988;branch=z9hG4bK1;received=192.0.2.1",
                "UDP 192.0.2.1 9988",
            ),
            (
                "SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK1",
                "192.0.2.1:5070",
                "SIP/2.0/UDP 192.0.2.1:5070;rport=5070;branch=z9hG4bK1;received=192.0.2.1",
                "UDP 192.0.2.1 5070",
            ),
            (
                "SIP/2.0/TCP phone.invalid:1;branch=z9hG4bK1;rport , SIP/2.0/UDP x;branch=a",
                "[2001:db8::1]:40000",
                "SIP/2.0/TCP phone.invalid:1;branch=z9hG4bK1;rport=40000;received=2001:db8::1, \
                 SIP/2.0/UDP x;branch=a",
                "TCP [2001:db8::1] 1",
            ),
            (
                "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;received=203.0.113.9;maddr=203.0.113.9",
                "[::ffff:192.0.2.1]:5060",
                "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;maddr=203.0.113.9",
                "UDP 192.0.2.1 5060",
            ),
        ] {
            let (stamped, to) = stamped(via, source);
            assert_eq!(stamped.replace(" ,", ","), expected);
            assert_eq!(to, target, "{via}");
        }
    }
}
