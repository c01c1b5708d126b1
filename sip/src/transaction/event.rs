//! What comes out of the layer.

use bytes::Bytes;
use thiserror::Error;

use super::Flow;
use crate::{Request, Response};

/// A server transaction: a request that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub(super) u64);

/// A client transaction: a request that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(pub(super) u64);

/// Something the user of the layer is to know.
#[derive(Debug, Clone)]
pub enum Event {
    /// A new request. Each comes once; ACK and CANCEL never come.
    Request {
        /// To be answered with [`Layer::respond`](super::Layer::respond), or forgotten.
        id: ServerId,
        /// The request; `received` and `rport` are noted in its topmost Via.
        request: Request,
        /// How it came.
        flow: Flow,
    },
    /// A response: any number of provisional ones, then one final one, which ends the transaction.
    Response {
        /// The transaction.
        id: ClientId,
        /// The response.
        response: Response,
    },
    /// There will be no final response. Ends the transaction.
    Failed {
        /// The transaction.
        id: ClientId,
        /// Why.
        why: Failure,
    },
    /// A keep-alive came; nothing is to be done but to note that the peer is there.
    Ping {
        /// How it came.
        flow: Flow,
    },
}

/// Why a client transaction ended without a final response (RFC 3261 §8.1.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum Failure {
    /// Nothing came within 64*T1 (Timer F); to be treated as a 408.
    #[error("no answer in time")]
    Timeout,
    /// The request could not be sent, or its connection was closed; to be treated as a 503.
    #[error("could not be sent")]
    Transport,
}

/// Octets to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transmit {
    /// Where to. A stream without a connection is one to `remote` that the driver has, or opens.
    pub to: Flow,
    /// The message.
    pub octets: Bytes,
}
