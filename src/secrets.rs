//! What an account's password leaves behind: SCRAM keys as they are, digest HA1 values sealed.
//!
//! SCRAM keys do not let anybody log in who steals them; HA1 values do (RFC 7616 §5.10). They are therefore encrypted with a key
//! that stands in a file of its own (`secret.key`, mode 0600), so that a stolen database or backup alone is not enough.

use presence::Bare;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sip::digest::{Algorithm, Ha1, Ha1Set, ha1};
use xmpp::sasl::{Credentials, KeyError, Password};

/// The key that seals.
pub struct Vault(LessSafeKey);

/// Why sealed values cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the digest values do not open with secret.key: restore the key file that belongs to this database, or set the passwords again"
)]
pub struct Sealed;

/// HA1 values of one account, by user name as phones write it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct DigestKeys(Vec<(String, Ha1, Ha1)>);

impl DigestKeys {
    /// From a password: for the local part, the whole address and each alias, since the name is part of the hash.
    pub fn derive(account: &Bare, aliases: &[String], password: &str) -> Self {
        let realm = account.domain();
        let local = account.local().unwrap_or_default().to_owned();
        let mut names = vec![local, account.as_str().to_owned()];
        for alias in aliases {
            let name = alias
                .strip_prefix("sip:")
                .or_else(|| alias.strip_prefix("tel:"))
                .unwrap_or(alias);
            let name = name.split('@').next().unwrap_or(name).to_owned();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Self(
            names
                .into_iter()
                .map(|name| {
                    let md5 = ha1(Algorithm::Md5, &name, realm, password);
                    let sha256 = ha1(Algorithm::Sha256, &name, realm, password);
                    (name, md5, sha256)
                })
                .collect(),
        )
    }

    /// The values for this user name.
    pub fn of(&self, user: &str) -> Option<Ha1Set> {
        let (_, md5, sha256) = self.0.iter().find(|(name, ..)| name == user)?;
        Some(Ha1Set::default().with(*md5).with(*sha256))
    }

    fn encode(&self) -> Vec<u8> {
        let mut text = String::from("1");
        for (name, md5, sha256) in &self.0 {
            text.push('\n');
            text.push_str(name);
            text.push('\t');
            text.push_str(md5.as_hex());
            text.push('\t');
            text.push_str(sha256.as_hex());
        }
        text.into_bytes()
    }

    fn decode(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok()?;
        let mut lines = text.split('\n');
        if lines.next() != Some("1") {
            return None;
        }
        lines
            .map(|line| {
                let mut fields = line.split('\t');
                let name = fields.next()?.to_owned();
                let md5 = Ha1::from_hex(Algorithm::Md5, fields.next()?)?;
                let sha256 = Ha1::from_hex(Algorithm::Sha256, fields.next()?)?;
                Some((name, md5, sha256))
            })
            .collect::<Option<Vec<_>>>()
            .map(Self)
    }
}

impl Vault {
    /// A vault with this key.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key)
            .unwrap_or_else(|_| unreachable!("the key has the length"));
        Self(LessSafeKey::new(key))
    }

    /// Seals the values of an account; they open for no other one. `nonce` is fresh randomness.
    pub fn seal(&self, account: &Bare, keys: &DigestKeys, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let mut sealed = nonce.to_vec();
        let mut text = keys.encode();
        let sealing = self.0.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(account.as_str().as_bytes()),
            &mut text,
        );
        if sealing.is_err() {
            return Vec::new();
        }
        sealed.extend_from_slice(&text);
        sealed
    }

    /// Opens what was sealed for this account.
    pub fn open(&self, account: &Bare, sealed: &[u8]) -> Result<DigestKeys, Sealed> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(Sealed)?;
        let mut text = text.to_vec();
        let opened = self
            .0
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(account.as_str().as_bytes()),
                &mut text,
            )
            .map_err(|_| Sealed)?;
        DigestKeys::decode(opened).ok_or(Sealed)
    }
}

/// All that is stored of a password. Slow by design (key derivation): not for threads that serve connections.
pub fn derive(
    vault: &Vault,
    account: &Bare,
    aliases: &[String],
    password: &str,
    iterations: u32,
) -> Result<model::accounts::Secrets, KeyError> {
    let salt: [u8; 16] = rand::random();
    let credentials = Credentials::derive(&Password::new(password), &salt, iterations)?;
    let digest = DigestKeys::derive(account, aliases, password);
    Ok(model::accounts::Secrets {
        scram: credentials.to_bytes(),
        sealed_ha1: vault.seal(account, &digest, rand::random()),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_its_account_and_key_alone() {
        let ann = Bare::parse("ann@office.example").unwrap();
        let bob = Bare::parse("bob@office.example").unwrap();
        let keys = DigestKeys::derive(
            &ann,
            &["101".to_owned(), "sip:ann@old.example".to_owned()],
            "secret",
        );
        let vault = Vault::new(&[7; 32]);
        let sealed = vault.seal(&ann, &keys, [1; 12]);
        assert!(vault.open(&ann, &sealed).unwrap() == keys);
        assert!(vault.open(&bob, &sealed).is_err());
        assert!(Vault::new(&[8; 32]).open(&ann, &sealed).is_err());
        assert!(vault.open(&ann, &sealed[..5]).is_err());
        assert!(
            keys.of("101").is_some()
                && keys.of("ann@office.example").is_some()
                && keys.of("eve").is_none()
        );
    }
}
