//! A BOSH session as browsers keep it (XEP-0124, XEP-0206): one request held, a second connection for what is sent
//! meanwhile, and never more.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use memchr::{memchr, memmem};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::answer::Answer;
use super::client::attribute;
use super::qualify;
use super::site::Site;
use super::socket::Socket;
use crate::failure::{Doing, Failure, Result, peer};

/// Seconds that the server may hold a request, if it likes to.
const WAIT: u32 = 300;
/// A connection that nobody has used for this long may be about to be closed by the server; another one is made.
const STALE: Duration = Duration::from_secs(4);

/// A session. Its requests are made by whoever has something to say and, where none is under way, by its reader.
pub(crate) struct Session {
    site: Rc<Site>,
    /// What stands before each request's length.
    head: String,
    state: RefCell<State>,
}

struct State {
    sid: String,
    rid: u64,
    slots: [Slot; 2],
    /// What is to go with the next request: two are under way.
    waiting: Vec<u8>,
    reader: Option<Waker>,
    closing: bool,
}

enum Slot {
    Empty,
    Opening,
    Open(Connection),
}

struct Connection {
    socket: Socket,
    /// The request that is under way on it.
    asked: Option<u64>,
    used: Instant,
    buffer: Vec<u8>,
    tail: usize,
}

impl Connection {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            asked: None,
            used: Instant::now(),
            buffer: vec![0; 1024],
            tail: 0,
        }
    }

    /// The next answer, or nothing where the server has closed.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Answer>>> {
        loop {
            if self.tail > 0
                && let Some(answer) = Answer::read(&self.buffer[..self.tail])?
            {
                return Poll::Ready(Ok(Some(answer)));
            }
            if self.tail == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 4, 0);
            }
            let mut space = ReadBuf::new(&mut self.buffer[self.tail..]);
            ready!(Pin::new(&mut self.socket).poll_read(cx, &mut space))
                .doing("reading from the server")?;
            let read = space.filled().len();
            if read == 0 {
                return Poll::Ready(Ok(None));
            }
            self.tail += read;
        }
    }

    /// Lets go of an answer that has been read.
    fn consume(&mut self, length: usize) {
        self.buffer.copy_within(length..self.tail, 0);
        self.tail -= length;
        self.asked = None;
        self.used = Instant::now();
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, bytes: &mut &[u8]) -> Poll<io::Result<()>> {
        while !bytes.is_empty() {
            let sent = ready!(Pin::new(&mut self.socket).poll_write(cx, bytes))?;
            *bytes = bytes.get(sent..).unwrap_or_default();
        }
        Pin::new(&mut self.socket).poll_flush(cx)
    }
}

impl State {
    /// How many requests are under way, those on connections that are being made among them.
    fn under_way(&self) -> usize {
        let busy = |slot: &&Slot| match slot {
            Slot::Empty => false,
            Slot::Opening => true,
            Slot::Open(connection) => connection.asked.is_some(),
        };
        self.slots.iter().filter(busy).count()
    }

    /// A place for a request, an open connection before any other; whether it is open.
    fn place(&mut self) -> Option<(usize, bool)> {
        let free =
            |slot: &Slot| matches!(slot, Slot::Open(connection) if connection.asked.is_none());
        if let Some(at) = self.slots.iter().position(free) {
            let fresh = matches!(&self.slots[at], Slot::Open(one) if one.used.elapsed() < STALE);
            return Some((at, fresh));
        }
        let empty = |slot: &Slot| matches!(slot, Slot::Empty);
        self.slots.iter().position(empty).map(|at| (at, false))
    }

    fn open(&mut self, at: usize) -> Option<&mut Connection> {
        match self.slots.get_mut(at) {
            Some(Slot::Open(connection)) => Some(connection),
            _ => None,
        }
    }

    /// Takes what an answer says: its payload is appended to `out`.
    fn take(&mut self, body: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let end = memchr(b'>', body).filter(|_| body.starts_with(b"<body"));
        let end = end.ok_or_else(|| peer("no body of BOSH", body))?;
        let (tag, rest) = (&body[..end], &body[end + 1..]);
        if memmem::find(tag, b"terminate").is_some() && !self.closing {
            return Err(peer("the server ended the session", body));
        }
        if self.sid.is_empty() {
            let text = String::from_utf8_lossy(tag);
            let sid = attribute(&text, "sid");
            let sid = sid.ok_or_else(|| peer("a session without an id", body))?;
            sid.clone_into(&mut self.sid);
        }
        if !tag.ends_with(b"/") {
            let end = memmem::rfind(rest, b"</body>");
            let end = end.ok_or_else(|| peer("a body without its end", body))?;
            out.extend_from_slice(&rest[..end]);
        }
        Ok(())
    }

    /// The answer that has come to the oldest request, or to any; its payload is appended to `out`.
    fn poll_taken(&mut self, cx: &mut Context<'_>, out: &mut Vec<u8>) -> Poll<Result<()>> {
        if self
            .reader
            .as_ref()
            .is_none_or(|one| !one.will_wake(cx.waker()))
        {
            self.reader = Some(cx.waker().clone());
        }
        let asked = |slot: &Slot| match slot {
            Slot::Open(connection) => connection.asked.unwrap_or(u64::MAX),
            _ => u64::MAX,
        };
        let first = usize::from(asked(&self.slots[1]) < asked(&self.slots[0]));
        for at in [first, 1 - first] {
            let Some(connection) = self.open(at) else {
                continue;
            };
            let Poll::Ready(answer) = connection.poll_answer(cx) else {
                continue;
            };
            let Some(answer) = answer? else {
                let held = connection.asked.is_some();
                self.slots[at] = Slot::Empty;
                if held && !self.closing {
                    let text = "the server closed the connection of a request that it holds";
                    return Poll::Ready(Err(Failure::Peer(text.to_owned())));
                }
                continue;
            };
            let bytes = std::mem::take(&mut connection.buffer);
            let taken = answer
                .body(&bytes, 200)
                .and_then(|body| self.take(body, out));
            if let Some(connection) = self.open(at) {
                connection.buffer = bytes;
                connection.consume(answer.body.end);
            }
            return Poll::Ready(taken);
        }
        Poll::Pending
    }
}

impl Session {
    /// A session that the server does not know yet.
    pub(crate) fn new(site: &Rc<Site>) -> Rc<Self> {
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: ",
            site.path, site.domain
        );
        Rc::new(Self {
            site: Rc::clone(site),
            head,
            state: RefCell::new(State {
                sid: String::new(),
                rid: u64::from(rand::random::<u32>() >> 1),
                slots: [Slot::Empty, Slot::Empty],
                waiting: Vec::new(),
                reader: None,
                closing: false,
            }),
        })
    }

    /// Asks for the session, or for a new stream in it (XEP-0206 §3, §4).
    pub(crate) async fn open(&self) -> Result<()> {
        let to = &self.site.domain;
        let more = if self.state.borrow().sid.is_empty() {
            format!(
                " to='{to}' wait='{WAIT}' hold='1' ver='1.6' content='text/xml; charset=utf-8' xml:lang='en' \
                 xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'"
            )
        } else {
            format!(" to='{to}' xml:lang='en' xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'")
        };
        self.ask(&more, b"").await
    }

    /// Ends the session; what the server says to that is not waited for.
    pub(crate) async fn close(&self) -> Result<()> {
        self.state.borrow_mut().closing = true;
        let last = b"<presence xmlns='jabber:client' type='unavailable'/>";
        self.ask(" type='terminate'", last).await
    }

    /// Sends elements.
    pub(crate) async fn send(&self, elements: &[u8]) -> Result<()> {
        let mut payload = Vec::with_capacity(elements.len() + 32);
        qualify::each(elements, |parts| payload.extend(parts.concat()));
        self.ask("", &payload).await
    }

    /// Makes a request, now or when one of two is answered.
    async fn ask(&self, more: &str, payload: &[u8]) -> Result<()> {
        let place = self.state.borrow_mut().place();
        let Some((at, open)) = place else {
            self.state.borrow_mut().waiting.extend_from_slice(payload);
            return Ok(());
        };
        if !open {
            self.state.borrow_mut().slots[at] = Slot::Opening;
            let socket = self.site.dial(None).await?;
            self.state.borrow_mut().slots[at] = Slot::Open(Connection::new(socket));
        }
        let request = {
            let mut state = self.state.borrow_mut();
            state.rid += 1;
            let rid = state.rid;
            if let Some(connection) = state.open(at) {
                connection.asked = Some(rid);
            }
            self.request(&state, more, payload)
        };
        let mut rest = request.as_slice();
        let sent = poll_fn(|cx| match self.state.borrow_mut().open(at) {
            Some(connection) => connection.poll_send(cx, &mut rest),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
        });
        sent.await.doing("writing to the server")?;
        // A connection that its reader has not seen yet.
        let reader = (!open).then(|| self.state.borrow_mut().reader.take());
        reader.flatten().into_iter().for_each(Waker::wake);
        Ok(())
    }

    fn request(&self, state: &State, more: &str, payload: &[u8]) -> Vec<u8> {
        let State { sid, rid, .. } = state;
        let mut start = format!("<body rid='{rid}' xmlns='http://jabber.org/protocol/httpbind'");
        if !sid.is_empty() {
            start.extend([" sid='", sid, "'"]);
        }
        start.push_str(more);
        let end = if payload.is_empty() { "/>" } else { "</body>" };
        start.push_str(if payload.is_empty() { "" } else { ">" });
        let length = (start.len() + payload.len() + end.len()).to_string();
        let parts: [&[u8]; 6] = [
            self.head.as_bytes(),
            length.as_bytes(),
            b"\r\n\r\n",
            start.as_bytes(),
            payload,
            end.as_bytes(),
        ];
        parts.concat()
    }

    /// Waits for elements of the server and appends them; there is a request for them to come with.
    pub(crate) async fn read(&self, out: &mut Vec<u8>) -> Result<()> {
        let before = out.len();
        while out.len() == before {
            let due = {
                let mut state = self.state.borrow_mut();
                let under_way = state.under_way();
                let due = under_way == 0 || (under_way == 1 && !state.waiting.is_empty());
                due.then(|| std::mem::take(&mut state.waiting))
            };
            if let Some(payload) = due {
                self.ask("", &payload).await?;
            }
            poll_fn(|cx| self.state.borrow_mut().poll_taken(cx, out)).await?;
        }
        Ok(())
    }
}
