//! What a session wants its driver to do.

use crate::action::Action;

/// What the driver does next, in this order.
#[derive(Debug)]
pub enum Output {
    /// Octets for the peer. On a managed stream: no stanza.
    Send(Vec<u8>),
    /// On a managed stream: one stanza for the peer (XEP-0198).
    Stanza(Vec<u8>),
    /// The peer is not there any more, and the stream may be resumed: what is open is given up, the session waits.
    Lost,
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
