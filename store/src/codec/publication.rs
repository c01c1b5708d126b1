//! [`Publication`] without its resource, which is the key of its row.

use presence::{EntityTag, Native, Publication, Resource, Source};

use super::primitive::{Reader, Writer};
use super::{CodecError, document};

/// How many octets the native form has.
pub(crate) fn native_len(publication: &Publication) -> usize {
    match &publication.native {
        Native::None => 0,
        Native::Xmpp(octets) | Native::Pidf(octets) => octets.len(),
    }
}

/// Writes all but the resource.
pub(crate) fn encode(publication: &Publication) -> Vec<u8> {
    let mut w = Writer::new(128 + native_len(publication));
    match &publication.source {
        Source::Session => w.octet(0),
        Source::Sip { device } => {
            w.octet(1);
            w.text(device);
        }
        Source::Registration { device } => {
            w.octet(2);
            w.text(device);
        }
        Source::Manual => w.octet(3),
    }
    w.option(publication.etag.as_ref(), |w, tag| w.text(&tag.0));
    w.option(publication.expires, Writer::time);
    document::put(&mut w, &publication.document);
    match &publication.native {
        Native::None => w.octet(0),
        Native::Xmpp(octets) => {
            w.octet(1);
            w.octets(octets);
        }
        Native::Pidf(octets) => {
            w.octet(2);
            w.octets(octets);
        }
    }
    w.option(publication.lang.as_deref(), Writer::text);
    w.time(publication.changed);
    w.finish()
}

/// Reads what [`encode`] wrote, and waits for the resource.
pub(crate) fn decode(
    octets: &[u8],
) -> Result<impl FnOnce(Resource) -> Publication + use<>, CodecError> {
    let mut r = Reader::open(octets)?;
    let source = match r.octet()? {
        0 => Source::Session,
        1 => Source::Sip {
            device: r.shared()?,
        },
        2 => Source::Registration {
            device: r.shared()?,
        },
        3 => Source::Manual,
        other => return Err(CodecError::Tag("source", other)),
    };
    let etag = r.option(Reader::shared)?.map(EntityTag);
    let expires = r.option(Reader::time)?;
    let document = document::get(&mut r)?;
    let native = match r.octet()? {
        0 => Native::None,
        1 => Native::Xmpp(r.bytes()?),
        2 => Native::Pidf(r.bytes()?),
        other => return Err(CodecError::Tag("native form", other)),
    };
    let lang = r.option(Reader::shared)?;
    let changed = r.time()?;
    r.close()?;
    Ok(move |resource| Publication {
        resource,
        source,
        etag,
        expires,
        document,
        native,
        lang,
        changed,
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::samples;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn comes_back(publication in samples::publication()) {
            let octets = encode(&publication);
            prop_assert_eq!(decode(&octets).unwrap()(publication.resource.clone()), publication);
            for end in 0..octets.len() {
                prop_assert!(decode(&octets[..end]).is_err());
            }
        }
    }
}
