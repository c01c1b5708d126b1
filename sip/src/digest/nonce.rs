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

/// The nonce with this id.
pub(crate) fn print(key: &[u8; 32], id: NonceId) -> String {
    let mut raw = [0_u8; 16 + MAC];
    let (head, mac) = raw.split_at_mut(16);
    head.copy_from_slice(&id_bytes(id));
    let tag = sign(key, head).finalize().into_bytes();
    mac.iter_mut().zip(tag).for_each(|(to, from)| *to = from);
    URL_SAFE_NO_PAD.encode(raw)
}

/// The id of a nonce that was made with `key`.
pub(crate) fn read(key: &[u8; 32], text: &str) -> Option<NonceId> {
    let mut raw = [0_u8; 16 + MAC];
    if URL_SAFE_NO_PAD.decode_slice(text, &mut raw).ok()? != raw.len() {
        return None;
    }
    let (head, mac) = raw.split_at(16);
    sign(key, head).verify_truncated_left(mac).ok()?;
    let (time, number) = head.split_at(8);
    Some(NonceId {
        time: Timestamp(u64::from_be_bytes(time.try_into().ok()?)),
        number: u64::from_be_bytes(number.try_into().ok()?),
    })
}

fn id_bytes(id: NonceId) -> [u8; 16] {
    (u128::from(id.time.0) << 64 | u128::from(id.number)).to_be_bytes()
}

fn sign(key: &[u8; 32], message: &[u8]) -> Hmac<Sha256> {
    // A key of any length is taken, so the error cannot come; an unkeyed one would be caught by tests.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
    mac.update(message);
    mac
}
