//! What the client was offered, told again under the protection of SCRAM (XEP-0474): whoever took something out of the offer on its
//! way is found out.

use super::base64;
use super::hash::Hash;
use super::mechanism::{Binding, Mechanism};

/// Stands between names of one list.
const BETWEEN_NAMES: char = '\u{1e}';
/// Stands between the lists.
const BETWEEN_LISTS: char = '\u{1f}';

/// The hashes of one offer, in base64: the value of the attribute `h` of the server's first message (XEP-0474 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferDigests([Box<str>; Hash::ALL.len()]);

impl OfferDigests {
    /// Of what the features listed; without types of channel binding XEP-0440 was not used.
    pub fn new(mechanisms: &[Mechanism], bindings: &[Binding]) -> Self {
        let mut offer = sorted(mechanisms.iter().map(|mechanism| mechanism.name()));
        if !bindings.is_empty() {
            offer.push(BETWEEN_LISTS);
            offer.push_str(&sorted(bindings.iter().map(|binding| binding.name())));
        }
        let digest = |hash: Hash| base64::encode(hash.digest(offer.as_bytes()).as_bytes()).into();
        Self(Hash::ALL.map(digest))
    }

    /// The one made with the hash of the mechanism in use.
    pub fn of(&self, hash: Hash) -> &str {
        let [sha1, sha256, sha512] = &self.0;
        match hash {
            Hash::Sha1 => sha1,
            Hash::Sha256 => sha256,
            Hash::Sha512 => sha512,
        }
    }
}

/// Names in the order of their octets, joined.
fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.join(&BETWEEN_NAMES.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The expected values come from Python's hashlib over the lists written out by hand.

    #[test]
    fn with_channel_bindings() {
        let digests = OfferDigests::new(
            &[
                Mechanism::ScramSha256Plus,
                Mechanism::ScramSha256,
                Mechanism::Plain,
            ],
            &[Binding::TlsServerEndPoint, Binding::TlsExporter],
        );
        assert_eq!(digests.of(Hash::Sha1), "EPx8gPC67R+CNW5qZG7RE1/0zqo=");
        assert_eq!(
            digests.of(Hash::Sha256),
            "OpwIlj6pDmUR+0q4Zqaqb5xWu6SDmduyUo4bUQEUWCQ="
        );
        assert_eq!(
            digests.of(Hash::Sha512),
            "k/T7gN8+p+Bd+MRYMpkfsfBPtPur2roj9qANxlqN+KgfeM7SSGUiKptPyOAiu/MDn/fzm+hM+rGsQI6zsm0YUg=="
        );
    }

    #[test]
    fn without_channel_bindings() {
        let digests = OfferDigests::new(&[Mechanism::ScramSha256, Mechanism::ScramSha1], &[]);
        assert_eq!(
            digests.of(Hash::Sha256),
            "0/NIECGLXv63MqTb7NyUI9Tqxi40YVZyx61umRrH924="
        );
    }
}
