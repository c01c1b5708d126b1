//! What a connection reads, handed to its session: octets, out of TLS where it is there, or elements, out of WebSocket frames where they come
//! in those.

use xmpp::StreamCondition;

use super::Connection;
use super::serve::secured;
use crate::server::link::Input;
use crate::server::websocket::{Message, Reader, Status, Violation};

impl Connection {
    /// Takes what was read.
    pub(super) fn received(&mut self, input: Input<'_>) {
        match input {
            Input::Octets(octets, frames) if self.link.has_tls() => self.decrypt(octets, frames),
            Input::Octets(octets, frames) => self.receive(octets, frames),
            Input::Element(element) => self.take(element),
            Input::End => self.end(),
        }
    }

    /// Nothing more will come.
    pub(super) fn end(&mut self) {
        self.peer_is_done = true;
        if self.lose() {
            return;
        }
        self.session.handle_eof(self.now());
        self.closing = true;
    }

    /// Takes octets after TLS.
    pub(super) fn receive(&mut self, octets: &[u8], frames: Option<&mut Reader>) {
        if octets.is_empty() {
            return;
        }
        if let Some(frames) = frames {
            return self.unframe(octets, frames);
        }
        self.session.handle_bytes(self.now(), octets);
        self.drain();
    }

    /// Takes an element that came by itself.
    fn take(&mut self, element: Vec<u8>) {
        self.session.handle_element(self.now(), element);
        self.drain();
    }

    fn decrypt(&mut self, mut octets: &[u8], mut frames: Option<&mut Reader>) {
        let mut plain = Vec::new();
        while !octets.is_empty() && !self.closing && !self.is_detached() {
            plain.clear();
            let taken = self.link.take_in(&mut octets, &mut plain);
            // What is in the clear came behind the handshake, also when both were read at once.
            if let Ok(true) = taken {
                self.handshaken();
            }
            self.receive(&plain, frames.as_deref_mut());
            if let Err(error) = taken {
                tracing::debug!(peer = %self.link.peer(), %error, "the connection was lost");
                return self.end();
            }
        }
    }

    fn handshaken(&mut self) {
        if !self.handshaking {
            return;
        }
        if let Some(secured) = secured(&self.shared, &self.link) {
            self.handshaking = false;
            self.session.handle_secured(self.now(), secured);
        }
    }

    /// Takes octets that are WebSocket frames.
    fn unframe(&mut self, mut octets: &[u8], frames: &mut Reader) {
        // A long message may take its time.
        self.session.handle_life(self.now());
        while !self.closing && !self.is_detached() {
            match frames.read(&mut octets, self.session.most_octets()) {
                Ok(None) => return,
                Ok(Some(Message::Text(text))) => self.take(text),
                Ok(Some(Message::Ping(data))) => {
                    self.session.handle_life(self.now());
                    self.link.pong(&data);
                }
                Ok(Some(Message::Pong)) => self.session.handle_life(self.now()),
                // The stream is implicitly closed, or goes on later (RFC 7395 §3.6).
                Ok(Some(Message::Close(status))) => return self.shut(status),
                Err(violation) => return self.violated(violation),
            }
        }
    }

    /// The connection fails (RFC 6455 §7.1.7). What is too big breaks a rule of the stream as well.
    fn violated(&mut self, violation: Violation) {
        tracing::debug!(peer = %self.link.peer(), %violation, "the WebSocket connection failed");
        if violation == Violation::TooBig {
            self.link.closes_with(violation.status());
            let text = "The stanza is too large";
            self.session
                .end(StreamCondition::PolicyViolation, Some(text));
            return self.drain();
        }
        self.shut(Some(violation.status()));
    }

    /// Closes the WebSocket connection.
    fn shut(&mut self, status: Option<Status>) {
        self.link.shut(status);
        self.end();
        // What is still sent is read before the connection ends, so that nothing of ours is lost (RFC 6455 §7.1.1).
        self.peer_is_done = false;
    }
}
