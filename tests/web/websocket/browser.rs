//! A client that writes its frames itself.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use xml::{Element, Limits};
use xmpp::sasl::{encode_payload, plain_message};

use crate::support::server::password;
use crate::support::tls::Tls;
use crate::support::xmpp::is_presence;
use crate::support::{DEADLINE, DOMAIN, Server};

pub(super) const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
pub(super) const STREAMS: &str = "http://etherx.jabber.org/streams";
pub(super) const OPEN: &str =
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='office.example' version='1.0'/>";
pub(super) const CLOSE: &str = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

/// Text, whole.
pub(super) const TEXT: u8 = 0x81;
/// Closes the connection.
pub(super) const CLOSING: u8 = 0x88;
pub(super) const PING: u8 = 0x89;
pub(super) const PONG: u8 = 0x8A;

const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

trait Stream: Read + Write + Send {}
impl<T: Read + Write + Send> Stream for T {}

/// What comes from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Heard {
    /// A message: a document of one element, which says itself what it is.
    Element(Element),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    /// With a reason or without.
    Close(Option<u16>),
    /// The connection has ended.
    End,
}

/// The answer to a handshake.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A connection that may come to speak WebSocket, and a session on it.
pub(super) struct Browser {
    stream: Box<dyn Stream>,
    socket: TcpStream,
    read: Vec<u8>,
    /// What came while something else was awaited.
    backlog: VecDeque<Element>,
    pub(super) jid: String,
    /// Stanzas that were read: what may be acknowledged (XEP-0198).
    pub(super) taken: u32,
    asked: u32,
    /// How long anything may take to come.
    pub(super) patience: Duration,
}

/// The request of a handshake; a header can be exchanged (`""`: left out).
pub(super) fn request(changes: &[(&str, &str)]) -> String {
    let mut headers = vec![
        ("Host", "localhost"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Protocol", "xmpp"),
        ("Sec-WebSocket-Version", "13"),
    ];
    for (name, value) in changes {
        headers.retain(|(known, _)| known != name);
        headers.push((name, value));
    }
    let headers = headers.iter().filter(|(_, value)| !value.is_empty());
    let headers: Vec<_> = headers
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!("GET /xmpp-websocket HTTP/1.1\r\n{}\r\n", headers.concat())
}

/// A frame as a client sends it. `first` is its first octet.
pub(super) fn frame(first: u8, data: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match data.len() {
        length @ 0..126 => frame.push(0x80 | u8::try_from(length).unwrap()),
        length @ 126..0x1_0000 => {
            frame.push(0xFE);
            frame.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        length => {
            frame.push(0xFF);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(MASK);
    frame.extend(data.iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b));
    frame
}

impl Browser {
    /// A connection to the plain listener, before the handshake.
    pub(super) fn plain(server: &Server) -> Self {
        let socket = TcpStream::connect(server.address("http.listen")).unwrap();
        let same = socket.try_clone().unwrap();
        Self::on(Box::new(same), socket)
    }

    /// A connection to the TLS listener, before the handshake of WebSocket.
    pub(super) fn secure(server: &Server) -> Self {
        let tls = Tls::new(server, rustls::ALL_VERSIONS, &["http/1.1"]);
        let socket = TcpStream::connect(server.address("http.listen_tls")).unwrap();
        let same = socket.try_clone().unwrap();
        let name = ServerName::try_from(DOMAIN).unwrap();
        let connection = ClientConnection::new(Arc::clone(&tls.0), name).unwrap();
        Self::on(Box::new(StreamOwned::new(connection, same)), socket)
    }

    fn on(stream: Box<dyn Stream>, socket: TcpStream) -> Self {
        socket.set_nodelay(true).unwrap();
        Self {
            stream,
            socket,
            read: Vec::new(),
            backlog: VecDeque::new(),
            jid: String::new(),
            taken: 0,
            asked: 0,
            patience: DEADLINE,
        }
    }

    /// A connection that speaks WebSocket.
    pub(super) fn connect(server: &Server) -> Self {
        Self::plain(server).upgraded(&[])
    }

    /// The handshake, with other headers.
    pub(super) fn upgraded(mut self, changes: &[(&str, &str)]) -> Self {
        let answer = self.ask(&request(changes));
        assert_eq!(answer.status, 101, "{answer:?}");
        self
    }

    /// A stream with its features.
    pub(super) fn opened(server: &Server) -> Self {
        let mut browser = Self::connect(server);
        browser.open();
        browser
    }

    /// A session with a resource, over TLS or without. It has sent no presence.
    pub(super) fn login(server: &Server, user: &str, resource: &str) -> Self {
        let mut browser = Self::authenticated(server, user);
        browser.bind(resource);
        browser
    }

    /// The same, available.
    pub(super) fn online(server: &Server, user: &str, resource: &str) -> Self {
        let mut browser = Self::login(server, user, resource);
        browser.available();
        browser
    }

    /// A stream that has logged in.
    pub(super) fn authenticated(server: &Server, user: &str) -> Self {
        let mut browser = Self::opened(server);
        browser.log_in(user);
        browser
    }

    pub(super) fn log_in(&mut self, user: &str) {
        let initial = encode_payload(&plain_message(None, user, &password(user)));
        self.say(&format!(
            "<auth xmlns='{SASL}' mechanism='PLAIN'>{initial}</auth>"
        ));
        let success = self.element();
        assert!(success.is("success", SASL), "{success:?}");
        self.open();
        self.jid = format!("{user}@{DOMAIN}");
    }

    /// Opens a stream; the features.
    pub(super) fn open(&mut self) -> Element {
        self.say(OPEN);
        let open = self.element();
        assert!(open.is("open", FRAMING), "{open:?}");
        let features = self.element();
        assert!(features.is("features", STREAMS), "{features:?}");
        features
    }

    pub(super) fn bind(&mut self, resource: &str) {
        let answer = self.iq(
            "set",
            "",
            &format!(
                "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind>"
            ),
        );
        assert_eq!(answer.attribute("type").as_deref(), Some("result"));
        self.jid = format!("{}/{resource}", self.jid);
    }

    pub(super) fn available(&mut self) {
        self.iq("get", "", "<query xmlns='jabber:iq:roster'/>");
        self.say("<presence xmlns='jabber:client'/>");
        let own = self.jid.clone();
        self.expect("own presence", |s| is_presence(s, &own, ""));
    }

    /// Sends a request and hears the answer.
    pub(super) fn ask(&mut self, request: &str) -> Answer {
        self.octets(request.as_bytes());
        self.answer()
    }

    /// Hears the answer to a request.
    pub(super) fn answer(&mut self) -> Answer {
        self.try_answer().expect("an answer")
    }

    /// Hears the answer to a request, or the end of the connection.
    pub(super) fn try_answer(&mut self) -> Option<Answer> {
        let end = loop {
            let found = self.read.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = found {
                break at;
            }
            if !self.more() {
                return None;
            }
        };
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Answer { status, head })
    }

    /// Passes over so many octets: the body of an answer.
    pub(super) fn skip(&mut self, octets: usize) {
        while self.read.len() < octets {
            assert!(self.more(), "the connection ended");
        }
        self.read.drain(..octets);
    }

    pub(super) fn octets(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).unwrap();
        self.stream.flush().unwrap();
    }

    /// Sends octets to a peer that may have gone.
    pub(super) fn try_octets(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets);
        let _ = self.stream.flush();
    }

    pub(super) fn say(&mut self, element: &str) {
        self.octets(&frame(TEXT, element.as_bytes()));
    }

    /// Sends an IQ and hears its answer.
    pub(super) fn iq(&mut self, kind: &str, to: &str, payload: &str) -> Element {
        self.asked += 1;
        let id = format!("q{}", self.asked);
        let to = if to.is_empty() {
            String::new()
        } else {
            format!(" to='{to}'")
        };
        self.say(&format!(
            "<iq xmlns='jabber:client' type='{kind}' id='{id}'{to}>{payload}</iq>"
        ));
        self.expect("an answer", |s| {
            s.name() == "iq" && s.attribute("id").as_deref() == Some(&*id)
        })
    }

    pub(super) fn send(&mut self, to: &str, body: &str) {
        self.say(&format!(
            "<message xmlns='jabber:client' to='{to}' type='chat' id='{}'><body>{body}</body></message>",
            &body[..body.len().min(20)]
        ));
    }

    /// What comes next, whatever it is.
    #[track_caller]
    pub(super) fn hear(&mut self) -> Heard {
        let Some((first, data)) = self.frame() else {
            return Heard::End;
        };
        match first {
            TEXT => {
                let element = Element::parse(&data, "", Limits::generous());
                let element = element
                    .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&data)));
                self.taken += u32::from(element.namespace() == "jabber:client");
                Heard::Element(element)
            }
            CLOSING => {
                let reason = data.first_chunk().map(|two| u16::from_be_bytes(*two));
                Heard::Close(reason)
            }
            PING => Heard::Ping(data),
            PONG => Heard::Pong(data),
            _ => panic!("a frame that begins with {first:02X}: {data:02X?}"),
        }
    }

    /// The next element.
    #[track_caller]
    pub(super) fn element(&mut self) -> Element {
        if let Some(element) = self.backlog.pop_front() {
            return element;
        }
        match self.hear() {
            Heard::Element(element) => element,
            other => panic!("an element, not {other:?}"),
        }
    }

    /// The first element that fits; those before it stay.
    #[track_caller]
    pub(super) fn expect(&mut self, what: &str, fits: impl Fn(&Element) -> bool) -> Element {
        if let Some(at) = self.backlog.iter().position(&fits) {
            return self.backlog.remove(at).unwrap();
        }
        loop {
            match self.hear() {
                Heard::Element(element) if fits(&element) => return element,
                Heard::Element(element) => self.backlog.push_back(element),
                other => panic!("{what}, not {other:?}; before it {:#?}", self.backlog),
            }
        }
    }

    #[track_caller]
    pub(super) fn message(&mut self, body: &str) -> Element {
        self.expect(&format!("the message {body:.20}"), |s| {
            s.child("body", "jabber:client")
                .is_some_and(|b| b.text() == body)
        })
    }

    #[track_caller]
    pub(super) fn presence(&mut self, from: &str, kind: &str) {
        self.expect("presence", |s| is_presence(s, from, kind));
    }

    /// What has come and was not taken, up to the answer of the server to a ping.
    pub(super) fn settle(&mut self) -> Vec<Element> {
        self.iq("get", DOMAIN, "<ping xmlns='urn:xmpp:ping'/>");
        self.backlog.drain(..).collect()
    }

    /// The stream ends with this error, the connection with this reason.
    #[track_caller]
    pub(super) fn ends_with(&mut self, condition: &str, reason: u16) {
        let error = self.expect("a stream error", |s| s.is("error", STREAMS));
        assert_eq!(error.children().next().unwrap().name(), condition);
        match self.hear() {
            Heard::Element(close) if close.is("close", FRAMING) => self.closes(reason),
            other => panic!("close, not {other:?}"),
        }
    }

    /// The server closes the connection with this reason, and then it ends.
    #[track_caller]
    pub(super) fn closes(&mut self, reason: u16) {
        assert_eq!(self.hear(), Heard::Close(Some(reason)));
        self.try_octets(&frame(CLOSING, &reason.to_be_bytes()));
        assert_eq!(self.hear(), Heard::End);
    }

    /// The connection is gone without a word (RST).
    pub(super) fn cut(self) {
        let socket = socket2::SockRef::from(&self.socket);
        socket.set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// A frame: its first octet and its data. `None` at the end of the connection.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let [first, second] = self.take()?;
        assert_eq!(second & 0x80, 0, "a server does not mask");
        let length = match second {
            126 => {
                let length = u16::from_be_bytes(self.take()?);
                assert!(length > 125);
                u64::from(length)
            }
            127 => {
                let length = u64::from_be_bytes(self.take()?);
                assert!(length > 0xFFFF);
                length
            }
            length => u64::from(length),
        };
        let length = usize::try_from(length).unwrap();
        while self.read.len() < length {
            if !self.more() {
                return None;
            }
        }
        Some((first, self.read.drain(..length).collect()))
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        while self.read.len() < N {
            if !self.more() {
                assert!(self.read.is_empty(), "half a frame");
                return None;
            }
        }
        let octets: Vec<u8> = self.read.drain(..N).collect();
        octets.try_into().ok()
    }

    /// Reads on; false at the end.
    fn more(&mut self) -> bool {
        let end = Instant::now() + self.patience;
        let mut buffer = [0; 16 * 1024];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "nothing came; before it {:#?}",
                self.backlog
            );
            self.socket.set_read_timeout(Some(left)).unwrap();
            match self.stream.read(&mut buffer) {
                Ok(0) => return false,
                Ok(count) => {
                    self.read.extend_from_slice(&buffer[..count]);
                    return true;
                }
                Err(error) => match error.kind() {
                    ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset => return false,
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => panic!("{error}"),
                },
            }
        }
    }
}
