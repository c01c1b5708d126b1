//! Base64 as RFC 6120 §6.4.2 and RFC 5802 §7 want it: RFC 4648 §4, padded, canonical, nothing else between.

use super::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The character data of `<auth/>`, `<response/>` and `<challenge/>` as bytes; a single `=` stands for no bytes at all.
///
/// Whether an empty `<auth/>` has an initial response is the caller's to tell: no character data is none (`None` to
/// [`Exchange::start`](super::Exchange::start)), `=` is an empty one.
///
/// # Errors
/// `incorrect-encoding` for anything that is not canonical base64, white space included.
pub fn decode_payload(text: &str) -> Result<Vec<u8>, Failure> {
    if text == "=" {
        return Ok(Vec::new());
    }
    decode(text).ok_or(Failure::IncorrectEncoding)
}

/// The character data of an element of XEP-0388 as bytes: nothing for no bytes, and white space around it is borne.
///
/// # Errors
/// `incorrect-encoding` for anything else that is not canonical base64.
pub fn decode_data(text: &str) -> Result<Vec<u8>, Failure> {
    decode(text.trim_matches([' ', '\t', '\r', '\n'])).ok_or(Failure::IncorrectEncoding)
}

/// Bytes as the character data of `<challenge/>`: base64, nothing for no bytes.
pub fn encode_payload(bytes: &[u8]) -> String {
    encode(bytes)
}

/// Bytes as the character data of `<success/>`, or as an initial response: as [`encode_payload`], but `=` for no bytes,
/// which would else look like no data (RFC 6120 §6.4.2, §6.4.6).
pub fn encode_optional_payload(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        "=".to_owned()
    } else {
        encode(bytes)
    }
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads() {
        assert_eq!(decode_payload("="), Ok(vec![]));
        assert_eq!(decode_payload(""), Ok(vec![]));
        assert_eq!(decode_payload("AGE="), Ok(vec![0, b'a']));
        assert_eq!(encode_payload(b""), "");
        assert_eq!(encode_optional_payload(b""), "=");
        assert_eq!(encode_optional_payload(b"\0a"), "AGE=");
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        for wrong in [
            "==", "AGE", "AGE= ", " AGE=", "AG\nE=", "AGF=", "AGE==", "A", "AG*E", "AGE=AGE=",
            "AG_-", "ä",
        ] {
            assert_eq!(
                decode_payload(wrong),
                Err(Failure::IncorrectEncoding),
                "{wrong:?}"
            );
        }
    }
}
