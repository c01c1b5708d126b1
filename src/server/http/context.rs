//! What a handler knows of a request beside the request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::trusted::Origin;
use crate::server::accept::Counting;
use crate::server::shared::Shared;

/// The listener that a connection came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `[http] listen`
    Plain,
    /// `[http] listen_tls`
    Tls,
}

/// A connection, as its requests see it.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) shared: Arc<Shared>,
    /// The other end of the connection: the client, or a proxy.
    pub(crate) peer: SocketAddr,
    pub(crate) side: Side,
    /// Counts the connection: kept by what outlives HTTP on it, a WebSocket.
    pub(crate) counting: Arc<Counting>,
}

/// What a handler knows of a request beside the request.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) connected: Connected,
    /// Where the request is believed to come from: the peer, or who a trusted proxy says.
    pub(crate) client: IpAddr,
    /// The client speaks TLS: with us, or with a trusted proxy. So its URL is one of `https`.
    pub(crate) secure: bool,
    /// Nobody could listen in on the way: our TLS, this machine, or a trusted proxy's TLS.
    pub(crate) confidential: bool,
    /// It was made on this machine, and not passed on by a proxy here.
    pub(crate) local: bool,
}

impl Context {
    /// Of a request that came over a connection from such an origin.
    pub(super) fn new(connected: Connected, origin: Origin) -> Self {
        Self {
            connected,
            client: origin.client,
            secure: origin.secure,
            confidential: origin.confidential,
            local: origin.local,
        }
    }

    /// The server.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.connected.shared
    }
}
