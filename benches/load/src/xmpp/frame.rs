//! Where a stanza ends, by searching for its end tag: no parser, so that the client stays cheap.
//!
//! Good enough for what servers write: `>` escaped in attributes, no stanza inside one of the same name.

use memchr::{memchr, memmem};

/// Length of the first item of a stream, which starts with `<`: a declaration, the stream's start or end tag, or a
/// whole child of the stream. `None` where it is not complete.
pub(crate) fn length(bytes: &[u8]) -> Option<usize> {
    if bytes.starts_with(b"<?") {
        return memmem::find(bytes, b"?>").map(|at| at + 2);
    }
    let tag = memchr(b'>', bytes)? + 1;
    let name_length = bytes[1..tag]
        .iter()
        .position(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | b'>' | b'/'))?;
    let name = &bytes[1..=name_length];
    if name.is_empty() || name == b"stream:stream" || bytes[tag - 2] == b'/' {
        return Some(tag);
    }
    // Names of stanzas are short; the end tag is put together on the stack.
    let mut end = [0_u8; 64];
    let length = name.len() + 3;
    let end = end.get_mut(..length)?;
    end[..2].copy_from_slice(b"</");
    end[2..length - 1].copy_from_slice(name);
    end[length - 1] = b'>';
    memmem::find(&bytes[tag..], end).map(|at| tag + at + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_of_a_stream_are_told_apart() {
        for whole in [
            "<?xml version='1.0'?>",
            "<stream:stream to='a' version='1.0'>",
            "<stream:features><bind xmlns='b'/></stream:features>",
            "<presence/>",
            "<presence from='a@b/c'><status>x</status></presence>",
            "<message to='a'><body>hi</body></message>",
            "</stream:stream>",
        ] {
            let more = format!("{whole}<iq/>");
            assert_eq!(length(more.as_bytes()), Some(whole.len()), "{whole}");
            for cut in 1..whole.len() {
                assert_eq!(length(&whole.as_bytes()[..cut]), None, "{whole} at {cut}");
            }
        }
    }
}
