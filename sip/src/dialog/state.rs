//! A dialog and what is done in it.

use std::net::SocketAddr;

use bytes::Bytes;
use thiserror::Error;

use crate::{
    Header, HeaderName, Method, Request, Uri,
    header::{Contacts, NameAddr, Transport},
    syntax::push_number,
    transaction::Flow,
};

/// How many sequence numbers [`Dialog::reserve`] takes at once.
pub const RESERVED_AT_ONCE: u32 = 1000;
/// How many numbers are left when more are to be reserved: enough for what is sent while that is written.
const LOW: u32 = 100;

/// A dialog (RFC 3261 §12).
///
/// Its sequence number never goes back, also not after a crash: numbers are reserved in blocks, the end of
/// the block is what [`Dialog::to_bytes`] writes, and [`Dialog::from_bytes`] goes on from there. So the
/// dialog is to be written before its first request, and whenever
/// [`needs_reservation`](Self::needs_reservation) says so, after [`reserve`](Self::reserve).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// Tag of this end.
    pub local_tag: String,
    /// Tag of the peer; empty if it has none (RFC 2543).
    pub remote_tag: String,
    /// Address of this end, without tag.
    pub local_uri: NameAddr,
    /// Address of the peer, without tag.
    pub remote_uri: NameAddr,
    /// Contact of the peer.
    pub remote_target: Uri,
    /// The route set, in the order of Route.
    pub route_set: Vec<NameAddr>,
    /// Sequence number of the last request that was sent.
    pub local_cseq: u32,
    /// The highest number that may be used: the one that is written to disk.
    pub local_cseq_reserved: u32,
    /// Sequence number of the last request that was received, if there was one.
    pub remote_cseq: Option<u32>,
    /// Where the peer was last seen.
    pub flow: Flow,
    /// Whether the dialog was made by a request to a `sips:` URI that came over TLS.
    pub secure: bool,
    /// The fields that are the same in each request, once the first was made.
    pub(super) written: Written,
}

/// From, To, Call-ID and Contact of the requests of a dialog, in one piece of memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    block: Bytes,
    /// Where each ends.
    ends: [u32; 4],
}

/// It says nothing that the dialog does not say.
impl PartialEq for Written {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Written {}

impl Written {
    fn field(&self, index: usize) -> Bytes {
        let end = |at: usize| self.ends.get(at).map_or(0, |end| *end as usize);
        let start = index.checked_sub(1).map_or(0, end);
        self.block.slice(start..end(index))
    }

    fn is_for(&self, contact: &Uri) -> bool {
        let text = self.field(3);
        let inner = text.strip_prefix(b"<").and_then(|t| t.strip_suffix(b">"));
        inner == Some(contact.as_str().as_bytes())
    }
}

/// A request that does not make a dialog, or is not of one; the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct DialogError {
    /// The status that answers it.
    pub status: u16,
    /// What is wrong, for a reason phrase.
    pub reason: &'static str,
}

impl DialogError {
    pub(super) const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason }
    }
}

/// Where the next request of a dialog is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextHop {
    /// Over this flow.
    Flow(Flow),
    /// To the server that this URI leads to (RFC 3263).
    Resolve(Uri),
}

impl Dialog {
    /// Checks a request of the peer against the dialog, and notes its number and where it came from
    /// (RFC 3261 §12.2.2). To be called when the peer has proven who it is: it moves where requests go.
    ///
    /// # Errors
    /// 481 if the request is of another dialog, 500 if it is older than one that was seen.
    pub fn check_incoming(&mut self, request: &Request, flow: &Flow) -> Result<(), DialogError> {
        const OTHER: DialogError = DialogError::new(481, "Subscription Does Not Exist");
        let headers = &request.headers;
        let same = headers.call_id().is_ok_and(|id| id == self.call_id)
            && request.to_tag().as_deref().unwrap_or("") == self.local_tag
            && request.from_tag().as_deref().unwrap_or("") == self.remote_tag;
        if !same {
            return Err(OTHER);
        }
        let number = headers.cseq().map_err(|_| OTHER)?.number;
        if self.remote_cseq.is_some_and(|last| number < last) {
            return Err(DialogError::new(500, "CSeq Out Of Order"));
        }
        self.remote_cseq = Some(number);
        self.flow = flow.clone();
        Ok(())
    }

    /// Takes the Contact of a target refresh request, SUBSCRIBE or NOTIFY, or of its answer, as where the
    /// peer is now (RFC 3261 §12.2.2). Without one that can be read nothing changes.
    pub fn refresh_target(&mut self, request: &Request) {
        if let Ok(Contacts::Listed(contacts)) = request.headers.contacts()
            && let [contact, ..] = contacts.as_slice()
            && contact.uri().is_sip()
        {
            self.remote_target = contact.uri().clone();
        }
    }

    /// The next request (RFC 3261 §12.2.1.1): Request-URI and Route by the route set, From, To, Call-ID, the
    /// next number, and `contact` for Contact. Via and Max-Forwards are added by the transaction layer.
    ///
    /// It takes a number even where none is reserved, so [`needs_reservation`](Self::needs_reservation) is
    /// to be asked first.
    pub fn request(&mut self, method: Method, contact: &Uri) -> Request {
        self.local_cseq = self.local_cseq.saturating_add(1).min(0x7fff_ffff);
        self.local_cseq_reserved = self.local_cseq_reserved.max(self.local_cseq);
        let (uri, route) = self.route();
        if !self.written.is_for(contact) {
            self.written = self.write(contact);
        }
        let mut cseq = Vec::with_capacity(20);
        push_number(&mut cseq, self.local_cseq.into());
        cseq.push(b' ');
        cseq.extend_from_slice(method.as_str().as_bytes());
        let mut request = Request::new(method, uri);
        let headers = &mut request.headers;
        if !route.is_empty() {
            headers.push(HeaderName::Route, route);
        }
        for (name, value) in [
            (HeaderName::From, self.written.field(0)),
            (HeaderName::To, self.written.field(1)),
            (HeaderName::CallId, self.written.field(2)),
            (HeaderName::CSeq, Bytes::from(cseq)),
            (HeaderName::Contact, self.written.field(3)),
        ] {
            headers.push_wire(Header::from_wire(name, value));
        }
        request
    }

    /// Line ends became spaces: what is written is not looked at again.
    fn write(&self, contact: &Uri) -> Written {
        let mut fields = [
            tagged(&self.local_uri, &self.local_tag),
            tagged(&self.remote_uri, &self.remote_tag),
            self.call_id.clone(),
            ["<", contact.as_str(), ">"].concat(),
        ];
        for field in &mut fields {
            if field.contains(['\r', '\n', '\0']) {
                *field = field.replace(['\r', '\n', '\0'], " ");
            }
        }
        let mut ends = [0; 4];
        let mut length = 0;
        for (end, field) in ends.iter_mut().zip(&fields) {
            length += field.len();
            *end = length as u32;
        }
        Written {
            block: Bytes::from(fields.concat()),
            ends,
        }
    }

    /// Request-URI and the value of Route. A first route without `lr` is a strict router: it becomes the
    /// Request-URI and the target the last route.
    fn route(&self) -> (Uri, String) {
        let join = |routes: &[NameAddr]| {
            let routes: Vec<String> = routes.iter().map(NameAddr::to_string).collect();
            routes.join(", ")
        };
        match self.route_set.split_first() {
            None => (self.remote_target.clone(), String::new()),
            Some((first, _)) if first.uri.param("lr").is_some() => {
                (self.remote_target.clone(), join(&self.route_set))
            }
            Some((first, rest)) => {
                let mut routes = rest.to_vec();
                routes.push(NameAddr::new(self.remote_target.clone()));
                (request_uri(&first.uri), join(&routes))
            }
        }
    }

    /// Where the next request goes.
    ///
    /// Without a route set it goes back the way the peer came (connection reuse, RFC 3581 in spirit), not to
    /// its Contact: that is the only way to a peer behind NAT, and a peer that can be reached at its Contact
    /// is reached so too. If that was a connection which is gone, the Contact is what is left.
    ///
    /// With a route set it goes to the first route; over the way the peer came if that is the same address,
    /// so that the connection of a proxy is used again.
    pub fn next_hop(&self) -> NextHop {
        let Some(first) = self.route_set.first() else {
            if self.flow.is_reliable() && self.flow.connection.is_none() {
                return self.towards(&self.remote_target);
            }
            return NextHop::Flow(self.flow.clone());
        };
        self.towards(&first.uri)
    }

    fn towards(&self, uri: &Uri) -> NextHop {
        let Some(ip) = uri.host().and_then(crate::Host::ip) else {
            return NextHop::Resolve(uri.clone());
        };
        let named = uri.transport().and_then(Transport::from_token);
        let transport = match named {
            Some(Transport::Tcp) | None if uri.is_sips() => Transport::Tls,
            Some(transport) => transport,
            None => Transport::Udp,
        };
        let same_peer = ip.to_canonical() == self.flow.remote.ip().to_canonical();
        if same_peer && transport == self.flow.transport && self.flow.connection.is_some() {
            return NextHop::Flow(self.flow.clone());
        }
        let port = uri.port().unwrap_or_else(|| transport.default_port());
        let remote = SocketAddr::new(ip, port);
        if transport == self.flow.transport && remote.is_ipv4() == self.flow.local.is_ipv4() {
            return NextHop::Flow(Flow::new(transport, self.flow.local, remote));
        }
        NextHop::Flow(Flow::to(transport, remote))
    }

    /// Notes that a connection is closed.
    pub fn handle_closed(&mut self, connection: u64) {
        if self.flow.connection == Some(connection) {
            self.flow.connection = None;
        }
    }

    /// Whether more numbers are to be reserved.
    pub fn needs_reservation(&self) -> bool {
        self.local_cseq_reserved - self.local_cseq.min(self.local_cseq_reserved) < LOW
    }

    /// Reserves numbers: they may be used once the dialog is written ([`Dialog::to_bytes`]).
    pub fn reserve(&mut self) {
        let end = self.local_cseq.saturating_add(RESERVED_AT_ONCE);
        self.local_cseq_reserved = self.local_cseq_reserved.max(end).min(0x7fff_ffff);
    }
}

/// A URI without what may not stand in a Request-URI (RFC 3261 §19.1.1, table 1).
fn request_uri(uri: &Uri) -> Uri {
    let plain = uri.with_param("method", None);
    let headers = plain.headers_str();
    if headers.is_empty() {
        return plain;
    }
    let text = plain
        .as_str()
        .strip_suffix(headers)
        .unwrap_or(plain.as_str());
    Uri::parse(text.trim_end_matches('?')).unwrap_or(plain)
}

fn tagged(address: &NameAddr, tag: &str) -> String {
    address.to_text(tag)
}
