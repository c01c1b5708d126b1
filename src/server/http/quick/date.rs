//! The time of day in answers (RFC 9110 §6.6.1).

use std::cell::RefCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A second, and how it is written.
struct Written {
    second: Duration,
    text: String,
}

thread_local! {
    /// Written once a second and thread.
    static LAST: RefCell<Option<Written>> = const { RefCell::new(None) };
}

/// Writes the time of day.
pub(super) fn write(out: &mut Vec<u8>) {
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let second = Duration::from_secs(second);
    LAST.with_borrow_mut(|last| {
        let last = match last {
            Some(last) if last.second == second => last,
            last => last.insert(Written {
                second,
                text: httpdate::fmt_http_date(now),
            }),
        };
        out.extend_from_slice(last.text.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_now() {
        let before = SystemTime::now();
        for _ in 0..2 {
            let mut out = Vec::new();
            write(&mut out);
            let text = String::from_utf8_lossy(&out);
            let read = httpdate::parse_http_date(&text).unwrap_or(UNIX_EPOCH);
            let off = read.duration_since(before).unwrap_or_else(|e| e.duration());
            assert!(text.len() == 29 && off < Duration::from_secs(30), "{text}");
        }
    }
}
