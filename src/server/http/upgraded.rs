//! A connection that speaks something else from now on, as its socket.

use hyper::body::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// The socket of a connection, with the octets that were read already and are not HTTP.
pub(crate) enum Taken {
    /// Of `[http] listen`.
    Plain(TcpStream, Bytes),
    /// Of `[http] listen_tls`.
    Tls(Box<TlsStream<TcpStream>>, Bytes),
}

/// Takes the socket of an upgraded connection, so that what runs over it costs no layer of HTTP. `None` for what is none of ours.
pub(crate) fn take(upgraded: Upgraded) -> Option<Taken> {
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return Some(Taken::Plain(parts.io.into_inner(), parts.read_buf)),
        Err(other) => other,
    };
    let parts = upgraded.downcast::<TokioIo<TlsStream<TcpStream>>>().ok()?;
    Some(Taken::Tls(Box::new(parts.io.into_inner()), parts.read_buf))
}
