//! The body of a BOSH request: what it carries can be read without it, and what it seems to say at a glance is what it says.
#![no_main]

use bosh::{Body, Claim, Limits};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use xml::Element;

fuzz_target!(|octets: &[u8]| {
    let limits = Limits {
        xml: xml::Limits {
            max_bytes: 64 * 1024,
            max_depth: 64,
            max_elements: None,
            max_attributes: 64,
        },
        elements: 1000,
    };
    let claim = Claim::read(octets);
    let Ok(body) = Body::parse(&Bytes::copy_from_slice(octets), limits) else {
        return;
    };
    assert!(claim.rid.is_none_or(|rid| rid == body.rid));
    assert!(claim.sid.is_none_or(|sid| Some(sid) == body.sid.as_deref()));
    for payload in &body.payloads {
        assert!(Element::parse(payload, "", xml::Limits::generous()).is_ok());
    }
});
