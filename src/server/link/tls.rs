//! TLS of a link, driven by whoever reads or writes.

use std::io::{self, Read, Write};

use tokio::net::TcpStream;

use super::{Carrier, Io, Link, Sink, spare};

/// The most that is handed to TLS at a time, so that its own buffers stay small.
const PIECE: usize = 16 * 1024;
/// The most that is kept of what is written already.
const KEPT: usize = 64 * 1024;

/// What a finished handshake gives to channel binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Handshaken {
    /// RFC 9266 keying material. Unique on every connection: with TLS 1.2 the listeners take RFC 7627 sessions only.
    pub(crate) exporter: Option<[u8; 32]>,
    /// The name the client asked for.
    pub(crate) server_name: Option<String>,
}

struct TryIo<'a>(&'a TcpStream);

impl Write for TryIo<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.try_write(octets)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Io {
    /// Writes as much as the socket takes, or whatever else carries it.
    pub(super) fn write_out(&mut self) -> io::Result<()> {
        let sink = std::mem::replace(&mut self.sink, Sink::Lost);
        let result = match (&sink, self.tls.take()) {
            (Sink::Socket(socket), None) => self.write_plain(socket.as_ref()),
            (Sink::Socket(socket), Some(mut tls)) => {
                let result = self.write_tls(&mut tls, socket.as_ref());
                self.tls = Some(tls);
                result
            }
            (Sink::Carried(carrier), _) => self.hand_over(&**carrier),
            (Sink::Lost, _) => Ok(()),
        };
        self.sink = sink;
        result
    }

    fn hand_over(&mut self, carrier: &dyn Carrier) -> io::Result<()> {
        if !self.plain.is_empty() {
            let octets = self.plain.len();
            carrier.try_write(&mut self.plain)?;
            self.emptied();
            if let Some(unheard) = &mut self.unheard {
                unheard.hand_over(octets);
                unheard.delivered(carrier.delivered());
            }
        }
        Ok(())
    }

    fn write_plain(&mut self, socket: &TcpStream) -> io::Result<()> {
        while self.written < self.plain.len() {
            match socket.try_write(&self.plain[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.written += n,
                Err(error) => {
                    self.shorten();
                    return Err(error);
                }
            }
        }
        self.emptied();
        Ok(())
    }

    /// What is written is not kept, also when the peer never catches up.
    fn shorten(&mut self) {
        if self.written >= KEPT {
            self.plain.drain(..self.written);
            self.granted = self.granted.saturating_sub(self.written);
            self.written = 0;
        }
    }

    fn write_tls(
        &mut self,
        tls: &mut rustls::ServerConnection,
        socket: &TcpStream,
    ) -> io::Result<()> {
        loop {
            while tls.wants_write() {
                if let Err(error) = tls.write_tls(&mut TryIo(socket)) {
                    self.shorten();
                    return Err(error);
                }
            }
            if self.written == self.plain.len() {
                self.emptied();
                return Ok(());
            }
            if tls.is_handshaking() {
                return Ok(());
            }
            let end = self.plain.len().min(self.written + PIECE);
            self.written += tls.writer().write(&self.plain[self.written..end])?;
        }
    }

    /// An idle connection keeps no buffer.
    fn emptied(&mut self) {
        (self.written, self.granted) = (0, 0);
        spare::give(std::mem::take(&mut self.plain));
    }

    /// See [`Link::take_in`].
    pub(super) fn take_in(&mut self, octets: &mut &[u8], plain: &mut Vec<u8>) -> io::Result<bool> {
        let Some(mut tls) = self.tls.take() else {
            return Ok(false);
        };
        let result = decrypt(&mut tls, octets, plain);
        self.tls = Some(tls);
        // Handshake messages, alerts and tickets.
        match self.write_out() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.blocked = true,
            Err(error) => return Err(error),
            Ok(()) => {}
        }
        result
    }
}

fn decrypt(
    tls: &mut rustls::ServerConnection,
    octets: &mut &[u8],
    plain: &mut Vec<u8>,
) -> io::Result<bool> {
    while !octets.is_empty() {
        let shaking = tls.is_handshaking();
        tls.read_tls(octets)?;
        let state = tls
            .process_new_packets()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let ready = state.plaintext_bytes_to_read();
        if ready > 0 {
            let begin = plain.len();
            plain.resize(begin + ready, 0);
            tls.reader().read_exact(&mut plain[begin..])?;
        }
        if state.peer_has_closed() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if shaking && !tls.is_handshaking() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Link {
    /// What the handshake gave, once it is done; `None` while it goes on or when there is no TLS.
    pub(crate) fn handshaken(&self) -> Option<Handshaken> {
        let io = self.io.lock();
        let tls = io.tls.as_ref()?;
        if tls.is_handshaking() {
            return None;
        }
        let mut octets = [0; 32];
        let exported = tls
            .export_keying_material(&mut octets, b"EXPORTER-Channel-Binding", Some(b""))
            .is_ok();
        let server_name = tls.server_name().map(str::to_owned);
        Some(Handshaken {
            exporter: exported.then_some(octets),
            server_name,
        })
    }
}
