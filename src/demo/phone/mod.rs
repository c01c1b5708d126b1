//! A desk phone: the transactions, dialogs and digest of crate `sip` over one UDP socket.

mod requests;

use std::collections::VecDeque;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use sip::digest::{DigestSession, choose_challenge};
use sip::header::Transport;
use sip::transaction::{ClientId, Config, Event, Failure, Flow, Layer, ServerId};
use sip::{HeaderName, Method, Request, Response, Timestamp, Uri};
use tokio::net::UdpSocket;

/// How long a phone asks its registration, publications and subscriptions to last.
pub const LIFETIME: Duration = Duration::from_secs(600);

/// Why a request of the phone came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum PhoneError {
    /// The socket failed.
    #[error("the network failed: {0}")]
    Network(#[from] io::Error),
    /// No answer came.
    #[error("{0}: {1}")]
    Unanswered(Method, Failure),
    /// The answer was no.
    #[error("{0} was answered with {1} {2}")]
    Refused(Method, u16, String),
    /// An address or an answer cannot be used.
    #[error("{0}")]
    Unusable(&'static str),
}

/// A phone with one account at one server.
pub struct Phone {
    socket: UdpSocket,
    flow: Flow,
    layer: Layer,
    started: Instant,
    /// The account, `sip:user@domain`.
    account: Uri,
    contact: Uri,
    user: String,
    password: String,
    digest: Option<DigestSession>,
    /// Call-ID and From tag of all requests outside of dialogs; a phone that starts again has new ones.
    call: (String, String),
    number: u32,
    answers: VecDeque<(ClientId, Result<Response, Failure>)>,
    received: VecDeque<Request>,
}

impl Phone {
    /// A phone for `user@domain`, whose server is reached at that address.
    ///
    /// # Errors
    /// If the address is none, or no socket can be had.
    pub async fn new(
        server: SocketAddr,
        address: &str,
        password: &str,
    ) -> Result<Self, PhoneError> {
        let (user, domain) = address
            .rsplit_once('@')
            .ok_or(PhoneError::Unusable("the account is written user@domain"))?;
        let own: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(own).await?;
        // What others send does not reach a connected socket, and the address that a contact needs is known.
        socket.connect(server).await?;
        let local = socket.local_addr()?;
        let account = Uri::sip(user, domain);
        let contact = Uri::build(sip::Host::Ip(local.ip()))
            .user(user)
            .port(Some(local.port()))
            .finish();
        let unusable = PhoneError::Unusable("the account is no SIP address");
        let (Ok(account), Ok(contact)) = (account, contact) else {
            return Err(unusable);
        };
        let settings = Config {
            server: Some(concat!("Adsum-phone/", env!("CARGO_PKG_VERSION")).to_owned()),
            ..Config::default()
        };
        let mut layer = Layer::new(settings, rand::random());
        let call = (layer.new_call_id(""), layer.new_tag());
        Ok(Self {
            flow: Flow::new(Transport::Udp, local, server),
            socket,
            layer,
            started: Instant::now(),
            account,
            contact,
            user: user.to_owned(),
            password: password.to_owned(),
            digest: None,
            call,
            number: 0,
            answers: VecDeque::new(),
            received: VecDeque::new(),
        })
    }

    /// Its account as a URI.
    pub fn account(&self) -> &Uri {
        &self.account
    }

    /// The next NOTIFY or MESSAGE; it is answered with 200.
    ///
    /// # Errors
    /// If the socket fails.
    pub async fn next(&mut self) -> Result<Request, PhoneError> {
        loop {
            if let Some(request) = self.received.pop_front() {
                return Ok(request);
            }
            self.turn().await?;
        }
    }

    /// Sends a request, with the password when that is asked for; anything but a 2xx is an error.
    async fn send(&mut self, mut request: Request) -> Result<Response, PhoneError> {
        let mut answer = self.attempt(request.clone()).await?;
        if answer.status == 401 {
            let challenges: Vec<_> = answer.headers.challenges().flatten().collect();
            self.digest = choose_challenge(&challenges)
                .and_then(|challenge| DigestSession::new(challenge, &self.user, &self.password));
            let next = request.headers.cseq().map_or(0, |cseq| cseq.number) + 1;
            let number = format!("{next} {}", request.method);
            request.headers.set(HeaderName::CSeq, number);
            self.number = self.number.max(next);
            answer = self.attempt(request.clone()).await?;
        }
        if answer.is_success() {
            return Ok(answer);
        }
        let why = answer.reason_text().into_owned();
        Err(PhoneError::Refused(request.method, answer.status, why))
    }

    /// Sends a request and waits for its final answer, answering what comes meanwhile.
    async fn attempt(&mut self, mut request: Request) -> Result<Response, PhoneError> {
        let cnonce = self.layer.new_tag();
        if let Some(digest) = &mut self.digest {
            let value = digest.authorize(&request.method, &request.uri, &request.body, &cnonce);
            request.headers.set(HeaderName::Authorization, value);
        }
        let method = request.method.clone();
        let now = self.now();
        let id = self.layer.request(now, request, self.flow.clone());
        self.flush().await?;
        loop {
            if let Some((_, answer)) = self.answers.iter().find(|(of, _)| *of == id) {
                let answer = answer.clone();
                self.answers.clear();
                return answer.map_err(|why| PhoneError::Unanswered(method, why));
            }
            self.turn().await?;
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Waits for a datagram or a timer, and does what follows from it.
    async fn turn(&mut self) -> io::Result<()> {
        let mut octets = vec![0; 65_536];
        let due = self.layer.poll_timeout();
        let timer = async {
            match due {
                // What is rounded down here must be over there.
                Some(at) => {
                    let at = self.started + Duration::from_millis(at.0 + 1);
                    tokio::time::sleep_until(at.into()).await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = self.socket.recv(&mut octets) => {
                octets.truncate(read?);
                let now = self.now();
                self.layer.handle_datagram(now, &self.flow, &octets);
            }
            () = timer => {
                let now = self.now();
                self.layer.handle_timeout(now);
            }
        }
        while let Some(event) = self.layer.poll_event() {
            match event {
                Event::Request { id, request, .. } => self.answer(id, request),
                Event::Response { id, response } if !response.is_provisional() => {
                    self.answers.push_back((id, Ok(response)));
                }
                Event::Failed { id, why } => self.answers.push_back((id, Err(why))),
                Event::Response { .. } | Event::Ping { .. } => {}
            }
        }
        self.flush().await
    }

    fn answer(&mut self, id: ServerId, request: Request) {
        let known = matches!(request.method, Method::Notify | Method::Message);
        let mut answer = Response::for_request(&request, if known { 200 } else { 405 });
        if !known {
            answer = answer.with(HeaderName::Allow, "NOTIFY, MESSAGE");
        }
        let now = self.now();
        self.layer.respond(now, id, answer);
        if known {
            self.received.push_back(request);
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        while let Some(transmit) = self.layer.poll_transmit() {
            self.socket.send(&transmit.octets).await?;
        }
        Ok(())
    }
}
