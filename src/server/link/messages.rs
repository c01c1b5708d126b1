//! A link over WebSocket: what is said beside elements, and the end of the connection.

use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConnection;
use tokio::net::TcpStream;
use xmpp::StreamCondition;
use xmpp::stream::{self, framing};

use super::framing::Framing;
use super::{Io, Link, Sink, Source, turn};
use crate::server::websocket::{self, Opcode, Status, header};

impl Link {
    /// A link for framed elements over a connection that speaks WebSocket from now on, and what is read from.
    pub(crate) fn websocket(
        socket: TcpStream,
        tls: Option<Box<ServerConnection>>,
        peer: SocketAddr,
        limit: usize,
    ) -> (Arc<Self>, Source) {
        let _ = socket.set_nodelay(true);
        let (reader, socket) = socket.into_split();
        let link = Self::over(Sink::Socket(socket), Framing::Messages, tls, peer, limit);
        (link, Source::Socket(reader, Some(Box::default())))
    }

    /// Takes out what TLS has decrypted and nobody has read, and writes out what it has to say: the connection was another's before.
    pub(crate) fn take_rest(&self, plain: &mut Vec<u8>) -> io::Result<()> {
        let mut io = self.io.lock();
        if let Some(tls) = &mut io.tls {
            let state = tls.process_new_packets().map_err(io::Error::other)?;
            let (begin, ready) = (plain.len(), state.plaintext_bytes_to_read());
            plain.resize(begin + ready, 0);
            tls.reader().read_exact(&mut plain[begin..])?;
        }
        drop(io);
        self.flush();
        Ok(())
    }

    /// Appends the end of the stream: an error and the closing tag or element.
    pub(crate) fn append_end(self: &Arc<Self>, condition: StreamCondition, why: Option<&str>) {
        if self.io.lock().framing == Framing::Stream {
            return self.append_last(|out| stream::end(out, condition, why));
        }
        self.append_last(|out| stream::error(out, condition, why));
        self.append_last(|out| framing::close(out, None));
    }

    /// Answers a ping of WebSocket (RFC 6455 §5.5.3).
    pub(crate) fn pong(self: &Arc<Self>, data: &[u8]) {
        let mut io = self.io.lock();
        // Who does not read needs none, and each would be kept for him.
        if io.is_lost() || io.blocked || io.framing != Framing::Messages {
            return;
        }
        let (begin, size) = header(Opcode::Pong, data.len());
        io.plain.extend_from_slice(&begin[..size]);
        io.plain.extend_from_slice(data);
        drop(io);
        // Within the same limit as everything else.
        self.append_last(|_| ());
    }

    /// Closes the WebSocket connection: nothing is written behind that.
    pub(crate) fn shut(self: &Arc<Self>, status: Option<Status>) {
        let mut io = self.io.lock();
        if let Some(status) = status {
            io.status = status;
        }
        io.shut(status);
        if !io.marked && !io.blocked {
            io.marked = true;
            drop(io);
            turn::mark(self);
        }
    }

    /// With what reason the WebSocket connection closes when it does.
    pub(crate) fn closes_with(&self, status: Status) {
        self.io.lock().status = status;
    }
}

impl Io {
    /// Puts the frame into the queue that closes a WebSocket connection, once.
    pub(super) fn shut(&mut self, status: Option<Status>) {
        if self.framing == Framing::Messages && !self.is_lost() {
            websocket::close(&mut self.plain, status.or(Some(self.status)));
        }
        self.shut |= self.framing == Framing::Messages;
    }
}
