//! Connections of clients, of every kind, from their first octet to their last.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustls::ServerConnection;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use xmpp::session::{Secured, Session, Way};

use super::{Connection, Counted, Inbox, resume};
use crate::certificates::Listener;
use crate::server::accept::Counting;
use crate::server::link::{Carrier, Link, Source, read};
use crate::server::shared::Shared;
use crate::server::turn::turn;

/// How long, and how much, is read on after our end, so that a reset does not swallow the last words (RFC 6120 §4.4).
const LINGER: Duration = Duration::from_secs(1);
const LINGER_OCTETS: usize = 256 * 1024;

/// Serves one accepted connection until it ends.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    link: Arc<Link>,
    mut source: Source,
    direct: bool,
    counting: Counting,
) {
    // What is over soon has no room in the task, which lives as long as the session.
    let Some(mut connection) = Box::pin(begin_with(shared, link, &mut source, direct)).await else {
        return;
    };
    connection.run(&mut source).await;
    after(connection, source, counting).await;
}

/// A connection that HTTP has handed over: it speaks WebSocket from now on.
pub(crate) struct Upgraded {
    pub(crate) socket: TcpStream,
    pub(crate) tls: Option<Box<ServerConnection>>,
    /// What was read from it already, after TLS.
    pub(crate) early: Bytes,
    /// Where the client is.
    pub(crate) peer: SocketAddr,
}

/// Serves a stream over WebSocket until it ends (RFC 7395). `counting` lives as long as its connection.
pub(crate) async fn serve_websocket(
    shared: Arc<Shared>,
    upgraded: Upgraded,
    way: Way,
    counting: Arc<Counting>,
) {
    let (mut connection, mut source) = begin_websocket(shared, upgraded, way);
    connection.run(&mut source).await;
    after(connection, source, counting).await;
}

fn begin_websocket(shared: Arc<Shared>, upgraded: Upgraded, way: Way) -> (Box<Connection>, Source) {
    let Upgraded {
        socket,
        tls,
        early,
        peer,
    } = upgraded;
    let limit = shared.config.limits.out_queue;
    let (link, mut source) = Link::websocket(socket, tls, peer, limit);
    let session = framed(&shared, way);
    let mut connection = Connection::new(shared, Arc::clone(&link), session);
    let mut early = Vec::from(early);
    turn(|| {
        let taken = link.take_rest(&mut early);
        connection.receive(&early, source.frames());
        if let Err(error) = taken {
            tracing::debug!(%peer, %error, "the connection was lost");
            connection.end();
        }
    });
    (connection, source)
}

/// Serves a stream whose elements something else than a socket carries, until it ends.
pub(crate) async fn serve_carried(shared: Arc<Shared>, carrier: Arc<dyn Carrier>, way: Way) {
    let (link, mut source) = Link::carried(&carrier, shared.config.limits.out_queue);
    drop(carrier);
    let session = framed(&shared, way);
    let mut connection = Connection::new(shared, link, session);
    connection.run(&mut source).await;
    after(connection, source, ()).await;
}

fn framed(shared: &Shared, way: Way) -> Session {
    let settings = Arc::clone(&shared.xmpp);
    Session::framed(settings, shared.now().at, way, rand::random())
}

/// What comes behind the last that was read. `counting` lives as long as the connection.
fn after(
    connection: Box<Connection>,
    mut source: Source,
    counting: impl Send + 'static,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    if connection.is_detached() {
        drop((source, counting));
        return Box::pin(resume::wait(connection));
    }
    Box::pin(async move {
        let heard_out = connection.peer_is_done;
        { connection }.finish();
        if let (false, Some(socket)) = (heard_out, source.socket()) {
            linger(socket).await;
        }
        drop(counting);
    })
}

impl Connection {
    fn new(shared: Arc<Shared>, link: Arc<Link>, session: Session) -> Box<Self> {
        let mut connection = Box::new(Self {
            inbox: Arc::new(Inbox::default()),
            session: Box::new(session),
            bound: None,
            begun: None,
            proven: None,
            route: None,
            managed: None,
            secrets: 0,
            held: None,
            unanswered: 0,
            marked: false,
            handshaking: false,
            closing: false,
            peer_is_done: false,
            give_up: None,
            counted: None,
            ended: false,
            unwritten: Vec::new(),
            shared,
            link,
        });
        connection.count(Some(Counted::Open));
        connection
    }
}

/// The session on a connection. `None` when its handshake came to nothing.
async fn begin_with(
    shared: Arc<Shared>,
    link: Arc<Link>,
    source: &mut Source,
    direct: bool,
) -> Option<Box<Connection>> {
    let (secured, early) = if direct {
        handshake(&shared, &link, source.socket()?).await?
    } else {
        (None, Vec::new())
    };
    let settings = Arc::clone(&shared.xmpp);
    let session = Session::new(settings, shared.now().at, secured, rand::random());
    let mut connection = Connection::new(shared, link, session);
    turn(|| connection.receive(&early, None));
    Some(connection)
}

/// Reads on and throws away until the peer ends as well, for a moment.
async fn linger(socket: &mut OwnedReadHalf) {
    let mut left = LINGER_OCTETS;
    let reading = async {
        while let Ok(len @ 1..) = read(socket, <[u8]>::len).await {
            left = left.saturating_sub(len);
            if left == 0 {
                return;
            }
        }
    };
    let _ = tokio::time::timeout(LINGER, reading).await;
}

/// TLS from the first octet on (XEP-0368). `None` when it came to nothing in the time there is. Nothing of the client's first flight
/// after the handshake is lost: it is read after it.
async fn handshake(
    shared: &Shared,
    link: &Link,
    socket: &mut OwnedReadHalf,
) -> Option<(Option<Secured>, Vec<u8>)> {
    let config = shared.certificates.current();
    link.start_tls(config.server_config(Listener::XmppDirect))
        .ok()?;
    let deadline = shared.config.limits.unauthenticated_time;
    let mut early = Vec::new();
    let shaken = async {
        loop {
            let done = read(socket, |mut octets| {
                if octets.is_empty() {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                let done = link.take_in(&mut octets, &mut early)?;
                if done {
                    // What the client sent behind its last handshake message.
                    link.take_in(&mut octets, &mut early)?;
                }
                Ok::<_, std::io::Error>(done)
            });
            if done.await.ok()?.ok()? {
                return secured(shared, link);
            }
        }
    };
    let secured = tokio::select! {
        shaken = tokio::time::timeout(deadline, shaken) => shaken.ok().flatten()?,
        () = shared.stopped() => return None,
    };
    Some((Some(secured), early))
}

/// What a finished handshake gives to channel binding.
pub(super) fn secured(shared: &Shared, link: &Link) -> Option<Secured> {
    let done = link.handshaken()?;
    let certificates = shared.certificates.current();
    let server_end_point = certificates
        .end_point(done.server_name.as_deref())
        .map(<[u8]>::to_vec);
    Some(Secured {
        exporter: done.exporter,
        server_end_point,
        sni: done.server_name,
    })
}

#[cfg(test)]
mod tests;
