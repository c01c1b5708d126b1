//! Frames of RFC 6455 as a client writes and reads them, one element each (RFC 7395 §3.3.3).

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::answer::{self, Answer};
use super::site::Site;
use super::socket::Socket;
use crate::failure::{Doing, Failure, Result, peer};

/// What is appended to the key of a handshake (RFC 6455 §1.3).
const MAGIC: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// The first octet of a ping, whole.
pub(crate) const PING: u8 = 0x89;
const PONG: u8 = 0x8a;
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// The opening handshake (RFC 6455 §4.1) with the subprotocol `xmpp`.
pub(crate) async fn upgrade(socket: &mut Socket, site: &Site) -> Result<()> {
    let key = STANDARD.encode(rand::random::<u128>().to_ne_bytes());
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: xmpp\r\nOrigin: http://{}\r\n\r\n",
        site.path, site.domain, site.domain
    );
    let sent = socket.write_all(request.as_bytes()).await;
    sent.doing("asking for WebSocket")?;
    socket.flush().await.doing("asking for WebSocket")?;
    let mut said = Vec::with_capacity(512);
    let answer = loop {
        if let Some(answer) = Answer::read(&said)? {
            break answer;
        }
        let read = socket.read_buf(&mut said).await;
        if read.doing("reading the answer")? == 0 {
            return Err(peer("the server closed the connection", &said));
        }
    };
    answer.body(&said, 101)?;
    let accept = answer::field(&said[answer.fields], "sec-websocket-accept");
    let expected = STANDARD.encode(Sha1::digest(format!("{key}{MAGIC}")));
    if accept != Some(expected.as_bytes()) || said.len() > answer.body.end {
        return Err(peer("not the answer to this handshake", &said));
    }
    Ok(())
}

/// A frame of the server, in the bytes that start with it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// What it says; a ping as it came, so that it can be told from an element.
    pub(crate) item: Range<usize>,
    /// Its length.
    pub(crate) length: usize,
}

/// The frame at the start of these bytes, `None` where it is not complete. Pongs are empty items.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Frame>> {
    let [first, second, ..] = *bytes else {
        return Ok(None);
    };
    let (start, length) = match second {
        0..=125 => (2, usize::from(second)),
        126 => match bytes.get(2..4).and_then(|two| two.try_into().ok()) {
            Some(two) => (4, usize::from(u16::from_be_bytes(two))),
            None => return Ok(None),
        },
        127 => match bytes.get(2..10).and_then(|eight| eight.try_into().ok()) {
            Some(eight) => (10, u64::from_be_bytes(eight) as usize),
            None => return Ok(None),
        },
        128.. => return Err(Failure::Peer("a masked frame of the server".to_owned())),
    };
    let end = start + length;
    if bytes.len() < end {
        return Ok(None);
    }
    let item = match first {
        TEXT => start..end,
        PING => 0..end,
        PONG => end..end,
        CLOSE => return Err(peer("the server closed", &bytes[start..end])),
        _ => return Err(peer("neither text nor whole", &bytes[..end])),
    };
    Ok(Some(Frame { item, length: end }))
}

/// Appends a frame with these parts as its text.
pub(crate) fn write(out: &mut Vec<u8>, parts: [&[u8]; 3], key: [u8; 4]) {
    frame(out, TEXT, &parts, key);
}

/// Appends the answer to a ping that came as this frame.
pub(crate) fn write_pong(out: &mut Vec<u8>, ping: &[u8], key: [u8; 4]) {
    frame(out, PONG, &[ping.get(2..).unwrap_or_default()], key);
}

fn frame(out: &mut Vec<u8>, kind: u8, parts: &[&[u8]], key: [u8; 4]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.push(kind);
    match length {
        0..=125 => out.push(0x80 | length as u8),
        126..=0xffff => {
            out.push(0x80 | 0x7e);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            out.push(0x80 | 0x7f);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&key);
    let start = out.len();
    for part in parts {
        out.extend_from_slice(part);
    }
    let masked = out.get_mut(start..).unwrap_or_default();
    for (byte, mask) in masked.iter_mut().zip(key.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_all_lengths_are_told_apart() {
        for length in [3_usize, 125, 126, 300, 0x1_0001] {
            let mut whole = vec![TEXT];
            match length {
                0..=125 => whole.push(length as u8),
                126..=0xffff => {
                    whole.push(126);
                    whole.extend((length as u16).to_be_bytes());
                }
                _ => {
                    whole.push(127);
                    whole.extend((length as u64).to_be_bytes());
                }
            }
            let start = whole.len();
            whole.resize(start + length, b'x');
            let end = whole.len();
            for cut in [0, 1, start - 1, start, end - 1] {
                assert_eq!(read(&whole[..cut]).expect("good"), None, "{length} {cut}");
            }
            whole.push(PING);
            let frame = read(&whole).expect("good").expect("whole");
            assert_eq!((frame.item, frame.length), (start..end, end));
        }
        assert!(read(&[CLOSE, 2, 3, 0xe8]).is_err());
        assert!(read(&[1, 1, b'<']).is_err());
    }

    #[test]
    fn what_is_written_is_masked() {
        // RFC 6455 §5.7: a masked "Hello".
        let mut out = Vec::new();
        write(&mut out, [b"H", b"el", b"lo"], [0x37, 0xfa, 0x21, 0x3d]);
        let expected = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(out, expected);
        out.clear();
        write_pong(&mut out, &[PING, 1, b'x'], [0; 4]);
        assert_eq!(out, [PONG, 0x81, 0, 0, 0, 0, b'x']);
    }
}
