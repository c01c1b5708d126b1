//! HA1: what an account keeps so that digest answers can be checked (RFC 7616 §3.4.2).

use std::fmt;

use super::algorithm::{Algorithm, Hash, Hex, hash};

/// The hash of user, realm and password under one algorithm. As good as the password for its realm:
/// to be kept sealed, never logged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ha1 {
    hash: Hash,
    hex: Hex,
}

/// Computes HA1. The session variants have the HA1 of their hash.
pub fn ha1(algorithm: Algorithm, user: &str, realm: &str, password: &str) -> Ha1 {
    let parts = [user.as_bytes(), realm.as_bytes(), password.as_bytes()];
    Ha1 {
        hash: algorithm.hash(),
        hex: hash(algorithm.hash(), &parts),
    }
}

impl Ha1 {
    /// Takes what was stored; `None` if it has not the length of `algorithm`'s hash in hexadecimal digits.
    pub fn from_hex(algorithm: Algorithm, text: &str) -> Option<Self> {
        let hash = algorithm.hash();
        Hex::read(hash, text).map(|hex| Self { hash, hex })
    }

    /// Lower case hexadecimal digits, to be stored.
    pub fn as_hex(&self) -> &str {
        self.hex.as_str()
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.hex.as_bytes()
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ha1({:?}, ..)", self.hash)
    }
}

/// The HA1 values of one user name in one realm, at most one a hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ha1Set {
    values: Vec<Ha1>,
}

impl Ha1Set {
    /// An empty set: nothing is accepted.
    pub const fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// The values of a password under `algorithms`.
    pub fn of_password(algorithms: &[Algorithm], user: &str, realm: &str, password: &str) -> Self {
        algorithms.iter().fold(Self::new(), |set, algorithm| {
            set.with(ha1(*algorithm, user, realm, password))
        })
    }

    /// `self` with a value, which replaces the one of the same hash.
    pub fn with(mut self, value: Ha1) -> Self {
        self.values.retain(|old| old.hash != value.hash);
        self.values.push(value);
        self
    }

    /// The value for an algorithm.
    pub fn get(&self, algorithm: Algorithm) -> Option<&Ha1> {
        self.values
            .iter()
            .find(|value| value.hash == algorithm.hash())
    }
}
