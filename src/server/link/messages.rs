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
    ///
    /// # Errors
    /// TLS has failed, or the peer has ended it: nothing more will come. What came before that is in `plain`.
    pub(crate) fn take_rest(&self, plain: &mut Vec<u8>) -> io::Result<()> {
        let taken = match &mut self.io.lock().tls {
            Some(tls) => rest(tls, plain),
            None => Ok(()),
        };
        // Also what it says of a failure.
        self.flush();
        taken
    }

    /// Appends the end of the stream: an error and the closing tag or element.
    pub(crate) fn append_end(self: &Arc<Self>, condition: StreamCondition, why: Option<&str>) {
        self.closes_by(condition);
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

    /// With what reason the WebSocket connection closes when it does. What is said first is nearest to the cause.
    pub(crate) fn closes_with(&self, status: Status) {
        let mut io = self.io.lock();
        if io.status == Status::NORMAL {
            io.status = status;
        }
    }

    /// With what reason it closes when its stream has ended by this error: with the same one where RFC 6455 §7.4.1 has it. Where that has
    /// none the stream has said all there is to say, and closes as any other (RFC 7395 §3.5, §3.6).
    pub(crate) fn closes_by(&self, error: StreamCondition) {
        self.closes_with(match error {
            StreamCondition::SystemShutdown => Status::GOING_AWAY,
            StreamCondition::PolicyViolation => Status::POLICY,
            StreamCondition::InternalServerError | StreamCondition::ResourceConstraint => {
                Status::INTERNAL
            }
            _ => Status::NORMAL,
        });
    }
}

fn rest(tls: &mut ServerConnection, plain: &mut Vec<u8>) -> io::Result<()> {
    let state = tls.process_new_packets().map_err(io::Error::other)?;
    let (begin, ready) = (plain.len(), state.plaintext_bytes_to_read());
    plain.resize(begin + ready, 0);
    tls.reader().read_exact(&mut plain[begin..])?;
    if state.peer_has_closed() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(())
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
