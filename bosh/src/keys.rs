//! Key sequences (XEP-0124 §15): each request shows the value whose hash the one before it has shown.

use sha1::{Digest as _, Sha1};

use crate::body::Body;

type Hash = [u8; 20];

/// What the next request has to show.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// The last value of the sequence; `None` while none is in use.
    last: Option<Hash>,
}

/// The key does not follow from the one before.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongKey;

impl Keys {
    /// Takes the next request in order.
    pub(crate) fn check(&mut self, body: &Body) -> Result<(), WrongKey> {
        let next = body.new_key.as_deref().map(read).transpose()?;
        let Some(last) = self.last else {
            self.last = next;
            return Ok(());
        };
        let key = body.key.as_deref().ok_or(WrongKey)?;
        // The hash is of the text that was sent, in whatever case it was written.
        if Hash::from(Sha1::digest(key.as_bytes())) != last {
            return Err(WrongKey);
        }
        self.last = Some(match next {
            Some(next) => next,
            None => read(key)?,
        });
        Ok(())
    }
}

/// 40 hexadecimal digits.
fn read(text: &str) -> Result<Hash, WrongKey> {
    let digit = |octet: u8| {
        char::from(octet)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let octets = text.as_bytes();
    let mut hash = [0; 20];
    if octets.len() != 2 * hash.len() {
        return Err(WrongKey);
    }
    for (to, pair) in hash.iter_mut().zip(octets.chunks_exact(2)) {
        let (high, low) = (digit(pair[0]), digit(pair[1]));
        *to = high.zip(low).map(|(h, l)| h << 4 | l).ok_or(WrongKey)?;
    }
    Ok(hash)
}

/// The value that comes before `value` in a sequence, as a client makes it.
#[cfg(test)]
pub(crate) fn hashed(value: &str) -> String {
    use std::fmt::Write as _;
    Sha1::digest(value.as_bytes())
        .iter()
        .fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(key: Option<&str>, new_key: Option<&str>) -> Body {
        Body {
            key: key.map(str::to_owned),
            new_key: new_key.map(str::to_owned),
            ..Body::default()
        }
    }

    #[test]
    fn a_sequence_is_followed_to_its_end_and_into_the_next() {
        let mut sequence = vec![hashed("seed")];
        for at in 0..4 {
            sequence.push(hashed(&sequence[at]));
        }
        let mut keys = Keys::default();
        assert_eq!(keys.check(&body(None, Some(&sequence[4]))), Ok(()));
        // Case does not matter to the comparison, but what is hashed is what was sent.
        assert_eq!(keys.check(&body(Some(&sequence[3]), None)), Ok(()));
        assert_eq!(keys.check(&body(Some(&sequence[2]), None)), Ok(()));
        assert_eq!(keys.check(&body(Some(&sequence[1]), None)), Ok(()));
        let other = hashed("other");
        let last = hashed(&other).to_uppercase();
        assert_eq!(keys.check(&body(Some(&sequence[0]), Some(&last))), Ok(()));
        assert_eq!(keys.check(&body(Some(&other), None)), Ok(()));
        assert_eq!(keys.check(&body(Some("seed"), None)), Err(WrongKey));
    }

    #[test]
    fn a_key_that_is_missing_or_wrong_is_refused() {
        let first = hashed("seed");
        for wrong in [
            body(None, None),
            body(None, Some(&first)),
            body(Some(&first), None),
            body(Some("x"), None),
        ] {
            let mut keys = Keys::default();
            assert_eq!(keys.check(&body(None, Some(&hashed(&first)))), Ok(()));
            // The right one is `first`: shown twice it is wrong.
            assert_eq!(keys.check(&body(Some(&first), None)), Ok(()));
            assert_eq!(keys.check(&wrong), Err(WrongKey));
        }
        assert_eq!(
            Keys::default().check(&body(None, Some("no hash"))),
            Err(WrongKey)
        );
    }

    #[test]
    fn without_a_sequence_keys_are_not_looked_at() {
        let mut keys = Keys::default();
        assert_eq!(keys.check(&body(Some("anything"), None)), Ok(()));
        assert_eq!(keys.check(&body(None, None)), Ok(()));
    }
}
