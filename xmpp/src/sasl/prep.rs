//! SASLprep (RFC 4013): how passwords are prepared before they are hashed or compared.
//!
//! RFC 3454 §7 knows two purposes. Code points that Unicode 3.2 does not assign are refused in *stored* strings and
//! pass in *queries*. A query that holds one equals no stored string, so for verifying a password refusing it is the
//! same answer: one function serves both, and a presented password that cannot be prepared is a wrong one.

use std::borrow::Cow;
use stringprep::{saslprep, tables};
use thiserror::Error;

/// Why a string cannot be prepared; worded to follow "the password is not usable:".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PrepError {
    /// A control character, private use code point or the like (RFC 4013 §2.3).
    #[error("it contains the character U+{code:04X}, which is not allowed", code = u32::from(*.0))]
    Prohibited(char),
    /// Right-to-left and left-to-right text mixed (RFC 4013 §2.4).
    #[error("it mixes right-to-left and left-to-right text")]
    Bidirectional,
    /// A code point that Unicode 3.2 does not assign, for example an emoji (RFC 4013 §2.5).
    #[error("it contains the character U+{code:04X}, which is newer than SASLprep allows", code = u32::from(*.0))]
    Unassigned(char),
    /// Nothing is left (RFC 4616 §2, RFC 5802 §5.1).
    #[error("it is empty")]
    Empty,
}

/// `Normalize(text)` of RFC 5802 §2.2: SASLprep for a stored string.
pub fn prepare(text: &str) -> Result<Cow<'_, str>, PrepError> {
    // Checked before normalisation: newer Unicode data may turn such a code point into assigned ones.
    if let Some(newer) = text.chars().find(|&c| tables::unassigned_code_point(c)) {
        return Err(PrepError::Unassigned(newer));
    }
    match saslprep(text) {
        Ok(prepared) if prepared.is_empty() => Err(PrepError::Empty),
        Ok(prepared) => Ok(prepared),
        Err(_) => Err(cause(text)),
    }
}

/// The crate does not tell its reason apart; a character that fails alone is prohibited, else it is the mixture.
fn cause(text: &str) -> PrepError {
    let fails_alone = |c: &char| saslprep(c.encode_utf8(&mut [0; 4])).is_err();
    text.chars()
        .find(fails_alone)
        .map_or(PrepError::Bidirectional, PrepError::Prohibited)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use serde_json::Value;

    #[test]
    fn examples_of_rfc_4013() {
        let examples: Value =
            serde_json::from_str(include_str!("../../testdata/saslprep-rfc4013.json")).unwrap();
        let rows = examples["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 7);
        for row in rows {
            let result = prepare(row["input"].as_str().unwrap());
            match row["error"].as_str() {
                None => assert_eq!(result.unwrap(), row["output"].as_str().unwrap(), "{row}"),
                Some("prohibited character") => {
                    assert_eq!(result, Err(PrepError::Prohibited('\u{7}')));
                }
                Some("bidirectional check") => assert_eq!(result, Err(PrepError::Bidirectional)),
                Some(other) => panic!("unknown error {other}"),
            }
        }
    }

    #[test]
    fn nothing_and_what_vanishes_are_empty() {
        assert_eq!(prepare(""), Err(PrepError::Empty));
        assert_eq!(prepare("\u{ad}"), Err(PrepError::Empty));
    }

    #[test]
    fn newer_characters_are_refused_by_name() {
        assert_eq!(
            prepare("a\u{1F600}"),
            Err(PrepError::Unassigned('\u{1F600}'))
        );
        // Normalises to "0." by today's data; unassigned in Unicode 3.2 all the same.
        assert_eq!(
            prepare("\u{1F100}"),
            Err(PrepError::Unassigned('\u{1F100}'))
        );
        assert_eq!(
            PrepError::Unassigned('\u{1F600}').to_string(),
            "it contains the character U+1F600, which is newer than SASLprep allows"
        );
    }

    #[test]
    fn spaces_of_any_kind_are_one() {
        assert_eq!(prepare("a\u{a0}b").unwrap(), "a b");
        assert_eq!(prepare("a\u{3000}b").unwrap(), "a b");
    }
}
