//! A bound session: what arrives is framed in place, what is sent goes out at once.

use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_rustls::client::TlsStream;

use super::socket::Socket;
use super::{bosh, frame, qualify, websocket};
use crate::failure::{Doing, Failure, Result};

/// A session, both directions.
pub(crate) struct Client {
    /// What the server sends.
    pub(crate) reader: Reader,
    /// What is sent to it.
    pub(crate) writer: Writer,
    /// The full address that the server bound.
    pub(crate) jid: String,
}

/// Buffers that have grown beyond this are given back once they are empty.
const LARGE: usize = 32 * 1024;

/// Where bytes come from.
enum Source {
    Plain(OwnedReadHalf),
    Tls(ReadHalf<TlsStream<TcpStream>>),
    Bosh(Rc<bosh::Session>),
}

/// Where bytes go.
enum Sink {
    Plain(OwnedWriteHalf),
    Tls(WriteHalf<TlsStream<TcpStream>>),
    Bosh(Rc<bosh::Session>),
}

/// The incoming half.
pub(crate) struct Reader {
    half: Source,
    /// Whether what comes are frames of WebSocket.
    framed: bool,
    buffer: Vec<u8>,
    head: usize,
    tail: usize,
}

/// The outgoing half.
pub(crate) struct Writer {
    half: Sink,
    /// What frames of WebSocket are masked with, where they are sent.
    mask: Option<[u8; 4]>,
}

impl Client {
    /// Takes a connection, on which frames of WebSocket are spoken where `framed`.
    pub(crate) fn new(socket: Socket, framed: bool) -> Self {
        let (read, write) = match socket {
            Socket::Plain(stream) => {
                let (read, write) = stream.into_split();
                (Source::Plain(read), Sink::Plain(write))
            }
            Socket::Tls(stream) => {
                let (read, write) = tokio::io::split(*stream);
                (Source::Tls(read), Sink::Tls(write))
            }
        };
        Self::over(read, write, framed)
    }

    /// Takes a BOSH session that is yet to be asked for.
    pub(crate) fn bosh(session: Rc<bosh::Session>) -> Self {
        let read = Source::Bosh(Rc::clone(&session));
        Self::over(read, Sink::Bosh(session), false)
    }

    fn over(read: Source, write: Sink, framed: bool) -> Self {
        Self {
            reader: Reader {
                half: read,
                framed,
                buffer: vec![0; 2048],
                head: 0,
                tail: 0,
            },
            writer: Writer {
                half: write,
                mask: framed.then(|| rand::random::<u32>().to_ne_bytes()),
            },
            jid: String::new(),
        }
    }

    /// The socket back, for STARTTLS.
    pub(crate) fn into_socket(self) -> Result<TcpStream> {
        if let (Source::Plain(read), Sink::Plain(write)) = (self.reader.half, self.writer.half)
            && self.reader.head == self.reader.tail
            && let Ok(stream) = read.reunite(write)
        {
            return Ok(stream);
        }
        let text = "the server sent more than it may before TLS";
        Err(Failure::Peer(text.to_owned()))
    }

    /// Opens the stream, or opens it anew, and reads the features.
    pub(crate) async fn open(&mut self, domain: &str) -> Result<()> {
        if let Sink::Bosh(session) = &self.writer.half {
            session.open().await?;
        } else if self.writer.mask.is_some() {
            let open = format!(
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{domain}' version='1.0'/>"
            );
            self.send(&open).await?;
        } else {
            let header = format!(
                "<?xml version='1.0'?><stream:stream to='{domain}' xmlns='jabber:client' \
                 xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
            );
            self.send(&header).await?;
        }
        self.expect("<stream:features").await.map(|_| ())
    }

    /// Ends the stream; what the server says to that is not waited for.
    pub(crate) async fn close(&mut self) -> Result<()> {
        if let Sink::Bosh(session) = &self.writer.half {
            return session.close().await;
        }
        if self.writer.mask.is_some() {
            let close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";
            return self.send(close).await;
        }
        self.send("</stream:stream>").await
    }

    /// The next item that starts like this; others are passed over.
    pub(crate) async fn expect(&mut self, start: &str) -> Result<Vec<u8>> {
        self.reader.expect(start).await
    }

    /// Sends this.
    pub(crate) async fn send(&mut self, text: &str) -> Result<()> {
        self.writer.send(text.as_bytes()).await
    }

    /// Sends this while what comes is read, until the answer to the IQ `id` has come; then answers the pings among it.
    pub(crate) async fn exchange(&mut self, text: &str, id: &str) -> Result<Vec<u8>> {
        let Self { reader, writer, .. } = self;
        let answer = async {
            let mut pongs = String::new();
            loop {
                let iq = reader.expect("<iq").await?;
                if answers(&iq, id) {
                    return Ok((iq, pongs));
                }
                pongs.extend(pong(&iq));
            }
        };
        let (sent, answer) = tokio::join!(writer.send(text.as_bytes()), answer);
        sent?;
        let (iq, pongs) = answer?;
        if !pongs.is_empty() {
            writer.send(pongs.as_bytes()).await?;
        }
        Ok(iq)
    }

    /// Shows whatever comes until the connection ends; answers pings (XEP-0199) as a good client does.
    pub(crate) async fn watch(mut self, mut see: impl FnMut(&[u8])) -> Result<()> {
        loop {
            let item = self.reader.next().await?;
            if item.first() == Some(&websocket::PING) {
                self.writer.pong(item).await?;
            } else if item.starts_with(b"<iq")
                && let Some(pong) = pong(item)
            {
                self.writer.send(pong.as_bytes()).await?;
            } else {
                see(item);
            }
        }
    }
}

/// Whether an IQ has this id.
fn answers(iq: &[u8], id: &str) -> bool {
    let text = String::from_utf8_lossy(iq);
    let tag = text.split('>').next().unwrap_or_default();
    attribute(tag, "id") == Some(id)
}

/// The answer to a ping.
fn pong(iq: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(iq).ok()?;
    let tag = text.split('>').next()?;
    if !text.contains("urn:xmpp:ping") || attribute(tag, "type") != Some("get") {
        return None;
    }
    let id = attribute(tag, "id")?;
    let to = attribute(tag, "from").map_or_else(String::new, |from| format!(" to='{from}'"));
    Some(format!("<iq type='result' id='{id}'{to}/>"))
}

/// The value of an attribute in a start tag.
pub(crate) fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        let (before, after) = rest.split_once('=')?;
        let quote = after.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (value, remains) = after.get(1..)?.split_once(quote)?;
        if before.trim_end().ends_with(name)
            && before
                .trim_end()
                .trim_end_matches(name)
                .ends_with(char::is_whitespace)
        {
            return Some(value);
        }
        rest = remains;
    }
}

impl Reader {
    /// The next item of the stream, good until the next call; a ping of WebSocket is one too.
    pub(crate) async fn next(&mut self) -> Result<&[u8]> {
        loop {
            if let Some((from, to)) = self.whole()? {
                return Ok(&self.buffer[from..to]);
            }
            self.fill().await?;
        }
    }

    /// Where the next item stands, if it has come; it counts as read.
    fn whole(&mut self) -> Result<Option<(usize, usize)>> {
        if self.framed {
            while let Some(found) = websocket::read(&self.buffer[self.head..self.tail])? {
                let from = self.head;
                self.head += found.length;
                if !found.item.is_empty() {
                    return Ok(Some((from + found.item.start, from + found.item.end)));
                }
            }
            return Ok(None);
        }
        while self.head < self.tail && self.buffer[self.head].is_ascii_whitespace() {
            self.head += 1;
        }
        let rest = &self.buffer[self.head..self.tail];
        let Some(length) = Some(rest)
            .filter(|rest| !rest.is_empty())
            .and_then(frame::length)
        else {
            return Ok(None);
        };
        let from = self.head;
        self.head += length;
        Ok(Some((from, self.head)))
    }

    async fn fill(&mut self) -> Result<()> {
        if self.head == self.tail && self.buffer.len() > LARGE {
            self.buffer = vec![0; 2048];
            (self.head, self.tail) = (0, 0);
        }
        if self.head > 0 {
            self.buffer.copy_within(self.head..self.tail, 0);
            self.tail -= self.head;
            self.head = 0;
        }
        if let Source::Bosh(session) = &self.half {
            self.buffer.truncate(self.tail);
            session.read(&mut self.buffer).await?;
            self.tail = self.buffer.len();
            return Ok(());
        }
        if self.tail == self.buffer.len() {
            self.buffer.resize((self.buffer.len() * 2).max(2048), 0);
        }
        let space = &mut self.buffer[self.tail..];
        let read = match &mut self.half {
            Source::Plain(half) => half.read(space).await,
            Source::Tls(half) => half.read(space).await,
            Source::Bosh(_) => Ok(0),
        };
        let read = read.doing("reading from the server")?;
        if read == 0 {
            let text = "the server closed the connection";
            return Err(Failure::Peer(text.to_owned()));
        }
        self.tail += read;
        Ok(())
    }

    /// The next item that starts like this; others are passed over, errors of the stream excepted.
    pub(crate) async fn expect(&mut self, start: &str) -> Result<Vec<u8>> {
        loop {
            let item = self.next().await?;
            if item.starts_with(start.as_bytes()) {
                return Ok(item.to_vec());
            }
            if item.starts_with(b"<stream:error") || item.starts_with(b"<failure") {
                return Err(crate::failure::peer("the server refused", item));
            }
        }
    }

    /// Reads whatever comes until the connection ends.
    pub(crate) async fn drain(mut self) -> Result<()> {
        loop {
            self.next().await?;
        }
    }
}

impl Writer {
    /// Sends this.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(mask) = self.mask else {
            return self.send_raw(bytes).await;
        };
        let mut frames = Vec::with_capacity(bytes.len() + 64);
        qualify::each(bytes, |parts| websocket::write(&mut frames, parts, mask));
        self.send_raw(&frames).await
    }

    /// Answers a ping of WebSocket.
    async fn pong(&mut self, ping: &[u8]) -> Result<()> {
        let mut frame = Vec::new();
        websocket::write_pong(&mut frame, ping, self.mask.unwrap_or_default());
        self.send_raw(&frame).await
    }

    async fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        let sent = match &mut self.half {
            Sink::Plain(half) => half.write_all(bytes).await,
            Sink::Tls(half) => match half.write_all(bytes).await {
                // What TLS has taken may still lie with it.
                Ok(()) => half.flush().await,
                Err(error) => Err(error),
            },
            Sink::Bosh(session) => return session.send(bytes).await,
        };
        sent.doing("writing to the server")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_their_whole_name() {
        let tag = "<iq xml:id='no' to=\"a'b\" id='7'";
        assert_eq!(attribute(tag, "id"), Some("7"));
        assert_eq!(attribute(tag, "to"), Some("a'b"));
        assert_eq!(attribute(tag, "from"), None);
    }

    #[test]
    fn pings_are_answered_and_nothing_else() {
        let ping = b"<iq from='d' id='p1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>";
        let expected = "<iq type='result' id='p1' to='d'/>";
        assert_eq!(pong(ping).as_deref(), Some(expected));
        assert_eq!(pong(b"<iq id='p1' type='result'/>"), None);
        assert!(answers(ping, "p1") && !answers(ping, "p"));
    }
}
