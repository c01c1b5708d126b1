//! Answers of HTTP/1.1, as far as ends of BOSH sessions and of handshakes are to be found in them.

use std::ops::Range;

use memchr::{memchr, memmem};

use crate::failure::{Failure, Result, peer};

/// Where the parts of an answer stand in the bytes that hold it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// Its fields, each with its line's end.
    pub(crate) fields: Range<usize>,
    /// Its content.
    pub(crate) body: Range<usize>,
}

impl Answer {
    /// The answer at the start of these bytes; `None` where it is not complete.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
            return Ok(None);
        };
        let (head, start) = (&bytes[..end + 2], end + 4);
        let line = memchr(b'\n', head).map_or(head.len(), |at| at + 1);
        let status = head.get(9..12).and_then(number);
        let status = status.filter(|_| head.starts_with(b"HTTP/1."));
        let status = status.ok_or_else(|| peer("no answer of HTTP", head))? as u16;
        let fields = line..end + 2;
        let length = if status == 101 {
            0
        } else {
            let said = field(&head[line..], "content-length").and_then(number);
            said.ok_or_else(|| peer("an answer of unknown length", head))?
        };
        let body = start..start + length;
        Ok((bytes.len() >= body.end).then_some(Self {
            status,
            fields,
            body,
        }))
    }

    /// Its content, where the status is this one.
    pub(crate) fn body<'a>(&self, bytes: &'a [u8], status: u16) -> Result<&'a [u8]> {
        if self.status != status {
            return Err(peer("the server refused", &bytes[..self.body.end]));
        }
        let missing = || Failure::Peer("an answer without its content".to_owned());
        bytes.get(self.body.clone()).ok_or_else(missing)
    }
}

/// The value of a field; its name is given in small letters.
pub(crate) fn field<'a>(fields: &'a [u8], name: &str) -> Option<&'a [u8]> {
    fields.split(|byte| *byte == b'\n').find_map(|line| {
        let (found, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        found
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| value.trim_ascii())
    })
}

fn number(digits: &[u8]) -> Option<usize> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] =
        b"HTTP/1.1 200 OK\r\nDate: now\r\ncontent-LENGTH: 5\r\nX: y\r\n\r\nhelloHTTP/1.1 200 OK\r\n";

    #[test]
    fn an_answer_ends_where_its_length_says() {
        let answer = Answer::read(WHOLE).expect("good").expect("whole");
        assert_eq!(answer.body(WHOLE, 200).expect("good"), b"hello");
        assert!(answer.body(WHOLE, 101).is_err());
        assert_eq!(field(&WHOLE[answer.fields.clone()], "x"), Some(&b"y"[..]));
        for cut in 0..answer.body.end {
            assert_eq!(Answer::read(&WHOLE[..cut]).expect("good"), None, "{cut}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n").is_err());
        assert!(Answer::read(b"SSH-2.0-x 200 \r\n\r\n").is_err());
        let upgraded = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        assert!(Answer::read(upgraded).expect("good").is_some());
    }
}
