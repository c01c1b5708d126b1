//! The hash functions of SCRAM here (RFC 5802, RFC 7677, XEP-0438) and the keys they make.

use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::fmt;
use subtle::ConstantTimeEq;

/// Longest output of a [`Hash`], in bytes.
const LONGEST: usize = 64;

/// A hash function of the SCRAM family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// SHA-1: 20 bytes (RFC 5802).
    Sha1,
    /// SHA-256: 32 bytes (RFC 7677).
    Sha256,
    /// SHA-512: 64 bytes.
    Sha512,
}

impl Hash {
    /// All of them, the shortest first.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// Length of the output in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    /// `H(data)`.
    pub(super) fn digest(self, data: &[u8]) -> Key {
        match self {
            Self::Sha1 => Key::of(&Sha1::digest(data)),
            Self::Sha256 => Key::of(&Sha256::digest(data)),
            Self::Sha512 => Key::of(&Sha512::digest(data)),
        }
    }

    /// `HMAC(key, parts joined)`.
    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Key {
        match self {
            Self::Sha1 => keyed(<Hmac<Sha1> as Mac>::new_from_slice(key), parts),
            Self::Sha256 => keyed(<Hmac<Sha256> as Mac>::new_from_slice(key), parts),
            Self::Sha512 => keyed(<Hmac<Sha512> as Mac>::new_from_slice(key), parts),
        }
    }

    /// `Hi(password, salt, iterations)`: PBKDF2 with one block of output (RFC 5802 §2.2).
    pub(super) fn stretch(self, password: &[u8], salt: &[u8], iterations: u32) -> Key {
        let mut output = [0; LONGEST];
        let used = self.length();
        match self {
            Self::Sha1 => {
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, iterations, &mut output[..used]);
            }
            Self::Sha256 => {
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, &mut output[..used]);
            }
            Self::Sha512 => {
                pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, iterations, &mut output[..used]);
            }
        }
        Key::of(&output[..used])
    }
}

/// Finishes an HMAC. The key of an HMAC may have any length, so the error cannot happen;
/// should it ever, an empty key matches nothing (see [`Key::matches`]).
fn keyed<M: Mac, E>(mac: Result<M, E>, parts: &[&[u8]]) -> Key {
    let Ok(mut mac) = mac else {
        return Key::of(&[]);
    };
    for part in parts {
        mac.update(part);
    }
    Key::of(&mac.finalize().into_bytes())
}

/// Secret bytes as long as a hash: compared in constant time, never printed.
#[derive(Clone, Copy)]
pub struct Key {
    bytes: [u8; LONGEST],
    used: usize,
}

impl Key {
    /// A key with these bytes; what is longer than the longest hash is cut.
    pub(super) fn of(source: &[u8]) -> Self {
        let used = source.len().min(LONGEST);
        let mut bytes = [0; LONGEST];
        bytes[..used].copy_from_slice(&source[..used]);
        Self { bytes, used }
    }

    /// The bytes, to be written to the store.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Equality in constant time; an empty key matches nothing.
    pub(super) fn matches(&self, other: &[u8]) -> bool {
        self.used != 0 && bool::from(self.as_bytes().ct_eq(other))
    }

    /// `self XOR other`; the caller has made sure that both have one length.
    pub(super) fn xor(&self, other: &[u8]) -> Self {
        let mut result = *self;
        for (byte, mask) in result.bytes.iter_mut().zip(other) {
            *byte ^= mask;
        }
        result
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        bool::from(self.as_bytes().ct_eq(other.as_bytes()))
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Key({} bytes)", self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_not_printed() {
        let key = Hash::Sha1.digest(b"secret");
        assert_eq!(format!("{key:?}"), "Key(20 bytes)");
        assert_eq!(key.as_bytes().len(), Hash::Sha1.length());
    }

    #[test]
    fn an_empty_key_matches_nothing() {
        assert!(!Key::of(&[]).matches(&[]));
        assert!(Key::of(&[1, 2]).matches(&[1, 2]));
        assert!(!Key::of(&[1, 2]).matches(&[1, 2, 3]));
    }

    #[test]
    fn hmac_is_that_of_rfc_2202_and_rfc_4231() {
        let key = b"Jefe";
        let data: &[u8] = b"what do ya want for nothing?";
        let sha1 = Hash::Sha1.hmac(key, &[data]);
        assert_eq!(sha1.as_bytes()[..4], [0xef, 0xfc, 0xdf, 0x6a]);
        let sha256 = Hash::Sha256.hmac(key, &[&data[..5], &data[5..]]);
        assert_eq!(sha256.as_bytes()[..4], [0x5b, 0xdc, 0xc1, 0x46]);
        let sha512 = Hash::Sha512.hmac(key, &[data]);
        assert_eq!(sha512.as_bytes()[..4], [0x16, 0x4b, 0x7a, 0x7b]);
        assert_eq!(sha512.as_bytes().len(), Hash::Sha512.length());
    }
}
