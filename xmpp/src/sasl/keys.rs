//! What is kept of a password: the keys of RFC 5802 §3, never the password.

use super::hash::{Hash, Key};
use super::prep::{PrepError, prepare};
use std::fmt;
use thiserror::Error;

/// A password on its way to be checked; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps what a client sent.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The password in clear; not to be logged or kept.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// Why keys cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// SASLprep refuses the password.
    #[error("the password cannot be used: {0}")]
    Password(#[from] PrepError),
    /// A salt is 1 to 255 bytes.
    #[error("a salt has 1 to 255 bytes")]
    Salt,
    /// RFC 5802 wants a positive count.
    #[error("the iteration count must be positive")]
    Iterations,
}

/// Why stored bytes are not credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum StoredError {
    /// Written by a newer version.
    #[error("credentials of the unknown format {0}")]
    Version(u8),
    /// Cut, too long or inconsistent.
    #[error("damaged credentials")]
    Damaged,
}

/// The keys of one account for one hash (RFC 5802 §3). Whoever reads them can check a password and pose as the
/// server, but not log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramKeys {
    hash: Hash,
    salt: Vec<u8>,
    iterations: u32,
    stored_key: Key,
    server_key: Key,
}

impl ScramKeys {
    /// Derives keys from a password. Slow by design (`iterations` rounds of HMAC): not for a thread that serves connections.
    pub fn derive(
        hash: Hash,
        password: &str,
        salt: &[u8],
        iterations: u32,
    ) -> Result<Self, KeyError> {
        check_parameters(salt, iterations)?;
        let prepared = prepare(password)?;
        let salted = hash.stretch(prepared.as_bytes(), salt, iterations);
        Ok(Self::from_salted(hash, &salted, salt, iterations))
    }

    /// Puts keys together that were derived elsewhere (an import); lengths must be those of the hash.
    pub fn from_parts(
        hash: Hash,
        salt: &[u8],
        iterations: u32,
        stored_key: &[u8],
        server_key: &[u8],
    ) -> Result<Self, StoredError> {
        check_parameters(salt, iterations).map_err(|_| StoredError::Damaged)?;
        if stored_key.len() != hash.length() || server_key.len() != hash.length() {
            return Err(StoredError::Damaged);
        }
        Ok(Self::of_parts(
            hash,
            salt,
            iterations,
            Key::of(stored_key),
            Key::of(server_key),
        ))
    }

    /// Like [`ScramKeys::from_parts`], for parts whose lengths are known to be right.
    pub(super) fn of_parts(
        hash: Hash,
        salt: &[u8],
        iterations: u32,
        stored_key: Key,
        server_key: Key,
    ) -> Self {
        Self {
            hash,
            salt: salt.to_vec(),
            iterations,
            stored_key,
            server_key,
        }
    }

    fn from_salted(hash: Hash, salted: &Key, salt: &[u8], iterations: u32) -> Self {
        let client_key = hash.hmac(salted.as_bytes(), &[b"Client Key"]);
        Self {
            hash,
            salt: salt.to_vec(),
            iterations,
            stored_key: hash.digest(client_key.as_bytes()),
            server_key: hash.hmac(salted.as_bytes(), &[b"Server Key"]),
        }
    }

    /// Whether these keys come from this password, compared in constant time. As slow as [`ScramKeys::derive`].
    pub fn verify_password(&self, password: &Password) -> bool {
        Self::derive(self.hash, password.reveal(), &self.salt, self.iterations)
            .is_ok_and(|other| self.stored_key.matches(other.stored_key.as_bytes()))
    }

    /// The hash they are for.
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The salt, 1 to 255 bytes.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// How many rounds of HMAC the password went through.
    pub fn iterations(&self) -> u32 {
        self.iterations
    }

    /// `StoredKey`: H(ClientKey).
    pub fn stored_key(&self) -> &Key {
        &self.stored_key
    }

    /// `ServerKey`.
    pub fn server_key(&self) -> &Key {
        &self.server_key
    }
}

fn check_parameters(salt: &[u8], iterations: u32) -> Result<(), KeyError> {
    if salt.is_empty() || salt.len() > usize::from(u8::MAX) {
        return Err(KeyError::Salt);
    }
    if iterations == 0 {
        Err(KeyError::Iterations)
    } else {
        Ok(())
    }
}

/// Tells one set of keys from another, and nothing about the password: with the next password it is another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// All keys of one account: one set for each hash that is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    sha1: ScramKeys,
    sha256: ScramKeys,
    /// Missing for passwords that were set before SHA-512 was known here.
    sha512: Option<ScramKeys>,
}

/// The format that [`Credentials::to_bytes`] writes: this byte, then for each set of keys the hash (1 to 3), the
/// iteration count (4 bytes, big-endian), the length of the salt (1 byte), the salt, StoredKey and ServerKey.
const VERSION: u8 = 2;
/// The format without keys for SHA-512, still written where they are missing.
const WITHOUT_SHA512: u8 = 1;

impl Credentials {
    /// What the stored form of credentials without keys for SHA-512 begins with.
    pub const INCOMPLETE: u8 = WITHOUT_SHA512;

    /// Derives the keys for every hash. Slow by design, see [`ScramKeys::derive`].
    pub fn derive(password: &Password, salt: &[u8], iterations: u32) -> Result<Self, KeyError> {
        Ok(Self {
            sha1: ScramKeys::derive(Hash::Sha1, password.reveal(), salt, iterations)?,
            sha256: ScramKeys::derive(Hash::Sha256, password.reveal(), salt, iterations)?,
            sha512: Some(ScramKeys::derive(
                Hash::Sha512,
                password.reveal(),
                salt,
                iterations,
            )?),
        })
    }

    /// The keys for one hash; `None` for SHA-512 when the password was set before it was known here.
    pub fn keys(&self, hash: Hash) -> Option<&ScramKeys> {
        match hash {
            Hash::Sha1 => Some(&self.sha1),
            Hash::Sha256 => Some(&self.sha256),
            Hash::Sha512 => self.sha512.as_ref(),
        }
    }

    /// Keys for every hash are there.
    pub fn is_complete(&self) -> bool {
        self.sha512.is_some()
    }

    /// The same with the keys that are missing, out of the password, which [was found right](Self::verify_password). Slow by design.
    pub fn completed(mut self, password: &Password) -> Result<Self, KeyError> {
        if self.sha512.is_none() {
            let ScramKeys {
                salt, iterations, ..
            } = &self.sha256;
            let keys = ScramKeys::derive(Hash::Sha512, password.reveal(), salt, *iterations)?;
            self.sha512 = Some(keys);
        }
        Ok(self)
    }

    /// Which password these keys are of.
    pub fn fingerprint(&self) -> Fingerprint {
        let digest = Hash::Sha256.digest(self.sha256.stored_key.as_bytes());
        let mut fingerprint = [0; 16];
        for (to, from) in fingerprint.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Fingerprint(fingerprint)
    }

    /// Whether this is the password; slow, see [`ScramKeys::verify_password`]. For an account that does not exist do the
    /// same work with [`Decoy`](super::Decoy).
    pub fn verify_password(&self, password: &Password) -> bool {
        self.sha256.verify_password(password)
    }

    /// The form in which the store keeps them.
    pub fn to_bytes(&self) -> Vec<u8> {
        let version = if self.is_complete() {
            VERSION
        } else {
            WITHOUT_SHA512
        };
        let mut bytes = vec![version];
        for keys in [&self.sha1, &self.sha256].into_iter().chain(&self.sha512) {
            bytes.push(match keys.hash {
                Hash::Sha1 => 1,
                Hash::Sha256 => 2,
                Hash::Sha512 => 3,
            });
            bytes.extend(keys.iterations.to_be_bytes());
            // `check_parameters` has bounded the length.
            bytes.push(keys.salt.len() as u8);
            bytes.extend(&keys.salt);
            bytes.extend(keys.stored_key.as_bytes());
            bytes.extend(keys.server_key.as_bytes());
        }
        bytes
    }

    /// Reads what [`Credentials::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoredError> {
        let (&version, mut rest) = bytes.split_first().ok_or(StoredError::Damaged)?;
        if ![VERSION, WITHOUT_SHA512].contains(&version) {
            return Err(StoredError::Version(version));
        }
        let (mut sha1, mut sha256, mut sha512) = (None, None, None);
        while !rest.is_empty() {
            let keys = read_keys(&mut rest).ok_or(StoredError::Damaged)?;
            let place = match keys.hash {
                Hash::Sha1 => &mut sha1,
                Hash::Sha256 => &mut sha256,
                Hash::Sha512 => &mut sha512,
            };
            if place.replace(keys).is_some() {
                return Err(StoredError::Damaged);
            }
        }
        match (sha1, sha256) {
            (Some(sha1), Some(sha256)) if sha512.is_some() == (version == VERSION) => Ok(Self {
                sha1,
                sha256,
                sha512,
            }),
            _ => Err(StoredError::Damaged),
        }
    }
}

fn read_keys(rest: &mut &[u8]) -> Option<ScramKeys> {
    let hash = match take(rest, 1)? {
        [1] => Hash::Sha1,
        [2] => Hash::Sha256,
        [3] => Hash::Sha512,
        _ => return None,
    };
    let iterations = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
    let length = usize::from(*take(rest, 1)?.first()?);
    let salt = take(rest, length)?;
    let stored_key = take(rest, hash.length())?;
    let server_key = take(rest, hash.length())?;
    ScramKeys::from_parts(hash, salt, iterations, stored_key, server_key).ok()
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(head)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    fn credentials() -> Credentials {
        Credentials::derive(&Password::new("pencil"), b"0123456789abcdef", 10).unwrap()
    }

    #[test]
    fn only_the_password_verifies() {
        let credentials = credentials();
        assert!(credentials.verify_password(&Password::new("pencil")));
        assert!(
            credentials.verify_password(&Password::new("pen\u{ad}cil")),
            "prepared alike"
        );
        assert!(
            credentials
                .keys(Hash::Sha1)
                .unwrap()
                .verify_password(&Password::new("pencil"))
        );
        for wrong in ["", "pencil ", "Pencil", "pencil\0", "\u{1F600}"] {
            assert!(
                !credentials.verify_password(&Password::new(wrong)),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn refuses_what_cannot_be_kept() {
        let derive = |password: &str, salt: &[u8], iterations| {
            Credentials::derive(&Password::new(password), salt, iterations)
        };
        assert_eq!(
            derive("", b"salt", 1),
            Err(KeyError::Password(PrepError::Empty))
        );
        assert_eq!(
            derive("a\u{7}", b"salt", 1),
            Err(KeyError::Password(PrepError::Prohibited('\u{7}')))
        );
        assert_eq!(derive("a", b"", 1), Err(KeyError::Salt));
        assert_eq!(derive("a", &[0; 256], 1), Err(KeyError::Salt));
        assert_eq!(derive("a", b"salt", 0), Err(KeyError::Iterations));
        assert!(derive("a", &[0; 255], 1).is_ok());
    }

    #[test]
    fn bytes_go_both_ways() {
        let bytes = credentials().to_bytes();
        assert_eq!(bytes.len(), 1 + 3 * (6 + 16) + 2 * 20 + 2 * 32 + 2 * 64);
        assert_eq!(Credentials::from_bytes(&bytes).unwrap(), credentials());
    }

    #[test]
    fn damaged_bytes_are_refused() {
        let bytes = credentials().to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(
                Credentials::from_bytes(&bytes[..length]),
                Err(StoredError::Damaged),
                "{length}"
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(Credentials::from_bytes(&longer), Err(StoredError::Damaged));
        let twice = [bytes.as_slice(), &bytes[1..]].concat();
        assert_eq!(Credentials::from_bytes(&twice), Err(StoredError::Damaged));
        let mut newer = bytes;
        newer[0] = 3;
        assert_eq!(
            Credentials::from_bytes(&newer),
            Err(StoredError::Version(3))
        );
    }

    #[test]
    fn what_was_stored_before_sha_512_is_completed() {
        let mut old = credentials();
        old.sha512 = None;
        let bytes = old.to_bytes();
        assert_eq!(
            (bytes[0], bytes.len()),
            (1, 1 + 2 * (6 + 16) + 2 * 20 + 2 * 32)
        );
        let read = Credentials::from_bytes(&bytes).unwrap();
        assert!(!read.is_complete() && read.keys(Hash::Sha512).is_none());
        assert_eq!(
            read.completed(&Password::new("pencil")).unwrap(),
            credentials()
        );
        let mut mixed = credentials().to_bytes();
        mixed[0] = 1;
        assert_eq!(Credentials::from_bytes(&mixed), Err(StoredError::Damaged));
    }

    #[test]
    fn passwords_are_not_printed() {
        assert_eq!(format!("{:?}", Password::new("pencil")), "Password(..)");
        assert!(!format!("{:?}", credentials()).contains("pencil"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(credentials) = Credentials::from_bytes(&bytes) {
                prop_assert_eq!(Credentials::from_bytes(&credentials.to_bytes()), Ok(credentials));
            }
        }
    }
}
