//! Nonces that need no memory: time and number under an HMAC (RFC 7616 §5.4).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::Timestamp;

/// When a nonce was made, and its number, which makes it different from others of that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NonceId {
    pub(crate) time: Timestamp,
    pub(crate) number: u64,
}

const MAC: usize = 16;

/// The key that nonces are made and known with.
#[derive(Clone)]
pub(crate) struct NonceKey {
    mac: Hmac<Sha256>,
}

impl NonceKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        // HMAC fills a key up with zeros to the block of its hash (RFC 2104 §2).
        let mut block = [0; 64];
        let (head, _) = block.split_at_mut(key.len());
        head.copy_from_slice(key);
        Self {
            mac: Hmac::new(&block.into()),
        }
    }

    fn sign(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(message);
        mac
    }

    /// The nonce with this id.
    pub(crate) fn print(&self, id: NonceId) -> String {
        let mut raw = [0_u8; 16 + MAC];
        let (head, mac) = raw.split_at_mut(16);
        head.copy_from_slice(&id_bytes(id));
        let tag = self.sign(head).finalize().into_bytes();
        mac.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
        URL_SAFE_NO_PAD.encode(raw)
    }

    /// The id of a nonce that was made with this key.
    pub(crate) fn read(&self, text: &str) -> Option<NonceId> {
        let mut raw = [0_u8; 16 + MAC];
        if URL_SAFE_NO_PAD.decode_slice(text, &mut raw).ok()? != raw.len() {
            return None;
        }
        let (head, mac) = raw.split_at(16);
        self.sign(head).verify_truncated_left(mac).ok()?;
        let (time, number) = head.split_at(8);
        Some(NonceId {
            time: Timestamp(u64::from_be_bytes(time.try_into().ok()?)),
            number: u64::from_be_bytes(number.try_into().ok()?),
        })
    }
}

fn id_bytes(id: NonceId) -> [u8; 16] {
    (u128::from(id.time.0) << 64 | u128::from(id.number)).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_that_made_a_nonce_reads_it() {
        let id = NonceId {
            time: Timestamp(77),
            number: 5,
        };
        let key = NonceKey::new(&[1; 32]);
        let nonce = key.print(id);
        assert_eq!(key.read(&nonce), Some(id));
        assert_eq!(NonceKey::new(&[2; 32]).read(&nonce), None);
        for at in 0..nonce.len() {
            let mut changed = nonce.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8_lossy(&changed).into_owned();
            assert_eq!(key.read(&changed), None, "{changed}");
        }
        for text in [
            "",
            "x",
            &nonce[1..],
            &format!("{nonce}A"),
            &format!("{nonce}="),
        ] {
            assert_eq!(key.read(text), None);
        }
    }
}
