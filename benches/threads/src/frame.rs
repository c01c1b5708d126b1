//! The toy stanza: 200 bytes that end in a newline, with its fields at fixed places.
//!
//! `K aaaaaaaa tttttttttttttttt ssssssss ....\n`: kind, argument, time of sending (ns), sender. Numbers are decimal, so
//! that a frame is text and the servers have to look for its end as they would in a stream of stanzas.

/// Bytes in every frame.
pub(crate) const LEN: usize = 200;

/// What a frame asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Bind this connection to the account in the argument; echoed.
    Login,
    /// Let `argument .. argument + sender` watch the account of this connection; echoed.
    Watch,
    /// Deliver to the account in the argument.
    Message,
    /// Deliver to everybody who watches the account of this connection.
    Broadcast,
}

/// The fields of a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head {
    /// What is asked.
    pub(crate) kind: Kind,
    /// An account.
    pub(crate) argument: u32,
    /// Time of sending in nanoseconds of the client's clock.
    pub(crate) sent: u64,
    /// Account of the sender, or a count.
    pub(crate) sender: u32,
}

fn digits(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |sum, digit| sum * 10 + u64::from(digit & 15))
}

fn put(place: &mut [u8], mut value: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Reads the fields; `None` when this is no frame.
pub(crate) fn parse(frame: &[u8]) -> Option<Head> {
    let kind = match frame.first()? {
        b'L' => Kind::Login,
        b'W' => Kind::Watch,
        b'M' => Kind::Message,
        b'B' => Kind::Broadcast,
        _ => return None,
    };
    Some(Head {
        kind,
        argument: digits(frame.get(2..10)?) as u32,
        sent: digits(frame.get(11..27)?),
        sender: digits(frame.get(28..36)?) as u32,
    })
}

/// Prints a frame.
pub(crate) fn print(head: Head) -> [u8; LEN] {
    let mut frame = [b'x'; LEN];
    frame[0] = match head.kind {
        Kind::Login => b'L',
        Kind::Watch => b'W',
        Kind::Message => b'M',
        Kind::Broadcast => b'B',
    };
    for gap in [1, 10, 27, 36] {
        frame[gap] = b' ';
    }
    put(&mut frame[2..10], u64::from(head.argument));
    put(&mut frame[11..27], head.sent);
    put(&mut frame[28..36], u64::from(head.sender));
    frame[LEN - 1] = b'\n';
    frame
}

/// Splits what was read into frames; keeps the rest of a broken frame in `carry` for the next read.
pub(crate) fn split(carry: &mut Vec<u8>, mut input: &[u8], mut each: impl FnMut(&[u8])) {
    if !carry.is_empty() {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
            carry.extend_from_slice(input);
            return;
        };
        carry.extend_from_slice(&input[..=end]);
        each(carry);
        carry.clear();
        input = &input[end + 1..];
    }
    while let Some(end) = input.iter().position(|&byte| byte == b'\n') {
        each(&input[..=end]);
        input = &input[end + 1..];
    }
    carry.extend_from_slice(input);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_frame_survives_any_split() {
        let head = Head {
            kind: Kind::Message,
            argument: 17,
            sent: 123_456_789,
            sender: 42,
        };
        let bytes = [print(head), print(head)].concat();
        for cut in 0..bytes.len() {
            let (mut carry, mut seen) = (Vec::new(), 0);
            for part in [&bytes[..cut], &bytes[cut..]] {
                split(&mut carry, part, |frame| {
                    let read = parse(frame).unwrap();
                    assert_eq!(
                        (read.kind, read.argument, read.sent, read.sender),
                        (Kind::Message, 17, 123_456_789, 42)
                    );
                    seen += 1;
                });
            }
            assert_eq!((seen, carry.len()), (2, 0));
        }
    }
}
