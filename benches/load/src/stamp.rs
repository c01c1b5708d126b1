//! Times that travel inside what is sent, so that nobody keeps a table of what is under way.

use memchr::memmem;

/// Stands before the time in what XMPP clients send.
pub(crate) const FROM_XMPP: &str = "x-stamp-";
/// Stands before the time in what SIP phones send.
pub(crate) const FROM_SIP: &str = "s-stamp-";

/// The latest time behind such a mark: what others have said longer ago may stand beside it.
pub(crate) fn find(text: &[u8], mark: &str) -> Option<u64> {
    let mut rest = text;
    let mut latest = None;
    while let Some(at) = memmem::find(rest, mark.as_bytes()) {
        rest = rest.get(at + mark.len()..)?;
        latest = latest.max(number(rest));
    }
    latest
}

/// The number up to the next full stop.
fn number(digits: &[u8]) -> Option<u64> {
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
        let two = b"<b>x-stamp-9.</b><b>x-stamp-7.</b>";
        assert_eq!(find(two, FROM_XMPP), Some(9));
    }
}
