//! Keys for accounts that do not exist, so that asking for them looks like asking for any other (RFC 6120 §6.5.10).

use super::hash::Hash;
use super::keys::ScramKeys;
use super::token::TokenKey;

/// Makes keys that are the same whenever the same unknown account is asked for, and that no password fits.
///
/// The secret must outlive a restart: a salt that changes with every start would tell that there is no such account.
#[derive(Clone)]
pub struct Decoy {
    secret: [u8; 32],
    salt_length: usize,
    iterations: u32,
}

impl Decoy {
    /// `salt_length` (bytes, 1 to 32) and `iterations` are those with which passwords are stored here.
    pub fn new(secret: [u8; 32], salt_length: usize, iterations: u32) -> Self {
        Self {
            secret,
            salt_length: salt_length.clamp(1, 32),
            iterations: iterations.max(1),
        }
    }

    /// The keys that stand in for `account`, which is the prepared address (two spellings of a name share a salt).
    pub fn keys(&self, hash: Hash, account: &str) -> ScramKeys {
        // One salt for both hashes, as for accounts that exist.
        let salt = self.bytes(Hash::Sha256, b"salt", account);
        let stored_key = self.bytes(hash, b"stored", account);
        let server_key = self.bytes(hash, b"server", account);
        let salt = salt.as_bytes().get(..self.salt_length).unwrap_or_default();
        ScramKeys::of_parts(hash, salt, self.iterations, stored_key, server_key)
    }

    /// What tokens are made with: from the same secret, which outlives a restart as well.
    pub fn token_key(&self) -> TokenKey {
        let derived = Hash::Sha256.hmac(&self.secret, &[b"tokens"]);
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(derived.as_bytes()) {
            *to = *from;
        }
        TokenKey::new(key)
    }

    fn bytes(&self, hash: Hash, purpose: &[u8], account: &str) -> super::hash::Key {
        hash.hmac(&self.secret, &[purpose, b"\0", account.as_bytes()])
    }
}

impl std::fmt::Debug for Decoy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Decoy")
            .field("iterations", &self.iterations)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_account_gets_the_same_answer() {
        let decoy = Decoy::new([7; 32], 16, 4096);
        let one = decoy.keys(Hash::Sha256, "ann@office.example");
        assert_eq!(one, decoy.keys(Hash::Sha256, "ann@office.example"));
        assert_eq!((one.salt().len(), one.iterations()), (16, 4096));
        assert_eq!(
            one.salt(),
            decoy.keys(Hash::Sha1, "ann@office.example").salt()
        );
        assert_ne!(
            one.salt(),
            decoy.keys(Hash::Sha256, "bob@office.example").salt()
        );
        assert_ne!(
            one.salt(),
            Decoy::new([8; 32], 16, 4096)
                .keys(Hash::Sha256, "ann@office.example")
                .salt()
        );
    }

    #[test]
    fn the_secret_is_not_printed() {
        assert_eq!(
            format!("{:?}", Decoy::new([7; 32], 16, 10)),
            "Decoy { iterations: 10, .. }"
        );
    }
}
