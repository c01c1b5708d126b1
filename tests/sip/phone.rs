//! A raw SIP client over UDP, TCP and TLS. It does what a test tells it; by itself it only sends again over UDP, answers requests of
//! the server while it waits for something, and takes retransmissions of those for what they are.

use std::collections::{HashMap, VecDeque};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ::sip::digest::{DigestSession, choose_challenge};
use ::sip::framing::{Frame, Framer};
use ::sip::{HeaderName, Message, Method, Request, Response, Uri};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::watch::Watch;
use crate::support::server::{address, password};
use crate::support::tls::Tls;
use crate::support::{DEADLINE, DOMAIN, Server};

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

enum Wire {
    Udp(UdpSocket),
    /// The stream, the socket under it, and what cuts it into messages.
    Stream(Box<dyn Stream>, TcpStream, Framer),
}

/// A SIP client with one account.
pub(crate) struct Phone {
    wire: Wire,
    name: &'static str,
    server: SocketAddr,
    /// Its own address.
    pub(crate) local: SocketAddr,
    /// `user@domain` of From.
    pub(crate) account: String,
    /// User name of its credentials.
    pub(crate) user: String,
    /// Their secret.
    pub(crate) password: String,
    session: Option<DigestSession>,
    tag: String,
    numbers: u32,
    /// Messages that came and were not taken yet, oldest first.
    backlog: VecDeque<Message>,
    /// Answers given, by branch of the request.
    given: HashMap<String, Option<Vec<u8>>>,
    /// How often a request came that was there before, by branch.
    repeats: HashMap<String, usize>,
    /// How requests of the server are answered; `None`: not at all.
    pub(crate) answer: Option<u16>,
    /// Pongs that came (RFC 5626 §4.4.1).
    pub(crate) pongs: usize,
}

/// No two phones of a run send the same Call-ID or branch.
static PHONES: AtomicU32 = AtomicU32::new(1);

impl Phone {
    /// Over UDP.
    pub(crate) fn udp(server: &Server, user: &str) -> Self {
        Self::udp_to(server.address("sip.udp"), user)
    }

    /// Over UDP to this address.
    pub(crate) fn udp_to(to: SocketAddr, user: &str) -> Self {
        let any = if to.is_ipv6() {
            "[::1]:0"
        } else {
            "127.0.0.1:0"
        };
        let socket = UdpSocket::bind(any).unwrap();
        let local = socket.local_addr().unwrap();
        Self::new(Wire::Udp(socket), "UDP", to, local, user)
    }

    /// Over TCP.
    pub(crate) fn tcp(server: &Server, user: &str) -> Self {
        let to = server.address("sip.tcp");
        let socket = TcpStream::connect(to).unwrap();
        socket.set_nodelay(true).unwrap();
        let local = socket.local_addr().unwrap();
        let under = socket.try_clone().unwrap();
        let wire = Wire::Stream(Box::new(socket), under, framer());
        Self::new(wire, "TCP", to, local, user)
    }

    /// Over TLS.
    pub(crate) fn tls(server: &Server, user: &str) -> Self {
        let to = server.address("sip.tls");
        let socket = TcpStream::connect(to).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.set_nodelay(true).unwrap();
        let local = socket.local_addr().unwrap();
        let under = socket.try_clone().unwrap();
        let name = ServerName::try_from(DOMAIN.to_owned()).unwrap();
        let connection = ClientConnection::new(Tls::trusting(server).0, name).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock).unwrap();
        }
        let wire = Wire::Stream(Box::new(stream), under, framer());
        Self::new(wire, "TLS", to, local, user)
    }

    fn new(
        wire: Wire,
        name: &'static str,
        server: SocketAddr,
        local: SocketAddr,
        user: &str,
    ) -> Self {
        let account = address(user);
        let number = PHONES.fetch_add(1, Ordering::Relaxed);
        Self {
            wire,
            name,
            server,
            local,
            user: account.split('@').next().unwrap_or(user).to_owned(),
            account,
            password: password(user),
            session: None,
            tag: format!("p{}x{number}", std::process::id()),
            numbers: 0,
            backlog: VecDeque::new(),
            given: HashMap::new(),
            repeats: HashMap::new(),
            answer: Some(200),
            pongs: 0,
        }
    }

    /// Its address of record.
    pub(crate) fn aor(&self) -> String {
        format!("sip:{}", self.account)
    }

    /// What it is reached by.
    pub(crate) fn contact(&self) -> String {
        let user = self.account.split('@').next().unwrap_or_default();
        let transport = self.name.to_ascii_lowercase();
        format!("<sip:{user}@{};transport={transport}>", self.local)
    }

    /// Text that was not used before.
    pub(crate) fn fresh(&mut self) -> String {
        self.numbers += 1;
        format!("{}n{}", self.tag, self.numbers)
    }

    /// A request outside of dialogs, without Via: see [`Phone::stamped`].
    pub(crate) fn make(&mut self, method: &str, uri: &str) -> Request {
        let uri = Uri::parse(uri).unwrap();
        let method = Method::from_token(method).unwrap();
        let call_id = self.fresh();
        let tag = self.fresh();
        Request::new(method.clone(), uri.clone())
            .with(HeaderName::MaxForwards, "70")
            .with(HeaderName::From, format!("<{}>;tag={tag}", self.aor()))
            .with(HeaderName::To, format!("<{uri}>"))
            .with(HeaderName::CallId, call_id)
            .with(HeaderName::CSeq, format!("1 {method}"))
    }

    /// With a Via of its own; `rport` asks for the answer to come back here (RFC 3581).
    pub(crate) fn stamped(&mut self, mut request: Request) -> Request {
        let branch = format!("z9hG4bK{}", self.fresh());
        let via = format!("SIP/2.0/{} {};branch={branch};rport", self.name, self.local);
        request.headers.push_front(HeaderName::Via, via);
        request
    }

    /// Sends a request with a fresh Via and waits for its final answer. Credentials are not added.
    #[track_caller]
    pub(crate) fn transact(&mut self, request: &Request) -> Response {
        let request = self.stamped(request.clone());
        self.exchange(&request)
    }

    /// Sends a request as it is and waits for its final answer.
    #[track_caller]
    pub(crate) fn exchange(&mut self, request: &Request) -> Response {
        self.send(&request.to_bytes());
        self.answered(request)
    }

    /// Sends a request with a fresh Via, and with credentials where a challenge came before, and does not wait; as it was sent.
    pub(crate) fn post(&mut self, mut request: Request) -> Request {
        if self.session.is_some() {
            self.authorise(&mut request);
        }
        let request = self.stamped(request);
        self.send(&request.to_bytes());
        request
    }

    /// Waits for the final answer to a request that was sent.
    #[track_caller]
    pub(crate) fn answered(&mut self, request: &Request) -> Response {
        let octets = request.to_bytes();
        let branch = request.headers.via().unwrap().branch().unwrap().to_owned();
        let what = format!("the answer to {} {}", request.method, request.uri);
        let again = matches!(self.wire, Wire::Udp(_)).then_some(&octets[..]);
        let message = self.find(&what, again, |message| match message {
            Message::Response(response) => {
                !response.is_provisional()
                    && response
                        .headers
                        .via()
                        .is_ok_and(|v| v.branch() == Some(&branch))
            }
            Message::Request(_) => false,
        });
        match message {
            Message::Response(response) => response,
            Message::Request(_) => unreachable!("only responses fit"),
        }
    }

    /// Sends a request with credentials, after one challenge where that is needed.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: Request) -> Response {
        self.ask_numbered(request).0
    }

    /// The same; with the CSeq number that was used last.
    #[track_caller]
    pub(crate) fn ask_numbered(&mut self, mut request: Request) -> (Response, u32) {
        let mut number = request.headers.cseq().unwrap().number;
        if self.session.is_some() {
            self.authorise(&mut request);
        }
        let mut response = self.transact(&request);
        for _ in 0..2 {
            if response.status != 401 || !self.take_challenge(&response) {
                break;
            }
            number += 1;
            request
                .headers
                .set(HeaderName::CSeq, format!("{number} {}", request.method));
            self.authorise(&mut request);
            response = self.transact(&request);
        }
        (response, number)
    }

    /// Begins to answer a challenge; false when there is none that is known.
    pub(crate) fn take_challenge(&mut self, response: &Response) -> bool {
        let challenges: Vec<_> = response.headers.challenges().map(Result::unwrap).collect();
        self.session = choose_challenge(&challenges)
            .and_then(|challenge| DigestSession::new(challenge, &self.user, &self.password));
        self.session.is_some()
    }

    /// Puts credentials into a request.
    pub(crate) fn authorise(&mut self, request: &mut Request) {
        let cnonce = self.fresh();
        let session = self.session.as_mut().expect("a challenge came before");
        let value = session.authorize(&request.method, &request.uri, &request.body, &cnonce);
        request.headers.set(HeaderName::Authorization, value);
    }

    /// Forgets the challenge that it answers.
    pub(crate) fn forget_challenge(&mut self) {
        self.session = None;
    }

    /// Sends octets.
    pub(crate) fn send(&mut self, octets: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                socket.send_to(octets, self.server).unwrap();
            }
            Wire::Stream(stream, ..) => {
                stream.write_all(octets).unwrap();
                stream.flush().unwrap();
            }
        }
    }

    /// REGISTER of its Contact.
    #[track_caller]
    pub(crate) fn register(&mut self, expires: u32) -> Response {
        let request = self.registration(expires);
        self.ask(request)
    }

    /// REGISTER of its Contact, not sent yet.
    pub(crate) fn registration(&mut self, expires: u32) -> Request {
        let contact = self.contact();
        let domain = self.account.split_once('@').unwrap().1.to_owned();
        let aor = self.aor();
        let mut request = self
            .make("REGISTER", &format!("sip:{domain}"))
            .with(HeaderName::Contact, contact)
            .with(HeaderName::Expires, expires.to_string());
        request.headers.set(HeaderName::To, format!("<{aor}>"));
        request
    }

    /// PUBLISH for `presence`, not sent yet.
    pub(crate) fn publication(
        &mut self,
        etag: Option<&str>,
        body: Option<&str>,
        expires: u32,
    ) -> Request {
        let aor = self.aor();
        let mut request = self
            .make("PUBLISH", &aor)
            .with(HeaderName::Event, "presence")
            .with(HeaderName::Expires, expires.to_string());
        if let Some(etag) = etag {
            request = request.with(HeaderName::SipIfMatch, etag.to_owned());
        }
        match body {
            Some(body) => request.with_body("application/pidf+xml", body.to_owned()),
            None => request,
        }
    }

    /// PUBLISH that must be taken; the entity tag.
    #[track_caller]
    pub(crate) fn publish(
        &mut self,
        etag: Option<&str>,
        body: Option<&str>,
        expires: u32,
    ) -> String {
        let request = self.publication(etag, body, expires);
        let response = self.ask(request);
        assert_eq!(response.status, 200, "{response:?}");
        response.headers.sip_etag().unwrap().to_owned()
    }

    /// SUBSCRIBE to `presence`, not sent yet.
    pub(crate) fn subscription(&mut self, target: &str, expires: u32) -> Request {
        let contact = self.contact();
        self.make("SUBSCRIBE", &format!("sip:{}", address(target)))
            .with(HeaderName::Contact, contact)
            .with(HeaderName::Event, "presence")
            .with(HeaderName::Accept, "application/pidf+xml")
            .with(HeaderName::Expires, expires.to_string())
    }

    /// SUBSCRIBE to `presence` that must be taken.
    #[track_caller]
    pub(crate) fn subscribe(&mut self, target: &str, expires: u32) -> Watch {
        let request = self.subscription(target, expires);
        self.watch(request)
    }

    /// A SUBSCRIBE that must be taken.
    #[track_caller]
    pub(crate) fn watch(&mut self, request: Request) -> Watch {
        let first = request.clone();
        let (response, number) = self.ask_numbered(request);
        assert_eq!(response.status, 200, "{response:?}");
        Watch::new(&first, &response, number)
    }

    /// MESSAGE with a text.
    #[track_caller]
    pub(crate) fn message(&mut self, to: &str, text: &str) -> Response {
        let request = self
            .make("MESSAGE", &format!("sip:{}", address(to)))
            .with_body("text/plain", text.to_owned());
        self.ask(request)
    }

    /// Waits for a MESSAGE with this text.
    #[track_caller]
    pub(crate) fn receive(&mut self, text: &str) -> Request {
        self.request(&format!("the message {text:?}"), |request| {
            request.method == Method::Message && request.body == text.as_bytes()
        })
    }

    /// The first request, of those that came and were not taken yet, that fits.
    #[track_caller]
    pub(crate) fn request(&mut self, what: &str, fits: impl Fn(&Request) -> bool) -> Request {
        let message = self.find(what, None, |message| match message {
            Message::Request(request) => fits(request),
            Message::Response(_) => false,
        });
        match message {
            Message::Request(request) => request,
            Message::Response(_) => unreachable!("only requests fit"),
        }
    }

    /// Everything that has come up to now and was not taken: OPTIONS is asked, and what came before its answer is collected.
    pub(crate) fn settle(&mut self) -> Vec<Message> {
        let options = self.make("OPTIONS", &format!("sip:{DOMAIN}"));
        let answer = self.transact(&options);
        assert_eq!(answer.status, 200, "{answer:?}");
        self.backlog.drain(..).collect()
    }

    /// No request that fits has come or comes before the server answers a question of now.
    #[track_caller]
    pub(crate) fn nothing(&mut self, what: &str, fits: impl Fn(&Request) -> bool) {
        let all = self.settle();
        let found = all.iter().find(|message| match message {
            Message::Request(request) => fits(request),
            Message::Response(_) => false,
        });
        assert!(found.is_none(), "{what}: {found:?}");
        self.backlog = all.into();
    }

    /// Waits for octets that are no message, and then until `pongs` of the keep-alive are there.
    #[track_caller]
    pub(crate) fn expect_pongs(&mut self, pongs: usize) {
        let end = Instant::now() + DEADLINE;
        while self.pongs < pongs {
            assert!(Instant::now() < end, "{} of {pongs} pongs came", self.pongs);
            self.pump(DEADLINE);
        }
    }

    /// Waits until a request has come `times` more after its first time.
    #[track_caller]
    pub(crate) fn repeated(&mut self, request: &Request, times: usize) {
        let branch = request.headers.via().unwrap().branch().unwrap().to_owned();
        let end = Instant::now() + DEADLINE;
        while self.repeats.get(&branch).is_none_or(|count| *count < times) {
            assert!(Instant::now() < end, "{} came once", request.method);
            self.pump(DEADLINE);
        }
    }

    /// Waits until the server has closed the connection; what came before it stays.
    #[track_caller]
    pub(crate) fn closed(&mut self) {
        let end = Instant::now() + DEADLINE;
        while self.pump(DEADLINE) {
            assert!(Instant::now() < end, "the connection is still open");
        }
    }

    /// The next message of any kind.
    #[track_caller]
    pub(crate) fn next(&mut self, what: &str) -> Message {
        self.find(what, None, |_| true)
    }

    #[track_caller]
    fn find(
        &mut self,
        what: &str,
        again: Option<&[u8]>,
        fits: impl Fn(&Message) -> bool,
    ) -> Message {
        let end = Instant::now() + DEADLINE;
        let mut seen = 0;
        loop {
            if let Some(at) = self.backlog.iter().skip(seen).position(&fits) {
                return self.backlog.remove(seen + at).unwrap();
            }
            seen = self.backlog.len();
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{what}: nothing came; before it {:#?}",
                self.backlog
            );
            let patience = again.map_or(left, |_| left.min(Duration::from_secs(1)));
            let began = Instant::now();
            assert!(
                self.pump(patience),
                "{what}: the connection ended; before it {:#?}",
                self.backlog
            );
            if let Some(octets) = again
                && self.backlog.len() == seen
                && began.elapsed() >= patience
            {
                self.send(octets);
            }
        }
    }

    /// Reads what comes within `patience`. False when the connection has ended.
    fn pump(&mut self, patience: Duration) -> bool {
        let patience = patience.max(Duration::from_millis(1));
        let mut buffer = vec![0; 65_536];
        let mut whole = Vec::new();
        let mut open = true;
        match &mut self.wire {
            Wire::Udp(socket) => {
                socket.set_read_timeout(Some(patience)).unwrap();
                match socket.recv(&mut buffer) {
                    Ok(len) => whole.push(bytes::Bytes::copy_from_slice(&buffer[..len])),
                    Err(error) => assert!(is_patience(&error), "{error}"),
                }
            }
            Wire::Stream(stream, socket, framer) => {
                socket.set_read_timeout(Some(patience)).unwrap();
                match stream.read(&mut buffer) {
                    Ok(0) => open = false,
                    // A pong (RFC 5626 §4.4.1); tests that wait for one have nothing else under way.
                    Ok(2) if buffer.starts_with(b"\r\n") => self.pongs += 1,
                    Ok(len) => framer.push(&buffer[..len]),
                    Err(error) if is_patience(&error) => {}
                    Err(error)
                        if matches!(
                            error.kind(),
                            ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset
                        ) =>
                    {
                        open = false;
                    }
                    Err(error) => panic!("{error}"),
                }
                while let Some(frame) = framer.next_frame() {
                    match frame.unwrap() {
                        Frame::Message(octets) => whole.push(octets),
                        Frame::Ping => panic!("a ping of the server"),
                    }
                }
            }
        }
        for octets in whole {
            self.take(&octets);
        }
        open
    }

    fn take(&mut self, octets: &bytes::Bytes) {
        let message = match ::sip::parse(octets) {
            Ok(message) => message,
            Err(error) => panic!("the server sends a bad message: {error}: {octets:?}"),
        };
        if let Message::Request(request) = &message {
            let branch = request.headers.via().unwrap().branch().unwrap().to_owned();
            let seen = self.given.contains_key(&branch);
            if seen {
                *self.repeats.entry(branch.clone()).or_default() += 1;
            }
            let answer = self.given.entry(branch).or_insert_with(|| {
                self.answer
                    .map(|status| Response::for_request(request, status).to_bytes().to_vec())
            });
            if let Some(answer) = answer.clone() {
                self.send(&answer);
            }
            if seen {
                return;
            }
        }
        self.backlog.push_back(message);
    }
}

fn framer() -> Framer {
    Framer::new(::sip::Limits::default())
}

fn is_patience(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            // Of something sent before while the server was away.
            | ErrorKind::ConnectionRefused
    )
}
