//! HTTP/2 by ALPN, and by prior knowledge in the clear.

use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::wire::Wire;
use crate::support::tls::Tls;
use crate::support::{DEADLINE, DOMAIN, Server};

type Sender = SendRequest<Empty<Bytes>>;

async fn speak(socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Sender {
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket))
        .await
        .unwrap();
    tokio::spawn(connection);
    sender
}

async fn ask(sender: &Sender, method: &str, path: &str) -> (u16, Option<String>, String) {
    ask_from(sender, "localhost", method, path).await
}

async fn ask_from(
    sender: &Sender,
    host: &str,
    method: &str,
    path: &str,
) -> (u16, Option<String>, String) {
    let request = Request::builder()
        .method(method)
        .uri(format!("https://{host}{path}"))
        .body(Empty::new())
        .unwrap();
    let answer = sender.clone().send_request(request).await.unwrap();
    let status = answer.status().as_u16();
    let length = answer.headers().get("content-length");
    let length = length.map(|value| value.to_str().unwrap().to_owned());
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    (status, length, String::from_utf8(body.to_vec()).unwrap())
}

async fn conversation(sender: Sender) {
    let (alive, ready, nothing, head) = tokio::join!(
        ask(&sender, "GET", "/healthz"),
        ask(&sender, "GET", "/readyz"),
        ask(&sender, "GET", "/nothing"),
        ask(&sender, "HEAD", "/healthz"),
    );
    assert_eq!(alive, (200, Some("6".to_owned()), "alive\n".to_owned()));
    assert_eq!((ready.0, ready.2.as_str()), (200, "ready\n"));
    assert_eq!(nothing.0, 404);
    assert_eq!(head, (200, Some("6".to_owned()), String::new()));
    assert_eq!(ask(&sender, "POST", "/healthz").await.0, 405);
    assert_eq!(ask_from(&sender, DOMAIN, "GET", "/healthz").await.0, 403);
    let meta = ask_from(&sender, DOMAIN, "GET", "/.well-known/host-meta")
        .await
        .2;
    assert!(meta.contains("wss://office.example:"), "{meta}");
}

fn run(conversation: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let all = async { tokio::time::timeout(DEADLINE, conversation).await };
    runtime.block_on(all).expect("in time");
}

#[test]
fn many_requests_at_a_time_in_the_clear() {
    let server = Server::start(&[]);
    run(async {
        let socket = TcpStream::connect(server.address("http.listen"))
            .await
            .unwrap();
        conversation(speak(socket).await).await;
    });
}

#[test]
fn many_requests_at_a_time_over_tls() {
    let server = Server::start(&[]);
    let tls = Tls::new(&server, rustls::ALL_VERSIONS, &["h2"]);
    run(async {
        let socket = TcpStream::connect(server.address("http.listen_tls"))
            .await
            .unwrap();
        let name = ServerName::try_from(DOMAIN).unwrap();
        let stream = TlsConnector::from(tls.0)
            .connect(name, socket)
            .await
            .unwrap();
        conversation(speak(stream).await).await;
    });
}

#[test]
fn who_is_idle_is_told_to_go() {
    let server = Server::with("[limits]\nhttp_idle_time = \"500ms\"", &[]);
    run(async {
        let socket = TcpStream::connect(server.address("http.listen"))
            .await
            .unwrap();
        let (_sender, connection) =
            handshake::<_, _, Empty<Bytes>>(TokioExecutor::new(), TokioIo::new(socket))
                .await
                .unwrap();
        connection.await.unwrap();
    });
}

#[test]
fn the_preface_may_come_in_pieces() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    for piece in ["P", "R", "I * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        wire.send(piece);
    }
    // Its SETTINGS.
    let frame = wire.octets_of(9);
    assert_eq!(&frame[3..9], [4, 0, 0, 0, 0, 0]);
    let mut wire = Wire::plain(&server);
    for piece in [
        "P",
        "O",
        "ST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    ] {
        wire.send(piece);
    }
    assert_eq!(wire.hear().status, 405);
}
