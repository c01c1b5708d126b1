//! gzip of answers, where the client takes it and it is worth it.

use std::cell::RefCell;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY,
};

use super::answer::Answer;

/// What is smaller goes in one packet all the same.
pub(super) const LEAST: usize = 1400;
/// What is larger would hold up the thread: such answers come compressed from where they are made.
const MOST: usize = 256 * 1024;

thread_local! {
    /// The state is large and is made once a thread.
    static STATE: RefCell<Option<Compress>> = const { RefCell::new(None) };
}

/// Compresses an answer, unless it is compressed, too small, of a type that it does nothing for, or named by an ETag.
pub(super) fn compress(takes_gzip: bool, answer: &mut Answer) {
    let headers = answer.headers();
    let size = answer.body().bytes().len();
    let worth = (LEAST..=MOST).contains(&size)
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(ETAG)
        && headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| shrinks(kind.as_bytes()));
    if !worth {
        return;
    }
    let accept = HeaderValue::from_static("Accept-Encoding");
    answer.headers_mut().append(VARY, accept);
    if !takes_gzip {
        return;
    }
    if let Some(small) = gzip_quickly(answer.body().bytes())
        && small.len() < size
    {
        answer.body_mut().exchange(small);
        let gzip = HeaderValue::from_static("gzip");
        answer.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
}

/// Whether a client takes gzip (RFC 9110 §12.5.3).
pub(super) fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for value in headers.get_all(ACCEPT_ENCODING) {
        for item in value.to_str().unwrap_or("").split(',') {
            let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = parameters
                .split(';')
                .filter_map(|parameter| parameter.split_once('='))
                .find(|(name, _)| name.trim().eq_ignore_ascii_case("q"))
                .map_or("1", |(_, weight)| weight.trim());
            let wanted = weight.parse::<f32>().is_ok_and(|weight| weight > 0.0);
            match coding.trim().to_ascii_lowercase().as_str() {
                "gzip" | "x-gzip" => return wanted,
                "*" => any = wanted,
                _ => {}
            }
        }
    }
    any
}

/// Whether content of a type becomes smaller.
pub(super) fn shrinks(kind: &[u8]) -> bool {
    let kind = kind
        .split(|octet| *octet == b';')
        .next()
        .unwrap_or_default();
    let kind = kind.trim_ascii().to_ascii_lowercase();
    kind.starts_with(b"text/")
        || kind.ends_with(b"+xml")
        || kind.ends_with(b"+json")
        || [
            &b"application/xml"[..],
            b"application/json",
            b"application/javascript",
            b"application/wasm",
        ]
        .contains(&&*kind)
}

/// RFC 1952, at the speed that what is made for one request deserves.
fn gzip_quickly(octets: &[u8]) -> Option<Vec<u8>> {
    STATE.with_borrow_mut(|state| {
        let state = state.get_or_insert_with(|| Compress::new(Compression::fast(), false));
        state.reset();
        let mut out = Vec::with_capacity(octets.len() / 3 + 64);
        // Deflate, no name, no time, the fastest way, a system of no interest.
        out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff]);
        loop {
            let read = usize::try_from(state.total_in()).ok()?;
            let left = octets.get(read..)?;
            match state.compress_vec(left, &mut out, FlushCompress::Finish) {
                Ok(Status::StreamEnd) => break,
                Ok(_) => out.reserve(octets.len() / 3 + 64),
                Err(_) => return None,
            }
        }
        let mut check = Crc::new();
        check.update(octets);
        out.extend_from_slice(&check.sum().to_le_bytes());
        out.extend_from_slice(&check.amount().to_le_bytes());
        Some(out)
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use hyper::StatusCode;
    use proptest::prelude::*;

    use super::super::answer::typed;
    use super::*;

    fn takes(value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
        takes_gzip(&headers)
    }

    #[test]
    fn what_clients_say() {
        assert!(!takes_gzip(&HeaderMap::new()));
        for yes in [
            "gzip",
            "deflate, GZIP;q=0.5, br",
            "*",
            "x-gzip",
            "br, *;q=0.1",
            "gzip; q=1.0",
        ] {
            assert!(takes(yes), "{yes}");
        }
        for no in [
            "",
            "identity",
            "br",
            "gzip;q=0",
            "*;q=0",
            "*, gzip;q=0.000",
            "gzip;q=x",
        ] {
            assert!(!takes(no), "{no}");
        }
    }

    #[test]
    fn what_is_compressed() {
        let answer = |kind, size: usize, takes_gzip| {
            let mut answer = typed(StatusCode::OK, kind, vec![b'a'; size]);
            compress(takes_gzip, &mut answer);
            let coding = answer.headers().contains_key(CONTENT_ENCODING);
            (coding, answer.headers().contains_key(VARY))
        };
        assert_eq!(
            answer("text/plain; charset=utf-8", 2000, true),
            (true, true)
        );
        assert_eq!(answer("application/xrd+xml", 2000, true), (true, true));
        assert_eq!(answer("text/plain", 2000, false), (false, true));
        assert_eq!(answer("text/plain", 1000, true), (false, false));
        assert_eq!(answer("image/png", 2000, true), (false, false));
        let mut tagged = typed(StatusCode::OK, "text/plain", vec![b'a'; 2000]);
        tagged
            .headers_mut()
            .insert(ETAG, HeaderValue::from_static("\"x\""));
        compress(true, &mut tagged);
        assert!(!tagged.headers().contains_key(CONTENT_ENCODING));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_compressed_is_inflated_to_the_same(
            octets in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..20_000),
                "[ab ]{0,20000}".prop_map(String::into_bytes),
            ]
        ) {
            let small = gzip_quickly(&octets).unwrap();
            let mut back = Vec::new();
            GzDecoder::new(&*small).read_to_end(&mut back).unwrap();
            prop_assert_eq!(back, octets);
        }
    }
}
