//! Times that travel inside what is sent, so that nobody keeps a table of what is under way.

use memchr::memmem;

/// Stands before the time in what XMPP clients send.
pub(crate) const FROM_XMPP: &str = "x-stamp-";
/// Stands before the time in what SIP phones send.
pub(crate) const FROM_SIP: &str = "s-stamp-";

/// The time behind the first such mark.
pub(crate) fn find(text: &[u8], mark: &str) -> Option<u64> {
    let at = memmem::find(text, mark.as_bytes())? + mark.len();
    let digits = text.get(at..)?;
    let mut value = 0_u64;
    for byte in digits {
        match byte {
            b'0'..=b'9' => value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?,
            b'.' => return Some(value),
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_whole_or_not_at_all() {
        assert_eq!(find(b"<b>x-stamp-120. hi</b>", FROM_XMPP), Some(120));
        assert_eq!(find(b"<b>x-stamp-120", FROM_XMPP), None);
        assert_eq!(find(b"<b>s-stamp-1.", FROM_XMPP), None);
    }
}
