//! A connection that speaks something else from now on, as its socket.

use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::rewound::Rewound;

/// The socket of a connection, with the octets that were read already and are not HTTP.
pub(crate) enum Taken {
    /// Of `[http] listen`.
    Plain(TcpStream, Bytes),
    /// Of `[http] listen_tls`.
    Tls(Box<TlsStream<TcpStream>>, Bytes),
}

/// Takes the socket of an upgraded connection, so that what runs over it costs no layer of HTTP. `None` for what is none of ours.
pub(crate) fn take(upgraded: Upgraded) -> Option<Taken> {
    let upgraded = match upgraded.downcast::<TokioIo<Rewound<TcpStream>>>() {
        Ok(parts) => {
            let (socket, left) = parts.io.into_inner().into_inner();
            return Some(Taken::Plain(socket, joined(parts.read_buf, left)));
        }
        Err(other) => other,
    };
    let parts = upgraded
        .downcast::<TokioIo<Rewound<TlsStream<TcpStream>>>>()
        .ok()?;
    let (socket, left) = parts.io.into_inner().into_inner();
    Some(Taken::Tls(Box::new(socket), joined(parts.read_buf, left)))
}

/// What HTTP has read, and what it has not.
fn joined(read: Bytes, left: Bytes) -> Bytes {
    if left.is_empty() {
        return read;
    }
    [read, left].concat().into()
}
