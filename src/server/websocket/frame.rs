//! How a frame begins (RFC 6455 §5.2), and why a connection closes (§7.4).

/// The most that a control frame holds (§5.5).
pub(super) const CONTROL: usize = 125;

/// What a frame is (§5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Opcode {
    Continuation,
    Text,
    Binary,
    Close,
    Ping,
    Pong,
}

impl Opcode {
    /// Reads the lower half of the first octet; `None` for those that mean nothing yet.
    pub(super) const fn read(octet: u8) -> Option<Self> {
        Some(match octet & 0x0F {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    const fn number(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    pub(super) const fn is_control(self) -> bool {
        self.number() >= 8
    }
}

/// Why a connection closes (§7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) u16);

impl Status {
    /// All is done.
    pub(crate) const NORMAL: Self = Self(1000);
    /// The server stops.
    pub(crate) const GOING_AWAY: Self = Self(1001);
    /// The peer breaks the rules of the protocol.
    pub(crate) const PROTOCOL: Self = Self(1002);
    /// The peer sends what is not taken here: binary data.
    pub(crate) const UNSUPPORTED: Self = Self(1003);
    /// Text that is no UTF-8.
    pub(crate) const NOT_UTF8: Self = Self(1007);
    /// The peer breaks a rule of the server.
    pub(crate) const POLICY: Self = Self(1008);
    /// A message that is larger than the server takes.
    pub(crate) const TOO_BIG: Self = Self(1009);
    /// The server cannot go on.
    pub(crate) const INTERNAL: Self = Self(1011);

    /// Whether an endpoint may send it (§7.4.1, §7.4.2).
    pub(super) const fn may_be_sent(self) -> bool {
        matches!(self.0, 1000..=1003 | 1007..=1014 | 3000..=4999)
    }
}

/// The begin of an unfragmented, unmasked frame with so many octets: what it is, and how long.
pub(crate) fn header(opcode: Opcode, octets: usize) -> ([u8; 10], usize) {
    let mut header = [0; 10];
    header[0] = 0x80 | opcode.number();
    let size = match (u8::try_from(octets), u16::try_from(octets)) {
        (Ok(octets @ 0..=125), _) => {
            header[1] = octets;
            2
        }
        (_, Ok(octets)) => {
            header[1] = 126;
            header[2..4].copy_from_slice(&octets.to_be_bytes());
            4
        }
        _ => {
            header[1] = 127;
            header[2..].copy_from_slice(&(octets as u64).to_be_bytes());
            10
        }
    };
    (header, size)
}

/// Writes a frame that closes the connection; without a status where there is none (§5.5.1).
pub(crate) fn close(out: &mut Vec<u8>, status: Option<Status>) {
    let (begin, size) = header(Opcode::Close, if status.is_some() { 2 } else { 0 });
    out.extend_from_slice(&begin[..size]);
    if let Some(Status(number)) = status {
        out.extend_from_slice(&number.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_as_short_as_can_be() {
        let written = |octets| {
            let (header, size) = header(Opcode::Text, octets);
            header[..size].to_vec()
        };
        assert_eq!(written(0), [0x81, 0]);
        assert_eq!(written(125), [0x81, 125]);
        assert_eq!(written(126), [0x81, 126, 0, 126]);
        assert_eq!(written(65_535), [0x81, 126, 255, 255]);
        assert_eq!(written(65_536), [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn closing() {
        let mut out = Vec::new();
        close(&mut out, Some(Status::NORMAL));
        close(&mut out, None);
        assert_eq!(out, [0x88, 2, 0x03, 0xE8, 0x88, 0]);
        for number in [1000, 1003, 1007, 1011, 3000, 4999] {
            assert!(Status(number).may_be_sent(), "{number}");
        }
        for number in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535] {
            assert!(!Status(number).may_be_sent(), "{number}");
        }
    }
}
