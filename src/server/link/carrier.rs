//! Ways that carry whole elements and no octets: the requests of BOSH.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// What a stream goes over in place of a socket. Elements are [framed](xmpp::Session::framed): each is a document of its own.
pub(crate) trait Carrier: Send + Sync {
    /// The next element of the peer, whole. `None` when no more will come: the peer is gone.
    fn poll_element(&self, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>>;

    /// Takes all of these elements, which follow each other ([`xml::first_element`] tells them apart), and leaves nothing.
    ///
    /// # Errors
    /// `WouldBlock` while they cannot go on their way, with nothing taken: [`Self::poll_write_ready`] tells when they can. Every other is the
    /// end of the way.
    fn try_write(&self, elements: &mut Vec<u8>) -> io::Result<()>;

    /// Waits until elements can go on their way.
    fn poll_write_ready(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// How many octets of all that was taken the peer is known to have got.
    fn delivered(&self) -> u64;

    /// Waits until that is all of them.
    fn poll_delivered(&self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Nothing more is written: the stream has ended, or goes on over another connection.
    fn finish(&self);

    /// The other end.
    fn peer(&self) -> SocketAddr;
}
