//! A phone's line: one UDP socket, one account.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::digest::Challenge;
use super::view;
use crate::failure::{Doing, Failure, Result, peer};
use crate::stamp;

/// A SIP server and how its accounts are called.
pub(crate) struct SipSite {
    /// Where it takes datagrams.
    pub(crate) address: SocketAddr,
    /// The domain of the accounts.
    pub(crate) domain: String,
    /// What the accounts' names start with; a number follows.
    pub(crate) prefix: String,
    /// The password of them all.
    pub(crate) password: String,
}

/// A request to be made.
pub(crate) struct Ask<'a> {
    /// PUBLISH or SUBSCRIBE.
    pub(crate) method: &'static str,
    /// The user whom it is about.
    pub(crate) target: &'a str,
    /// Call-ID and tag are made of this: a new number is a new call.
    pub(crate) call: u64,
    /// Further header fields, each with its line end.
    pub(crate) fields: &'a str,
    /// The body.
    pub(crate) body: &'a str,
}

/// What came.
#[derive(Debug)]
pub(crate) enum Heard {
    /// An answer; it lies in the line's buffer.
    Answer {
        /// Its status.
        status: u16,
        /// The request that it answers.
        sequence: u32,
    },
    /// A NOTIFY, which has been answered.
    Notify {
        /// When what it tells was sent, by a mark.
        stamp: Option<u64>,
        /// Which subscription it is for.
        call: Option<u64>,
    },
}

/// One account at one socket.
pub(crate) struct Line {
    site: Rc<SipSite>,
    socket: UdpSocket,
    local: SocketAddr,
    user: String,
    unique: u32,
    sequence: u32,
    challenge: Option<Challenge>,
    input: Vec<u8>,
    length: usize,
    request: String,
    answer: Vec<u8>,
    mark: &'static str,
    /// The entity tag of the last answer that had one (RFC 3903).
    pub(crate) etag: String,
    /// NOTIFYs heard, with the call of the last one.
    pub(crate) notified: (u64, Option<u64>),
}

impl Line {
    /// A line for account `index`; stamps are looked for behind `mark`.
    pub(crate) async fn open(site: &Rc<SipSite>, index: usize, mark: &'static str) -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let socket = socket.doing("binding a UDP socket")?;
        socket
            .connect(site.address)
            .await
            .doing("addressing the SIP server")?;
        let local = socket.local_addr().doing("reading a socket's address")?;
        Ok(Self {
            site: Rc::clone(site),
            socket,
            local,
            user: format!("{}{index}", site.prefix),
            unique: rand::random(),
            sequence: 0,
            challenge: None,
            input: vec![0; 8192],
            length: 0,
            request: String::with_capacity(2048),
            answer: Vec::with_capacity(1024),
            mark,
            etag: String::new(),
            notified: (0, None),
        })
    }

    /// The user of this line.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Waits for whatever comes next; a NOTIFY is answered.
    pub(crate) async fn listen(&mut self) -> Result<Heard> {
        loop {
            let read = self.socket.recv(&mut self.input).await;
            self.length = read.doing("receiving a datagram")?;
            let message = &self.input[..self.length];
            if let Some(status) = view::status(message) {
                let sequence = view::sequence(message).unwrap_or(0);
                return Ok(Heard::Answer { status, sequence });
            }
            if !message.starts_with(b"NOTIFY ") {
                continue;
            }
            view::accept(message, &mut self.answer);
            let heard = Heard::Notify {
                stamp: stamp::find(message, self.mark),
                call: call(message),
            };
            let sent = self.socket.send(&self.answer).await;
            sent.doing("answering a NOTIFY")?;
            return Ok(heard);
        }
    }

    /// Makes a request, with digest where it is asked for; the final status.
    pub(crate) async fn ask(&mut self, ask: &Ask<'_>) -> Result<u16> {
        for _ in 0..3 {
            let status = self.exchange(ask).await?;
            if status != 401 && status != 407 {
                let answer = &self.input[..self.length];
                if let Some(etag) = view::field(answer, &["SIP-ETag"]) {
                    self.etag.clear();
                    self.etag.push_str(&String::from_utf8_lossy(etag));
                }
                return Ok(status);
            }
            let answer = &self.input[..self.length];
            let name = ["WWW-Authenticate", "Proxy-Authenticate"];
            let challenge = view::fields(answer, &name).find_map(|value| {
                Challenge::read(value, &self.user, &self.site.password, status == 407)
            });
            self.challenge = Some(challenge.ok_or_else(|| peer("no usable challenge", answer))?);
        }
        let text = format!(
            "{} of {} is challenged again and again",
            ask.method, self.user
        );
        Err(Failure::Peer(text))
    }

    /// Makes a request that must be granted.
    pub(crate) async fn must(&mut self, ask: &Ask<'_>) -> Result<()> {
        let status = self.ask(ask).await?;
        if (200..300).contains(&status) {
            return Ok(());
        }
        let what = format!("{} by {} was refused", ask.method, self.user);
        Err(peer(&what, &self.input[..self.length]))
    }

    /// Sends the last request once more, byte for byte, and waits for its answer.
    pub(crate) async fn repeat(&mut self) -> Result<()> {
        let status = self.deliver().await?;
        if (200..300).contains(&status) {
            return Ok(());
        }
        let answer = &self.input[..self.length];
        Err(peer("a retransmission was answered otherwise", answer))
    }

    /// Asks for something without credentials; it must be challenged.
    pub(crate) async fn refused(&mut self, call: u64) -> Result<()> {
        self.challenge = None;
        let user = self.user.clone();
        let status = self
            .exchange(&Ask {
                method: "SUBSCRIBE",
                target: &user,
                call,
                fields: "Expires: 3600\r\nAccept: application/pidf+xml\r\n",
                body: "",
            })
            .await?;
        if status == 401 || status == 407 {
            return Ok(());
        }
        let answer = &self.input[..self.length];
        Err(peer(
            "a request without credentials was not challenged",
            answer,
        ))
    }

    /// One transaction: sent again until it is answered (RFC 3261 §17.1.2).
    async fn exchange(&mut self, ask: &Ask<'_>) -> Result<u16> {
        self.write(ask);
        self.deliver().await
    }

    /// Sends what is written, again and again until it is answered.
    async fn deliver(&mut self) -> Result<u16> {
        let mut wait = Duration::from_millis(500);
        for _ in 0..7 {
            let sent = self.socket.send(self.request.as_bytes()).await;
            sent.doing("sending a request")?;
            if let Ok(status) = timeout(wait, self.final_answer()).await {
                return status;
            }
            wait = (wait * 2).min(Duration::from_secs(4));
        }
        let text = format!("a request by {} is not answered", self.user);
        Err(Failure::Peer(text))
    }

    async fn final_answer(&mut self) -> Result<u16> {
        loop {
            match self.listen().await? {
                Heard::Answer { status, sequence }
                    if status >= 200 && sequence == self.sequence =>
                {
                    return Ok(status);
                }
                Heard::Answer { .. } => {}
                Heard::Notify { call, .. } => self.notified = (self.notified.0 + 1, call),
            }
        }
    }

    /// Waits for the NOTIFY of this call, unless it has come.
    pub(crate) async fn notified(&mut self, call: u64) -> Result<()> {
        let wait = async {
            while self.notified.1 != Some(call) {
                if let Heard::Notify { call, .. } = self.listen().await? {
                    self.notified = (self.notified.0 + 1, call);
                }
            }
            Ok(())
        };
        let text = "no NOTIFY came within 5 s of a SUBSCRIBE";
        timeout(Duration::from_secs(5), wait)
            .await
            .unwrap_or_else(|_| Err(Failure::Peer(text.to_owned())))
    }

    fn write(&mut self, ask: &Ask<'_>) {
        self.sequence += 1;
        let uri = format!("sip:{}@{}", ask.target, self.site.domain);
        let out = &mut self.request;
        out.clear();
        let (user, local, call, number) = (&self.user, self.local, ask.call, self.sequence);
        let (unique, domain) = (self.unique, &self.site.domain);
        let _ = write!(
            out,
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {local};rport;branch=z9hG4bK{unique:x}{call:x}x{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{user}@{domain}>;tag={unique:x}{call}\r\nTo: <{uri}>\r\n\
             Call-ID: {unique:x}-{call}\r\nCSeq: {number} {method}\r\nContact: <sip:{user}@{local}>\r\n\
             Event: presence\r\n{fields}",
            method = ask.method,
            fields = ask.fields,
        );
        if let Some(challenge) = &mut self.challenge {
            challenge.field(user, ask.method, &uri, out);
        }
        if !ask.body.is_empty() {
            out.push_str("Content-Type: application/pidf+xml\r\n");
        }
        let _ = write!(
            out,
            "Content-Length: {}\r\n\r\n{}",
            ask.body.len(),
            ask.body
        );
    }

    /// Publishes an open state with a stamp: first, or changing what was published (RFC 3903 §4.1).
    pub(crate) async fn publish(&mut self, stamp: u64, mark: &str) -> Result<()> {
        let user = self.user.clone();
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"sip:{user}@{domain}\">\
             <tuple id=\"t1\"><status><basic>open</basic></status><contact>sip:{user}@{domain}</contact>\
             <note>{mark}{stamp}.</note></tuple></presence>",
            domain = self.site.domain
        );
        let fields = if self.etag.is_empty() {
            "Expires: 3600\r\n".to_owned()
        } else {
            format!("Expires: 3600\r\nSIP-If-Match: {}\r\n", self.etag)
        };
        self.must(&Ask {
            method: "PUBLISH",
            target: &user,
            call: 1,
            fields: &fields,
            body: &body,
        })
        .await
    }

    /// Subscribes to the presence of a user and waits for the first NOTIFY.
    pub(crate) async fn subscribe(&mut self, target: &str, call: u64) -> Result<()> {
        self.must(&Ask {
            method: "SUBSCRIBE",
            target,
            call,
            fields: "Expires: 3600\r\nAccept: application/pidf+xml\r\n",
            body: "",
        })
        .await?;
        self.notified(call).await
    }
}

/// The call of a message: what stands behind the hyphen of its Call-ID.
fn call(message: &[u8]) -> Option<u64> {
    let id = std::str::from_utf8(view::field(message, &["Call-ID", "i"])?).ok()?;
    id.rsplit_once('-')?.1.parse().ok()
}
