//! How documents, messages and lists are kept in one column: a small binary form of our own.
//!
//! A value begins with the number of its form ([`VERSION`]). Numbers are LEB128, signed ones zigzag; text and octets have
//! their length before them; an option is one octet and, when that is 1, the value. Enumerations are one octet each, and
//! a number once given is never given another meaning. A form that is not known is an error, never guessed at.

pub(crate) mod archive;
pub(crate) mod binding;
pub(crate) mod document;
pub(crate) mod message;
mod primitive;
pub(crate) mod publication;
pub(crate) mod report;

use primitive::{Reader, Writer};

/// The form written now. A later one is read beside the earlier ones.
pub(crate) const VERSION: u8 = 1;

/// Stored octets that are no value. Told to the administrator as a damaged database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodecError {
    #[error("a stored value ends early")]
    Truncated,
    #[error("a stored value has octets left over")]
    Trailing,
    #[error("a stored value has form {0}, which this version does not know")]
    Version(u8),
    #[error("a stored value has {1} where a {0} was expected")]
    Tag(&'static str, u8),
    #[error("a stored text is not UTF-8")]
    Utf8,
    #[error("a stored number is out of range")]
    Range,
}

impl From<CodecError> for crate::StoreError {
    fn from(error: CodecError) -> Self {
        Self::Corrupt(error.to_string().into())
    }
}

/// Writes a list of texts (roster groups).
pub(crate) fn encode_texts(texts: &[String]) -> Vec<u8> {
    let mut w = Writer::new(16 * texts.len() + 2);
    w.count(texts.len());
    for text in texts {
        w.text(text);
    }
    w.finish()
}

/// Reads what [`encode_texts`] wrote.
pub(crate) fn decode_texts(octets: &[u8]) -> Result<Vec<String>, CodecError> {
    let mut r = Reader::open(octets)?;
    let texts = r.list(|r| r.text().map(str::to_owned))?;
    r.close()?;
    Ok(texts)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn texts_come_back(texts in proptest::collection::vec(".{0,20}", 0..6)) {
            prop_assert_eq!(decode_texts(&encode_texts(&texts)).unwrap(), texts);
        }

        #[test]
        fn octets_from_anywhere_do_no_harm(octets in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut known = octets.clone();
            known.insert(0, VERSION);
            for octets in [octets, known] {
                let _ = decode_texts(&octets);
                let _ = publication::decode(&octets);
                let _ = binding::decode(&octets);
                let _ = message::decode(&octets);
            }
        }
    }

    #[test]
    fn what_is_not_a_value_is_an_error() {
        let good = encode_texts(&["a".into(), "bc".into()]);
        assert_eq!(good, [1, 2, 1, b'a', 2, b'b', b'c']);
        assert_eq!(decode_texts(&[]), Err(CodecError::Truncated));
        assert_eq!(decode_texts(&[9, 0]), Err(CodecError::Version(9)));
        assert_eq!(decode_texts(&good[..6]), Err(CodecError::Truncated));
        assert_eq!(decode_texts(&[1, 1, 1, 0xff]), Err(CodecError::Utf8));
        assert_eq!(decode_texts(&[1, 0, 0]), Err(CodecError::Trailing));
        assert_eq!(
            decode_texts(&[&[1][..], &[0xff; 11]].concat()),
            Err(CodecError::Range)
        );
    }
}
