//! The HTTP listeners: what the program itself answers. Other services add their paths here.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::accept::Counting;
use super::metrics;
use super::shared::Shared;
use crate::certificates::Listener;

type Answer = Response<Full<Bytes>>;

/// Serves one connection, with TLS or without.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    socket: TcpStream,
    peer: SocketAddr,
    tls: bool,
    _counting: Counting,
) {
    let _ = socket.set_nodelay(true);
    if !tls {
        return run(shared, TokioIo::new(socket), peer).await;
    }
    let acceptor = TlsAcceptor::from(shared.certificates.current().server_config(Listener::Http));
    let deadline = shared.config.limits.unauthenticated_time;
    if let Ok(Ok(stream)) = tokio::time::timeout(deadline, acceptor.accept(socket)).await {
        run(shared, TokioIo::new(stream), peer).await;
    }
}

async fn run<S>(shared: Arc<Shared>, io: TokioIo<S>, peer: SocketAddr)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let header_time = shared.config.limits.unauthenticated_time;
    let service = service_fn(|request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(&shared, &request, peer)) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_time)
        .serve_connection(io, service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => {}
        () = shared.stopped() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

fn answer(shared: &Shared, request: &Request<Incoming>, peer: SocketAddr) -> Answer {
    let path = request.uri().path();
    let known = matches!(path, "/healthz" | "/readyz" | "/metrics" | "/ca.pem");
    if !known {
        return plain(StatusCode::NOT_FOUND, "There is nothing here.\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refused = plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "Only GET is answered here.\n",
        );
        refused
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refused;
    }
    if path != "/ca.pem" && !peer.ip().is_loopback() {
        return plain(
            StatusCode::FORBIDDEN,
            "This is answered on the machine itself only.\n",
        );
    }
    match path {
        "/healthz" => plain(StatusCode::OK, "alive\n"),
        "/readyz" => ready(shared),
        "/metrics" => {
            let mut page = plain(StatusCode::OK, &metrics::page(shared));
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            page.headers_mut().insert(CONTENT_TYPE, kind);
            page
        }
        _ => match shared.certificates.current().authority() {
            Some(pem) => {
                let mut file = plain(StatusCode::OK, pem);
                let kind = HeaderValue::from_static("application/x-pem-file");
                file.headers_mut().insert(CONTENT_TYPE, kind);
                file
            }
            None => plain(
                StatusCode::NOT_FOUND,
                "The certificates here are not of a local authority.\n",
            ),
        },
    }
}

/// Ready: the database takes changes and the server is not on its way out.
fn ready(shared: &Shared) -> Answer {
    if shared.is_stopping() {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    let full = shared.model.store().queue_depth() >= shared.config.limits.write_queue;
    if full {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "the write queue is full\n");
    }
    plain(StatusCode::OK, "ready\n")
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
