//! What makes a request belong to a server transaction (RFC 3261 §17.2.3).

use std::io::Write as _;

pub(super) use crate::message::tag;
use crate::{
    Method, Request,
    header::via::{self, Parts},
    syntax::push_number,
};

/// The key of a request and, if its branch is not unique, where the method begins in it.
pub(super) type Key<'a> = (&'a [u8], Option<usize>);

/// Writes the key of the transaction that `request` would belong to if its method was `method`; a request
/// matches a transaction if their keys are the same. For the ACK of an INVITE that is `INVITE` where the
/// branch is unique, else `ACK` with the To tag of the response (see [`ack_key`]).
///
/// The methods come last, so that keys of several can be made from one: returns where.
pub(super) fn write_key(
    out: &mut Vec<u8>,
    request: &Request,
    via: &Parts<'_>,
    method: &Method,
) -> usize {
    out.clear();
    let branch = via.branch().unwrap_or("");
    out.extend_from_slice(via.plain_host().as_bytes());
    out.push(b':');
    push_number(out, via.port_or_default().into());
    out.push(b' ');
    out.extend_from_slice(branch.as_bytes());
    out.make_ascii_lowercase();
    if via::unique(branch).is_some() {
        out.push(b'\n');
        let method = if *method == Method::Ack {
            &Method::Invite
        } else {
            method
        };
        let at = out.len();
        out.extend_from_slice(method.as_str().as_bytes());
        return at;
    }
    // As RFC 2543 did it: by what stays the same in a retransmission.
    let headers = &request.headers;
    let from_tag = headers.from_tag().unwrap_or_default();
    let number = headers.cseq().map_or(0, |cseq| cseq.number);
    let transport = via.transport.to_ascii_uppercase();
    // Writing to a vector does not fail.
    let _ = write!(
        out,
        "\n{} {from_tag} {} {number} {}\n",
        transport,
        headers.call_id().unwrap_or(""),
        request.uri.as_str(),
    );
    let at = out.len();
    let _ = write!(out, "{method} {}", headers.to_tag().unwrap_or_default());
    at
}

/// The key of the ACK for a response with `to_tag` to the INVITE with `key`, made without unique branch.
pub(super) fn ack_key(key: &[u8], method_at: usize, to_tag: &str) -> Box<[u8]> {
    let mut ack = key.get(..method_at).unwrap_or(key).to_vec();
    ack.extend_from_slice(b"ACK ");
    ack.extend_from_slice(to_tag.as_bytes());
    ack.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found_behind_the_address() {
        for (text, found) in [
            ("<sip:a@b;tag=x>", None),
            ("\"a;tag=x\" <sip:a@b;tag=y>;p=q; Tag = z", Some("z")),
            ("sip:a@b;tag=1", Some("1")),
            ("<sip:a@b>;tag=", None),
            ("sip:a@b", None),
        ] {
            assert_eq!(tag(text), found, "{text}");
        }
    }
}
