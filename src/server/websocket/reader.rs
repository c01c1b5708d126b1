//! Octets of a client, in pieces of any size, to messages (RFC 6455 §5, §6.2).

use super::frame::{CONTROL, Opcode, Status};

/// The longest begin of a frame: two octets, eight of length, four of the mask.
const LONGEST: usize = 14;

/// What a client has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// Text, whole: UTF-8.
    Text(Vec<u8>),
    /// A ping, to be answered with the same data (§5.5.2).
    Ping(Vec<u8>),
    /// A pong (§5.5.3).
    Pong,
    /// The connection closes, with a reason or without (§5.5.1).
    Close(Option<Status>),
}

/// What breaks a rule. The connection fails (§7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Violation {
    /// A rule of the protocol.
    #[error("{0}")]
    Protocol(&'static str),
    /// Binary data.
    #[error("binary data")]
    Binary,
    /// Text or a reason that is no UTF-8.
    #[error("text that is not UTF-8")]
    NotUtf8,
    /// More than may be sent.
    #[error("a message that is too big")]
    TooBig,
}

impl Violation {
    /// The reason that the client is told (§7.4.1).
    pub(crate) const fn status(self) -> Status {
        match self {
            Self::Protocol(_) => Status::PROTOCOL,
            Self::Binary => Status::UNSUPPORTED,
            Self::NotUtf8 => Status::NOT_UTF8,
            Self::TooBig => Status::TOO_BIG,
        }
    }
}

/// A frame whose data are read.
#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: Opcode,
    last: bool,
    mask: [u8; 4],
    /// How many octets of data are still to come.
    left: usize,
    /// How many have come.
    at: usize,
}

/// Reads what one client sends. While nothing has come it holds nothing.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// The begin of a frame, as far as it has come.
    begin: [u8; LONGEST],
    begun: usize,
    frame: Option<Frame>,
    /// The text whose fragments come.
    text: Option<Vec<u8>>,
    /// The data of a control frame.
    control: Vec<u8>,
}

impl Reader {
    /// Reads on: `octets` is moved behind what was taken. `None` when more has to come. A message may have `most` octets.
    ///
    /// # Errors
    /// [`Violation`]; nothing is read after it.
    pub(crate) fn read(
        &mut self,
        octets: &mut &[u8],
        most: usize,
    ) -> Result<Option<Message>, Violation> {
        loop {
            let Some(frame) = &mut self.frame else {
                if !self.begin(octets, most)? {
                    return Ok(None);
                }
                continue;
            };
            let data;
            (data, *octets) = octets.split_at(frame.left.min(octets.len()));
            let into = match &mut self.text {
                Some(text) if !frame.opcode.is_control() => text,
                _ => &mut self.control,
            };
            if data.len() == frame.left {
                into.reserve_exact(data.len());
            }
            let begin = into.len();
            into.extend_from_slice(data);
            unmask(&mut into[begin..], frame.mask, frame.at);
            frame.left -= data.len();
            frame.at += data.len();
            if frame.left > 0 {
                return Ok(None);
            }
            let (opcode, last) = (frame.opcode, frame.last);
            self.frame = None;
            if let Some(message) = self.end(opcode, last)? {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the begin of a frame. False when more has to come.
    fn begin(&mut self, octets: &mut &[u8], most: usize) -> Result<bool, Violation> {
        loop {
            let wanted = self.wanted();
            if self.begun == wanted {
                break;
            }
            let (head, rest) = octets.split_at((wanted - self.begun).min(octets.len()));
            if head.is_empty() {
                return Ok(false);
            }
            *octets = rest;
            self.begin[self.begun..self.begun + head.len()].copy_from_slice(head);
            self.begun += head.len();
            // What cannot be is told at once, before any data of it is waited for.
            self.check()?;
        }
        let size = self.begun;
        self.begun = 0;
        let [first, second, ..] = self.begin;
        let Some(opcode) = Opcode::read(first) else {
            return Err(Violation::Protocol("an opcode that means nothing"));
        };
        let length = match second & 0x7F {
            126 => u64::from(u16::from_be_bytes([self.begin[2], self.begin[3]])),
            127 => self.begin[2..10]
                .iter()
                .fold(0, |sum, octet| sum << 8 | u64::from(*octet)),
            length => u64::from(length),
        };
        let least = match size {
            6 => 0,
            8 => 126,
            _ => 65_536,
        };
        if length < least {
            return Err(Violation::Protocol(
                "a length that is not as short as can be",
            ));
        }
        if length >> 63 != 0 {
            return Err(Violation::Protocol("a length that cannot be"));
        }
        let before = self.text.as_ref().map_or(0, Vec::len) as u64;
        if !opcode.is_control() && length.saturating_add(before) > most as u64 {
            return Err(Violation::TooBig);
        }
        if opcode == Opcode::Text {
            self.text = Some(Vec::new());
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.begin[size - 4..size]);
        self.frame = Some(Frame {
            opcode,
            last: first & 0x80 != 0,
            mask,
            // Within what a message may have.
            left: length as usize,
            at: 0,
        });
        Ok(true)
    }

    /// How long the begin of the frame is, as far as that is known.
    fn wanted(&self) -> usize {
        match (self.begun, self.begin[1] & 0x7F) {
            (0 | 1, _) => 2,
            (_, 126) => 8,
            (_, 127) => 14,
            _ => 6,
        }
    }

    /// Whether the first two octets may be, once they are there.
    fn check(&self) -> Result<(), Violation> {
        let [first, second, ..] = self.begin;
        let wrong = |what| Err(Violation::Protocol(what));
        if first & 0x70 != 0 {
            return wrong("an extension that was not agreed on");
        }
        let Some(opcode) = Opcode::read(first) else {
            return wrong("an opcode that means nothing");
        };
        match (opcode, self.text.is_some()) {
            (Opcode::Binary, _) => return Err(Violation::Binary),
            (Opcode::Continuation, false) => return wrong("a fragment of nothing"),
            (Opcode::Text, true) => return wrong("a message within another"),
            _ => {}
        }
        if opcode.is_control() && first & 0x80 == 0 {
            return wrong("a control frame in fragments");
        }
        if self.begun < 2 {
            return Ok(());
        }
        if second & 0x80 == 0 {
            return wrong("a frame without mask");
        }
        if opcode.is_control() && usize::from(second & 0x7F) > CONTROL {
            return wrong("a control frame that is too long");
        }
        Ok(())
    }

    /// All data of a frame have come.
    fn end(&mut self, opcode: Opcode, last: bool) -> Result<Option<Message>, Violation> {
        match opcode {
            Opcode::Text | Opcode::Continuation | Opcode::Binary => {
                if !last {
                    return Ok(None);
                }
                let text = self.text.take().unwrap_or_default();
                if std::str::from_utf8(&text).is_err() {
                    return Err(Violation::NotUtf8);
                }
                Ok(Some(Message::Text(text)))
            }
            Opcode::Ping => Ok(Some(Message::Ping(std::mem::take(&mut self.control)))),
            Opcode::Pong => {
                self.control = Vec::new();
                Ok(Some(Message::Pong))
            }
            Opcode::Close => {
                let data = std::mem::take(&mut self.control);
                closes(&data).map(|status| Some(Message::Close(status)))
            }
        }
    }
}

/// Takes the mask off data that begin so far into their frame (§5.3).
fn unmask(data: &mut [u8], mut mask: [u8; 4], at: usize) {
    mask.rotate_left(at % 4);
    let word = u64::from(u32::from_ne_bytes(mask));
    let word = (word << 32 | word).to_ne_bytes();
    let mut words = data.chunks_exact_mut(word.len());
    for octets in &mut words {
        for (octet, key) in octets.iter_mut().zip(word) {
            *octet ^= key;
        }
    }
    for (octet, key) in words.into_remainder().iter_mut().zip(word) {
        *octet ^= key;
    }
}

/// Why the client closes (§5.5.1).
fn closes(data: &[u8]) -> Result<Option<Status>, Violation> {
    match data {
        [] => Ok(None),
        [first, second, reason @ ..] => {
            let status = Status(u16::from_be_bytes([*first, *second]));
            if !status.may_be_sent() {
                return Err(Violation::Protocol("a reason that cannot be sent"));
            }
            if std::str::from_utf8(reason).is_err() {
                return Err(Violation::NotUtf8);
            }
            Ok(Some(status))
        }
        [_] => Err(Violation::Protocol("half a reason")),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

    /// A frame as a client sends it. `first` is its first octet.
    fn frame(first: u8, data: &[u8]) -> Vec<u8> {
        let (begin, size) = super::super::header(Opcode::Text, data.len());
        let mut frame = begin[..size].to_vec();
        frame[0] = first;
        frame[1] |= 0x80;
        frame.extend(MASK);
        frame.extend(data.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
        frame
    }

    fn all(octets: &[u8]) -> Result<Vec<Message>, Violation> {
        let (mut reader, mut octets) = (Reader::default(), octets);
        let mut messages = Vec::new();
        while let Some(message) = reader.read(&mut octets, 100_000)? {
            messages.push(message);
        }
        assert!(octets.is_empty());
        Ok(messages)
    }

    fn text(text: &str) -> Message {
        Message::Text(text.as_bytes().to_vec())
    }

    /// RFC 6455 §5.7.
    #[test]
    fn examples() {
        let hello = [
            0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ];
        assert_eq!(all(&hello).unwrap(), [text("Hello")]);
        assert_eq!(frame(0x81, b"Hello"), hello);
        let pong = [
            0x8A, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58,
        ];
        assert_eq!(all(&pong).unwrap(), [Message::Pong]);
        let (header, size) = super::super::header(Opcode::Ping, 5);
        assert_eq!(header[..size], [0x89, 0x05]);
        let fragments = [frame(0x01, b"Hel"), frame(0x80, b"lo")].concat();
        assert_eq!(all(&fragments).unwrap(), [text("Hello")]);
    }

    /// §5.4, §5.5: control frames come between fragments.
    #[test]
    fn fragments_and_what_comes_between() {
        let octets = [
            frame(0x01, "gr\u{FC}".as_bytes()).as_slice(),
            &frame(0x89, b"ping"),
            &frame(0x00, b""),
            &frame(0x8A, b""),
            &frame(0x80, "\u{DF}".as_bytes()),
            &frame(0x81, b""),
            &frame(0x81, "x".repeat(70_000).as_bytes()),
            &frame(0x88, b"\x03\xE9bye"),
        ]
        .concat();
        let expected = [
            Message::Ping(b"ping".to_vec()),
            Message::Pong,
            text("gr\u{FC}\u{DF}"),
            text(""),
            text(&"x".repeat(70_000)),
            Message::Close(Some(Status::GOING_AWAY)),
        ];
        assert_eq!(all(&octets).unwrap(), expected);
        assert_eq!(all(&frame(0x88, b"")).unwrap(), [Message::Close(None)]);
        // A character may be cut in two by fragments.
        let cut = [frame(0x01, b"\xC3"), frame(0x80, b"\x9F")].concat();
        assert_eq!(all(&cut).unwrap(), [text("\u{DF}")]);
    }

    #[test]
    fn violations() {
        let protocol = [
            vec![0xC1, 0x80],
            vec![0xA1],
            vec![0x91],
            vec![0x83],
            vec![0x8B],
            vec![0x81, 0x05],
            vec![0x09],
            vec![0x08],
            vec![0x89, 0xFE],
            vec![0x88, 0xFF],
            frame(0x80, b"x"),
            frame(0x00, b"x"),
            [frame(0x01, b"x"), frame(0x81, b"y")].concat(),
            [frame(0x01, b"x"), frame(0x01, b"y")].concat(),
            vec![0x81, 0xFE, 0, 125, 1, 2, 3, 4],
            vec![0x81, 0xFF, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4],
            vec![0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4],
            frame(0x88, b"\x03"),
            frame(0x88, b"\x03\xED"),
            frame(0x88, b"\x00\x00"),
        ];
        for octets in protocol {
            let found = all(&octets);
            let is_protocol = matches!(found, Err(Violation::Protocol(_)));
            assert!(is_protocol, "{octets:02X?} {found:?}");
            assert_eq!(found.unwrap_err().status(), Status::PROTOCOL);
        }
        for octets in [vec![0x82], vec![0x02], frame(0x82, b"")] {
            assert_eq!(all(&octets).unwrap_err().status(), Status::UNSUPPORTED);
        }
        for octets in [
            frame(0x81, b"\xFF"),
            frame(0x81, b"\xED\xA0\x80"),
            [frame(0x01, b"\xC3"), frame(0x80, b"x")].concat(),
            frame(0x88, b"\x03\xE8\xFF"),
        ] {
            assert_eq!(all(&octets).unwrap_err().status(), Status::NOT_UTF8);
        }
    }

    /// What is too big is told before it has come.
    #[test]
    fn sizes() {
        let mut reader = Reader::default();
        let read = |reader: &mut Reader, octets: &[u8]| reader.read(&mut &*octets, 10);
        assert_eq!(
            read(&mut reader, &frame(0x81, b"0123456789")),
            Ok(Some(text("0123456789")))
        );
        assert_eq!(
            read(&mut reader, &frame(0x89, &[0; 125])),
            Ok(Some(Message::Ping(vec![0; 125])))
        );
        assert_eq!(read(&mut reader, &frame(0x01, b"012345")), Ok(None));
        let begin = &frame(0x80, b"01234")[..6];
        assert_eq!(read(&mut reader, begin), Err(Violation::TooBig));
        let endless = [
            0x81, 0xFF, 0x7F, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4,
        ];
        assert_eq!(
            read(&mut Reader::default(), &endless),
            Err(Violation::TooBig)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        /// However it is cut in pieces.
        #[test]
        fn pieces(
            messages in prop::collection::vec(
                (prop::collection::vec("[a-z\u{E4}]{0,90}", 1..4), any::<bool>()), 1..5),
            cuts in prop::collection::vec(1..40_usize, 1..60),
        ) {
            let (mut octets, mut expected) = (Vec::new(), Vec::new());
            for (fragments, ping) in &messages {
                for (at, fragment) in fragments.iter().enumerate() {
                    if *ping {
                        octets.extend(frame(0x89, b"p"));
                        expected.push(Message::Ping(b"p".to_vec()));
                    }
                    let last = if at + 1 == fragments.len() { 0x80 } else { 0 };
                    octets.extend(frame(last | u8::from(at == 0), fragment.as_bytes()));
                }
                expected.push(text(&fragments.concat()));
            }
            let (mut reader, mut rest, mut found) = (Reader::default(), &octets[..], Vec::new());
            for cut in cuts.iter().cycle() {
                let (mut piece, behind) = rest.split_at((*cut).min(rest.len()));
                while let Some(message) = reader.read(&mut piece, 10_000).unwrap() {
                    found.push(message);
                }
                rest = behind;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn nothing_breaks_it(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = all(&octets);
        }
    }
}
