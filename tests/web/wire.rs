//! HTTP/1.1 as octets: what a test says and hears on one connection.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::support::tls::Tls;
use crate::support::{DEADLINE, DOMAIN, Server};

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// A connection to one of the HTTP listeners.
pub(crate) struct Wire {
    stream: Box<dyn Stream>,
    port: u16,
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) status: u16,
    /// The head as it came.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Wire {
    /// Connects to the plain listener.
    pub(crate) fn plain(server: &Server) -> Self {
        Self::to(server.address("http.listen"))
    }

    /// Connects to an address, without TLS.
    pub(crate) fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        Self {
            port: socket.local_addr().unwrap().port(),
            stream: Box::new(socket),
            read: Vec::new(),
        }
    }

    /// Connects to the TLS listener, with these protocols offered; what was chosen of them.
    pub(crate) fn tls(server: &Server, alpn: &[&str]) -> (Self, Option<String>) {
        let tls = Tls::new(server, rustls::ALL_VERSIONS, alpn);
        let socket = TcpStream::connect(server.address("http.listen_tls")).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let name = ServerName::try_from(DOMAIN).unwrap();
        let connection = ClientConnection::new(Arc::clone(&tls.0), name).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        let chosen = stream.conn.alpn_protocol();
        let chosen = chosen.map(|name| String::from_utf8(name.to_vec()).unwrap());
        let wire = Self {
            stream: Box::new(stream),
            port,
            read: Vec::new(),
        };
        (wire, chosen)
    }

    /// The port of this end.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends text as it is.
    pub(crate) fn send(&mut self, text: &str) {
        self.octets(text.as_bytes());
    }

    /// Sends octets as they are.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).unwrap();
        self.stream.flush().unwrap();
    }

    /// Sends octets to a peer that may have gone.
    pub(crate) fn try_octets(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets);
        let _ = self.stream.flush();
    }

    /// The next answer, with the body that its head announces.
    #[track_caller]
    pub(crate) fn hear(&mut self) -> Heard {
        self.hear_to("GET")
    }

    /// The next answer, to this method.
    #[track_caller]
    pub(crate) fn hear_to(&mut self, method: &str) -> Heard {
        let head = loop {
            if let Some(at) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let rest = self.read.split_off(at + 4);
                break std::mem::replace(&mut self.read, rest);
            }
            assert!(self.more(), "the connection ended");
        };
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut heard = Heard {
            status,
            head,
            body: Vec::new(),
        };
        if method == "HEAD" || status == 204 || status == 304 || status < 200 {
            return heard;
        }
        let length = heard.header("content-length");
        let length = length.expect("every answer has a length").parse().unwrap();
        while self.read.len() < length {
            assert!(self.more(), "the connection ended");
        }
        let rest = self.read.split_off(length);
        heard.body = std::mem::replace(&mut self.read, rest);
        heard
    }

    /// The next octets, so many.
    #[track_caller]
    pub(crate) fn octets_of(&mut self, count: usize) -> Vec<u8> {
        while self.read.len() < count {
            assert!(self.more(), "the connection ended");
        }
        let rest = self.read.split_off(count);
        std::mem::replace(&mut self.read, rest)
    }

    /// One request, one answer.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: &str) -> Heard {
        self.send(request);
        self.hear_to(request.split(' ').next().unwrap())
    }

    /// Everything up to the end of the connection, which must come.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        while self.more() {}
        std::mem::take(&mut self.read)
    }

    /// Nothing more comes: the server has closed the connection.
    #[track_caller]
    pub(crate) fn ends(&mut self) {
        let rest = self.rest();
        assert!(rest.is_empty(), "{}", String::from_utf8_lossy(&rest));
    }

    fn more(&mut self) -> bool {
        use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
        let mut buffer = [0; 16 * 1024];
        let read = match self.stream.read(&mut buffer) {
            Err(error) if matches!(error.kind(), ConnectionReset | UnexpectedEof) => 0,
            read => read.expect("octets, or the end of the connection, within the deadline"),
        };
        self.read.extend_from_slice(&buffer[..read]);
        read > 0
    }
}

impl Heard {
    /// A header, by its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.split("\r\n").skip(1);
        lines.find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// A request for this machine, with more headers.
pub(crate) fn get(path: &str, headers: &str) -> String {
    get_from("localhost", path, headers)
}

/// A request that names this host, with more headers.
pub(crate) fn get_from(host: &str, path: &str, headers: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n")
}
