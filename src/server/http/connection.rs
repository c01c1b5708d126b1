//! One HTTP connection: TLS, HTTP/1.1 and HTTP/2, how long it may be idle, its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::context::{Connected, Side};
use super::dispatch::dispatch;
use super::quick::{self, Socket};
use super::rewound::Rewound;
use crate::certificates::Listener;
use crate::server::accept::Counting;
use crate::server::shared::Shared;

/// The longest head of a request, and the most that is read or written ahead.
const BUFFER: usize = 32 * 1024;
/// HTTP/2: requests of one connection at a time.
const STREAMS: u32 = 100;
/// How long an idle connection that is told to end takes for its last words.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves one connection, with TLS or without.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    peer: SocketAddr,
    side: Side,
    counting: Counting,
) {
    let _ = socket.set_nodelay(true);
    let connected = Connected {
        shared,
        peer,
        side,
        counting: Arc::new(counting),
    };
    // Each part has a box of its own, which is gone when the next one begins: most connections need the second alone.
    let (mut socket, mut speaks) = match side {
        Side::Plain => (Socket::Plain(socket), None),
        Side::Tls => match Box::pin(shake_hands(&connected, socket)).await {
            Some((socket, speaks)) => (Socket::Tls(socket), speaks),
            None => return,
        },
    };
    let mut read = Bytes::new();
    if speaks.is_none() {
        let _open = Open::new(&connected.shared);
        let patience = first_patience(&connected.shared);
        // BOSH goes a short way, until a request comes that is something else: that is for hyper.
        (socket, read, speaks) = match Box::pin(quick::serve(&connected, socket, patience)).await {
            quick::End::Over => return,
            quick::End::Http1 { socket, read } => (socket, read, None),
            quick::End::Http2 { socket, read } => (socket, read, Some(Speaks::Http2)),
        };
    }
    run_boxed(connected, socket, read, speaks.unwrap_or(Speaks::Http1)).await;
}

fn run_boxed(
    connected: Connected,
    socket: Socket,
    read: Bytes,
    speaks: Speaks,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    match socket {
        Socket::Plain(socket) => Box::pin(run(connected, Rewound::new(socket, read), speaks)),
        Socket::Tls(stream) => Box::pin(run(connected, Rewound::new(*stream, read), speaks)),
    }
}

/// The TLS handshake, and what is spoken where that is settled by it.
async fn shake_hands(
    connected: &Connected,
    socket: TcpStream,
) -> Option<(Box<TlsStream<TcpStream>>, Option<Speaks>)> {
    let shared = &connected.shared;
    let settings = shared.certificates.current().server_config(Listener::Http);
    let deadline = shared.config.limits.unauthenticated_time;
    let accepted = timeout(deadline, TlsAcceptor::from(settings).accept(socket)).await;
    let stream = accepted.ok()?.ok()?;
    let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    Some((Box::new(stream), is_http2.then_some(Speaks::Http2)))
}

/// Which HTTP is spoken on a connection.
enum Speaks {
    /// HTTP/1.0 or 1.1.
    Http1,
    /// HTTP/2.
    Http2,
}

async fn run<S>(connected: Connected, socket: S, speaks: Speaks)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shared = Arc::clone(&connected.shared);
    let activity = Arc::new(Activity::new());
    let watched = Arc::clone(&activity);
    let service = service_fn(move |request| {
        let activity = watched.begin();
        let answer = dispatch(connected.clone(), request);
        // Boxed: what it needs while it answers is not kept by a connection that is idle.
        Box::pin(async move {
            let answer = answer.await;
            Ok::<_, Infallible>(answer.map(|content| content.watched(activity.end())))
        })
    });
    let socket = TokioIo::new(socket);
    // The builders that find out by themselves which of both is spoken let each connection keep twice as much.
    match speaks {
        Speaks::Http1 => {
            let mut connection = pin!(
                http1::Builder::new()
                    // Whoever is slow is idle: see `attend`.
                    .header_read_timeout(None)
                    .max_buf_size(BUFFER)
                    .serve_connection(socket, service)
                    .with_upgrades()
            );
            let end = http1::UpgradeableConnection::graceful_shutdown;
            attend(&shared, &activity, connection.as_mut(), end).await;
        }
        Speaks::Http2 => {
            // Boxed: it is larger than the other.
            let mut connection = Box::pin(
                http2::Builder::new(TokioExecutor::new())
                    .timer(TokioTimer::new())
                    .max_concurrent_streams(STREAMS)
                    .max_header_list_size(BUFFER as u32)
                    .max_send_buf_size(BUFFER)
                    .serve_connection(socket, service),
            );
            let end = http2::Connection::graceful_shutdown;
            attend(&shared, &activity, connection.as_mut(), end).await;
        }
    }
}

/// Counts a connection while it lives: the server waits for it when it stops, since what it was asked may be answered then.
struct Open(Arc<Shared>);

impl Open {
    fn new(shared: &Arc<Shared>) -> Self {
        let open = Self(Arc::clone(shared));
        open.0
            .gauges
            .http_connections
            .fetch_add(1, Ordering::Relaxed);
        open
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0
            .gauges
            .http_connections
            .fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves until the peer goes, nothing was asked for too long, or the server stops: `end` has the connection finish what it is at.
async fn attend<C: Future>(
    shared: &Arc<Shared>,
    activity: &Activity,
    mut connection: Pin<&mut C>,
    end: impl Fn(Pin<&mut C>),
) {
    let idle = shared.config.limits.http_idle_time;
    let _open = Open::new(shared);
    let mut stopped = pin!(shared.stopped());
    let mut deadline = Instant::now() + first_patience(shared);
    loop {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = &mut stopped => {
                end(connection.as_mut());
                if activity.is_idle() {
                    // Half a head may be all that ever comes.
                    let _ = timeout(LAST_WORDS, connection).await;
                } else {
                    let _ = connection.await;
                }
                return;
            }
            () = sleep_until(deadline) => {
                let Some(later) = activity.patience(idle) else {
                    end(connection.as_mut());
                    let _ = timeout(LAST_WORDS, connection).await;
                    return;
                };
                deadline = later;
            }
        }
    }
}

/// How long the first request may take.
fn first_patience(shared: &Shared) -> Duration {
    let limits = &shared.config.limits;
    limits.unauthenticated_time.min(limits.http_idle_time)
}

/// What goes on over a connection.
pub(super) struct Activity {
    start: Instant,
    /// Requests that are being answered.
    running: AtomicUsize,
    /// When something was asked or taken last, in milliseconds since the start; 0 for never.
    last: AtomicU64,
}

impl Activity {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            running: AtomicUsize::new(0),
            last: AtomicU64::new(0),
        }
    }

    /// A sign of life.
    pub(super) fn seen(&self) {
        let millis = self.start.elapsed().as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX).max(1);
        self.last.store(millis, Ordering::Relaxed);
    }

    /// Nothing is being answered.
    fn is_idle(&self) -> bool {
        self.running.load(Ordering::Relaxed) == 0
    }

    fn begin(self: &Arc<Self>) -> Running {
        self.seen();
        self.running.fetch_add(1, Ordering::Relaxed);
        Running(Arc::clone(self))
    }

    /// When to look again, where it may be idle for so long; `None` when it was.
    fn patience(&self, idle: Duration) -> Option<Instant> {
        let now = Instant::now();
        if !self.is_idle() {
            return Some(now + idle);
        }
        let last = self.last.load(Ordering::Relaxed);
        let later = self.start + Duration::from_millis(last) + idle;
        (last > 0 && later > now).then_some(later)
    }
}

/// A request that is being answered, while this lives.
struct Running(Arc<Activity>);

impl Running {
    /// The answer is there, and goes out from now on.
    fn end(self) -> Arc<Activity> {
        Arc::clone(&self.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.seen();
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
