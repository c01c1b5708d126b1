//! A raw XMPP client over TCP and TLS: what is sent is written by the test, what comes is read stanza by stanza.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use xml::{Element, Limits, StreamReader, Token};
use xmpp::sasl::{ClientBinding, Hash, Nonce, ScramClient};

use super::server::{Server, password};
use super::tls::Tls;
use super::wait::DEADLINE;

const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
const STREAMS: &str = "http://etherx.jabber.org/streams";

/// The socket, with TLS or without.
pub(crate) enum Wire {
    /// TCP.
    Plain(TcpStream),
    /// TLS over it.
    Secure(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Wire {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(socket) => socket,
            Self::Secure(stream) => &stream.sock,
        }
    }

    fn stream(&mut self) -> &mut dyn ReadWrite {
        match self {
            Self::Plain(socket) => socket,
            Self::Secure(stream) => stream.as_mut(),
        }
    }
}

trait ReadWrite: Read + Write {}
impl<T: Read + Write> ReadWrite for T {}

/// How the server ended a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    /// The condition of its stream error, where it sent one.
    pub(crate) error: Option<String>,
    /// It closed the stream with `</stream:stream>`.
    pub(crate) closed: bool,
}

/// What comes from the server.
#[derive(Debug)]
enum Incoming {
    Open,
    Element(Box<Element>),
    Close,
    Eof,
}

/// A client connection.
pub(crate) struct Client {
    wire: Option<Wire>,
    reader: StreamReader,
    domain: String,
    /// Its own address, once bound.
    pub(crate) jid: String,
    /// Stanzas that came while others were awaited, oldest first.
    backlog: VecDeque<Element>,
    syncs: u32,
    /// How many stanzas it has read: what it may acknowledge (XEP-0198).
    pub(crate) taken: u32,
}

impl Client {
    /// Connects over TCP to the STARTTLS listener.
    pub(crate) fn connect(server: &Server) -> Self {
        Self::to(server.address("xmpp.client"))
    }

    /// Connects over TCP.
    pub(crate) fn to(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        Self {
            wire: Some(Wire::Plain(socket)),
            reader: StreamReader::new(Limits::generous()),
            domain: super::DOMAIN.to_owned(),
            jid: String::new(),
            backlog: VecDeque::new(),
            syncs: 0,
            taken: 0,
        }
    }

    /// Connects with TLS from the first octet on.
    pub(crate) fn direct(server: &Server, tls: &Tls) -> Self {
        let mut client = Self::to(server.address("xmpp.client_tls"));
        client.handshake(tls, super::DOMAIN);
        client
    }

    /// A bound session of an account: STARTTLS, SCRAM-SHA-256, the resource. It has sent no presence.
    pub(crate) fn login(server: &Server, user: &str, resource: &str) -> Self {
        let mut client = Self::authenticated(server, user);
        client.bind(resource);
        client
    }

    /// The same, available: roster fetched, initial presence sent and its own presence seen.
    pub(crate) fn online(server: &Server, user: &str, resource: &str) -> Self {
        let mut client = Self::login(server, user, resource);
        client.roster();
        client.available("");
        client
    }

    /// A stream that has logged in and not bound a resource.
    pub(crate) fn authenticated(server: &Server, user: &str) -> Self {
        let (local, domain) = user.split_once('@').unwrap_or((user, super::DOMAIN));
        let mut client = Self::connect(server);
        domain.clone_into(&mut client.domain);
        client.open();
        client.start_tls(&Tls::trusting(server));
        client
            .scram(Hash::Sha256, local, &password(user), None)
            .unwrap();
        client
    }

    /// The domain that it opens streams to.
    pub(crate) fn set_domain(&mut self, domain: &str) {
        domain.clone_into(&mut self.domain);
    }

    /// Opens a stream; the features of the server.
    pub(crate) fn open(&mut self) -> Element {
        let header = format!(
            "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' xmlns:stream='{STREAMS}'>",
            self.domain
        );
        self.send(&header);
        self.opened();
        self.next("features")
    }

    /// Waits for the header of the server.
    pub(crate) fn opened(&mut self) {
        match self.read("a stream header") {
            Incoming::Open => {}
            other => panic!("a stream header, not {other:?}"),
        }
    }

    /// Waits for the header of the server; `None` when the connection ends instead.
    pub(crate) fn try_opened(&mut self) -> Option<()> {
        matches!(self.read("a stream header"), Incoming::Open).then_some(())
    }

    /// A new stream follows on the same connection.
    pub(crate) fn reset(&mut self) {
        self.reader = StreamReader::new(Limits::generous());
    }

    /// STARTTLS, the handshake, and the stream opened again; the features then.
    pub(crate) fn start_tls(&mut self, tls: &Tls) -> Element {
        self.send(&format!("<starttls xmlns='{TLS}'/>"));
        let answer = self.next("proceed");
        assert!(answer.is("proceed", TLS), "{answer:?}");
        let domain = self.domain.clone();
        self.handshake(tls, &domain);
        self.open()
    }

    /// The handshake of TLS. A new stream follows.
    #[track_caller]
    pub(crate) fn handshake(&mut self, tls: &Tls, name: &str) {
        self.try_handshake(tls, name).unwrap();
    }

    /// STARTTLS and the handshake, where the client may not like what it is shown.
    pub(crate) fn try_start_tls(&mut self, tls: &Tls) -> Option<()> {
        self.send(&format!("<starttls xmlns='{TLS}'/>"));
        assert!(self.next("proceed").is("proceed", TLS));
        let domain = self.domain.clone();
        self.try_handshake(tls, &domain).ok()
    }

    /// The handshake of TLS, which may fail.
    pub(crate) fn try_handshake(&mut self, tls: &Tls, name: &str) -> std::io::Result<()> {
        let Some(Wire::Plain(socket)) = self.wire.take() else {
            panic!("TLS is there already")
        };
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let connection = ClientConnection::new(tls.0.clone(), name).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.wire = Some(Wire::Secure(Box::new(stream)));
        self.reset();
        Ok(())
    }

    /// The handshake, with `text` in the same flight as the client's last message of it.
    pub(crate) fn handshake_with(&mut self, tls: &Tls, name: &str, text: &str) {
        let Some(Wire::Plain(mut socket)) = self.wire.take() else {
            panic!("TLS is there already")
        };
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut connection = ClientConnection::new(tls.0.clone(), name).unwrap();
        // Sent as soon as the handshake allows, which is with its last message.
        connection.writer().write_all(text.as_bytes()).unwrap();
        while connection.is_handshaking() {
            let mut flight = Vec::new();
            while connection.wants_write() {
                connection.write_tls(&mut flight).unwrap();
            }
            socket.write_all(&flight).unwrap();
            if connection.is_handshaking() {
                assert!(connection.read_tls(&mut socket).unwrap() > 0);
                connection.process_new_packets().unwrap();
            }
        }
        let mut flight = Vec::new();
        while connection.wants_write() {
            connection.write_tls(&mut flight).unwrap();
        }
        socket.write_all(&flight).unwrap();
        self.wire = Some(Wire::Secure(Box::new(StreamOwned::new(connection, socket))));
        self.reset();
    }

    /// The TLS connection.
    pub(crate) fn tls(&self) -> &ClientConnection {
        match &self.wire {
            Some(Wire::Secure(stream)) => &stream.conn,
            _ => panic!("there is no TLS"),
        }
    }

    /// SCRAM with a given channel binding (none: `n`), and the stream opened again. On failure its condition.
    pub(crate) fn scram(
        &mut self,
        hash: Hash,
        user: &str,
        password: &str,
        binding: Option<(&str, Vec<u8>)>,
    ) -> Result<Element, String> {
        let plus = if binding.is_some() { "-PLUS" } else { "" };
        let mechanism = match hash {
            Hash::Sha512 => format!("SCRAM-SHA-512{plus}"),
            Hash::Sha256 => format!("SCRAM-SHA-256{plus}"),
            Hash::Sha1 => format!("SCRAM-SHA-1{plus}"),
        };
        let binding = binding.map_or(ClientBinding::Unsupported, |(name, data)| {
            ClientBinding::Bound {
                name: name.to_owned(),
                data,
            }
        });
        let nonce = Nonce::from_random(&rand::random());
        let (first, client) = ScramClient::start(hash, user, None, binding, &nonce);
        self.auth(&mechanism, &first);
        let challenge = self.payload("challenge")?;
        let (last, client) = client.handle_challenge(&challenge, password).unwrap();
        let last = xmpp::sasl::encode_payload(&last);
        self.send(&format!("<response xmlns='{SASL}'>{last}</response>"));
        let success = self.payload("success")?;
        client.handle_success(&success).unwrap();
        self.reset();
        Ok(self.open())
    }

    /// PLAIN, and the stream opened again. On failure its condition.
    pub(crate) fn plain(&mut self, user: &str, password: &str) -> Result<Element, String> {
        self.auth("PLAIN", &xmpp::sasl::plain_message(None, user, password));
        self.payload("success")?;
        self.reset();
        Ok(self.open())
    }

    /// Begins an authentication.
    pub(crate) fn auth(&mut self, mechanism: &str, initial: &[u8]) {
        let initial = xmpp::sasl::encode_optional_payload(initial);
        self.send(&format!(
            "<auth xmlns='{SASL}' mechanism='{mechanism}'>{initial}</auth>"
        ));
    }

    /// What a SASL element of the server holds; the condition where it is `failure`.
    pub(crate) fn payload(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let element = self.next(name);
        if element.is("failure", SASL) {
            return Err(element.children().next().unwrap().name().to_owned());
        }
        assert!(element.is(name, SASL), "{name}, not {element:?}");
        Ok(xmpp::sasl::decode_payload(&element.text()).unwrap_or_default())
    }

    /// Binds a resource; `""` lets the server choose.
    pub(crate) fn bind(&mut self, resource: &str) {
        let answer = self.try_bind(resource);
        assert_eq!(
            answer.attribute("type").as_deref(),
            Some("result"),
            "{answer:?}"
        );
    }

    /// Asks for a resource; the answer.
    pub(crate) fn try_bind(&mut self, resource: &str) -> Element {
        let wish = if resource.is_empty() {
            String::new()
        } else {
            format!("<resource>{resource}</resource>")
        };
        let answer = self.ask(
            "set",
            "",
            &format!("<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>{wish}</bind>"),
        );
        let bind = answer.child("bind", "urn:ietf:params:xml:ns:xmpp-bind");
        let jid = bind.and_then(|b| b.child("jid", "urn:ietf:params:xml:ns:xmpp-bind"));
        if let Some(jid) = jid.map(|jid| jid.text().into_owned()) {
            self.jid = jid;
        }
        answer
    }

    /// The bare address.
    pub(crate) fn bare(&self) -> &str {
        self.jid.split('/').next().unwrap_or_default()
    }

    /// Sends text as it is.
    #[track_caller]
    pub(crate) fn send(&mut self, text: &str) {
        self.try_send(text).unwrap();
    }

    /// Sends octets as they are.
    pub(crate) fn octets(&mut self, octets: &[u8]) {
        let stream = self.wire.as_mut().expect("a connection").stream();
        stream.write_all(octets).unwrap();
        stream.flush().unwrap();
    }

    /// Sends text to a peer that may have gone.
    pub(crate) fn try_send(&mut self, text: &str) -> std::io::Result<()> {
        let stream = self.wire.as_mut().expect("a connection").stream();
        stream.write_all(text.as_bytes())?;
        stream.flush()
    }

    /// Sends an IQ and waits for its answer.
    pub(crate) fn ask(&mut self, kind: &str, to: &str, payload: &str) -> Element {
        self.syncs += 1;
        let id = format!("q{}", self.syncs);
        let to = if to.is_empty() {
            String::new()
        } else {
            format!(" to='{to}'")
        };
        self.send(&format!("<iq type='{kind}' id='{id}'{to}>{payload}</iq>"));
        self.expect("the answer to an IQ", |s| {
            s.name() == "iq"
                && s.attribute("id").as_deref() == Some(&id)
                && matches!(s.attribute("type").as_deref(), Some("result" | "error"))
        })
    }

    /// The roster; makes the session interested in pushes.
    pub(crate) fn roster(&mut self) -> Element {
        self.ask("get", "", "<query xmlns='jabber:iq:roster'/>")
    }

    /// Sends presence and waits until its own copy has come back.
    pub(crate) fn available(&mut self, content: &str) {
        self.send(&format!("<presence>{content}</presence>"));
        let own = self.jid.clone();
        self.presence(&own, "");
    }

    /// Waits for presence of a type (`""`: available) from an address.
    #[track_caller]
    pub(crate) fn presence(&mut self, from: &str, kind: &str) -> Element {
        self.expect(&format!("presence {kind:?} from {from}"), |s| {
            is_presence(s, from, kind)
        })
    }

    /// Waits for a message with this body.
    #[track_caller]
    pub(crate) fn message(&mut self, body: &str) -> Element {
        self.expect(&format!("the message {body:?}"), |s| {
            s.name() == "message"
                && s.child("body", "jabber:client")
                    .is_some_and(|b| b.text() == body)
        })
    }

    /// The next stanza, whatever it is.
    #[track_caller]
    pub(crate) fn next(&mut self, what: &str) -> Element {
        if let Some(stanza) = self.backlog.pop_front() {
            return stanza;
        }
        match self.read(what) {
            Incoming::Element(stanza) => *stanza,
            other => panic!("{what}, not {other:?}"),
        }
    }

    /// The first stanza, of those that came and were not taken yet, that fits. Those before it stay.
    #[track_caller]
    pub(crate) fn expect(&mut self, what: &str, fits: impl Fn(&Element) -> bool) -> Element {
        if let Some(at) = self.backlog.iter().position(&fits) {
            return self.backlog.remove(at).unwrap();
        }
        loop {
            match self.read(what) {
                Incoming::Element(stanza) if fits(&stanza) => return *stanza,
                Incoming::Element(stanza) => self.backlog.push_back(*stanza),
                other => panic!("{what}, not {other:?}; before it {:#?}", self.backlog),
            }
        }
    }

    /// Everything that the server has sent up to now and was not taken: asks it and collects what comes before the answer.
    /// What this session sent before has been handled then.
    pub(crate) fn settle(&mut self) -> Vec<Element> {
        let server = self.domain.clone();
        let answer = self.ask("get", &server, "<ping xmlns='urn:xmpp:ping'/>");
        assert_eq!(answer.attribute("type").as_deref(), Some("result"));
        self.backlog.drain(..).collect()
    }

    /// Nothing that fits has come or comes before the server answers a question of now.
    #[track_caller]
    pub(crate) fn nothing(&mut self, what: &str, fits: impl Fn(&Element) -> bool) {
        let all = self.settle();
        let found = all.iter().find(|stanza| fits(stanza));
        assert!(found.is_none(), "{what}: {found:?}");
        self.backlog = all.into();
    }

    /// Waits until the server has ended the stream and the connection. Stanzas before that are kept.
    #[track_caller]
    pub(crate) fn end(&mut self) -> End {
        let mut end = End {
            error: None,
            closed: false,
        };
        loop {
            match self.read("the end of the stream") {
                Incoming::Open => {}
                Incoming::Element(element) if element.is("error", STREAMS) => {
                    end.error = element.children().next().map(|c| c.name().to_owned());
                }
                Incoming::Element(element) => self.backlog.push_back(*element),
                Incoming::Close => end.closed = true,
                Incoming::Eof => return end,
            }
        }
    }

    /// Waits for the end, which must be a stream error with this condition and `</stream:stream>`.
    #[track_caller]
    pub(crate) fn ends_with(&mut self, condition: &str) {
        let end = self.end();
        assert_eq!(
            end,
            End {
                error: Some(condition.to_owned()),
                closed: true
            }
        );
    }

    /// The stanzas that came and were not taken, whether or not the stream has ended.
    pub(crate) fn left(&mut self) -> Vec<Element> {
        self.backlog.drain(..).collect()
    }

    /// Closes the stream and waits for the server to do so.
    pub(crate) fn close(mut self) {
        self.send("</stream:stream>");
        let end = self.end();
        assert!(end.closed && end.error.is_none(), "{end:?}");
    }

    /// The connection is gone without a word: neither `</stream:stream>` nor close_notify nor FIN in order (RST).
    pub(crate) fn cut(mut self) {
        if let Some(wire) = self.wire.take() {
            let socket = socket2::SockRef::from(wire.socket());
            let _ = socket.set_linger(Some(std::time::Duration::ZERO));
        }
    }

    /// The socket.
    pub(crate) fn socket(&self) -> &TcpStream {
        self.wire.as_ref().unwrap().socket()
    }

    fn read(&mut self, what: &str) -> Incoming {
        let end = Instant::now() + DEADLINE;
        let mut buffer = [0; 16 * 1024];
        loop {
            match self.reader.next() {
                Ok(Some(Token::Open(_))) => return Incoming::Open,
                Ok(Some(Token::Element(element))) => {
                    self.taken += u32::from(element.namespace() == "jabber:client");
                    return Incoming::Element(Box::new(element));
                }
                Ok(Some(Token::Close)) => return Incoming::Close,
                Ok(None) => {}
                Err(error) => panic!("the server sends bad XML: {error}"),
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{what}: nothing came; before it {:#?}",
                self.backlog
            );
            let wire = self.wire.as_mut().expect("a connection");
            wire.socket().set_read_timeout(Some(left)).unwrap();
            match wire.stream().read(&mut buffer) {
                Ok(0) => return Incoming::Eof,
                Ok(n) => self.reader.feed(&buffer[..n]),
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
                    ) =>
                {
                    return Incoming::Eof;
                }
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
                    ) => {}
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

/// Whether it is presence of a type (`""`: available) from an address.
pub(crate) fn is_presence(stanza: &Element, from: &str, kind: &str) -> bool {
    stanza.name() == "presence"
        && stanza.attribute("from").as_deref() == Some(from)
        && stanza.attribute("type").as_deref().unwrap_or_default() == kind
}

/// The condition of a stanza error.
pub(crate) fn condition(stanza: &Element) -> Option<String> {
    let error = stanza.children().find(|child| child.name() == "error")?;
    let condition = error.children().next()?;
    Some(condition.name().to_owned())
}

/// A child's text, `""` where there is none.
pub(crate) fn text(stanza: &Element, child: &str) -> String {
    stanza
        .children()
        .find(|c| c.name() == child)
        .map(|c| c.text().into_owned())
        .unwrap_or_default()
}

/// Both see each other's presence from now on; every push and presence of it was taken.
pub(crate) fn befriend(one: &mut Client, other: &mut Client) {
    for turn in 0..2 {
        let (asks, answers) = if turn == 0 {
            (&mut *one, &mut *other)
        } else {
            (&mut *other, &mut *one)
        };
        let (asking, asked) = (asks.bare().to_owned(), answers.bare().to_owned());
        asks.send(&format!("<presence type='subscribe' to='{asked}'/>"));
        answers.presence(&asking, "subscribe");
        answers.send(&format!("<presence type='subscribed' to='{asking}'/>"));
        asks.presence(&asked, "subscribed");
        let full = answers.jid.clone();
        asks.expect("first presence of a contact", |s| is_presence(s, &full, ""));
    }
    one.settle();
    other.settle();
}
