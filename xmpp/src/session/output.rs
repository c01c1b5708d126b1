//! What a session wants its driver to do.

use crate::action::Action;

/// What the driver does next, in this order.
#[derive(Debug)]
pub enum Output {
    /// Octets for the peer.
    Send(Vec<u8>),
    /// Write out what was sent before, begin the TLS handshake on the next octet that the peer sends, and tell its end with
    /// [`Session::handle_secured`](super::Session::handle_secured). What the driver itself has read already and not handed in
    /// must be thrown away: it came in the clear.
    StartTls,
    /// Something for the outside.
    Act(Action),
    /// Write out what was sent before, send the TLS close_notify, and close. Nothing follows. The peer's own closing tag is
    /// of no interest any more, but a driver that reads on and drops what comes for a moment before it closes spares
    /// the peer a reset that would swallow the last words (RFC 6120 §4.4).
    Close,
}
