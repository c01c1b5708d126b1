//! A page in a browser that speaks BOSH.

use std::collections::VecDeque;
use std::fmt::Write as _;

use xml::{Element, Limits, Wrapper};
use xmpp::sasl::{encode_payload, plain_message};

use crate::support::server::password;
use crate::support::{DOMAIN, Server};
use crate::web::wire::{Heard, Wire};

/// The namespace of bodies.
pub(super) const BOSH: &str = "http://jabber.org/protocol/httpbind";
/// What a client asks for at the beginning, when nothing else is tested.
pub(super) const USUAL: &str =
    "ver='1.11' wait='60' hold='1' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' xmpp:version='1.0'";
pub(super) const RESTART: &str =
    "to='office.example' xml:lang='en' xmlns:xmpp='urn:xmpp:xbosh' xmpp:restart='true'";

/// A POST with this content.
pub(super) fn post(content: &str) -> String {
    post_with("", content)
}

/// A POST with more headers.
pub(super) fn post_with(headers: &str, content: &str) -> String {
    format!(
        "POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n{headers}\r\n{content}",
        content.len()
    )
}

/// A request for a session.
pub(super) fn opening(rid: u64, attributes: &str) -> String {
    format!("<body xmlns='{BOSH}' rid='{rid}' to='{DOMAIN}' {attributes}/>")
}

/// The value of an attribute of a body.
pub(super) fn attribute(body: &str, name: &str) -> Option<String> {
    let head = body.split('>').next()?;
    let rest = head.split(&format!(" {name}='")).nth(1)?;
    rest.split('\'').next().map(str::to_owned)
}

/// The answer that ends a session.
#[track_caller]
pub(super) fn ended(heard: &Heard, condition: &str) {
    assert_eq!(
        attribute(heard.text(), "type").as_deref(),
        Some("terminate"),
        "{}",
        heard.text()
    );
    assert_eq!(
        attribute(heard.text(), "condition").as_deref(),
        Some(condition)
    );
}

/// The elements in a body.
pub(super) fn elements(body: &str) -> Vec<Element> {
    let octets = bytes::Bytes::copy_from_slice(body.as_bytes());
    let wrapper = Wrapper::parse(&octets, Limits::generous(), usize::MAX).unwrap();
    let alone = wrapper.children().iter().map(|c| c.standing_alone("", ""));
    alone
        .map(|octets| Element::stored(octets, "").unwrap())
        .collect()
}

/// A session, and the connections that its requests go over.
pub(super) struct Tab {
    free: Vec<Wire>,
    /// Requests that are not answered, with their connections.
    pending: VecDeque<Wire>,
    pub(super) sid: String,
    pub(super) rid: u64,
    /// The answer with which it began.
    pub(super) first: String,
    /// The address, once bound.
    pub(super) jid: String,
    backlog: Vec<Element>,
}

/// A request whose answer is to come.
pub(super) struct Asked(Wire);

impl Asked {
    /// Waits for the answer.
    #[track_caller]
    pub(super) fn hear(mut self) -> Heard {
        self.0.hear()
    }

    /// The connection: the answer will not be waited for.
    pub(super) fn leave(self) {
        drop(self.0);
    }
}

impl Tab {
    /// A session, not logged in.
    pub(super) fn open(server: &Server, attributes: &str) -> Self {
        Self::over(|| Wire::plain(server), attributes)
    }

    /// A session over connections like this.
    pub(super) fn over(connect: impl Fn() -> Wire, attributes: &str) -> Self {
        let mut free: Vec<_> = (0..3).map(|_| connect()).collect();
        let rid = 4_000_000_000;
        let heard = free[0].ask(&post(&opening(rid, attributes)));
        assert_eq!(heard.status, 200, "{}", heard.text());
        let first = heard.text().to_owned();
        let sid = attribute(&first, "sid").unwrap_or_else(|| panic!("no session: {first}"));
        Self {
            free,
            pending: VecDeque::new(),
            sid,
            rid,
            first,
            jid: String::new(),
            backlog: Vec::new(),
        }
    }

    /// A session of an account that has bound a resource.
    pub(super) fn login(server: &Server, user: &str, resource: &str) -> Self {
        let mut tab = Self::open(server, USUAL);
        tab.authenticate(user);
        tab.bind(resource);
        tab
    }

    /// The same, available.
    pub(super) fn online(server: &Server, user: &str, resource: &str) -> Self {
        let mut tab = Self::login(server, user, resource);
        let jid = tab.jid.clone();
        tab.say("<presence xmlns='jabber:client'/>");
        tab.expect("its own presence", |s| {
            s.name() == "presence" && s.attribute("from").as_deref() == Some(&jid)
        });
        tab
    }

    /// PLAIN, and the stream anew.
    pub(super) fn authenticate(&mut self, user: &str) {
        let initial = encode_payload(&plain_message(None, user, &password(user)));
        self.say(&format!(
            "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{initial}</auth>"
        ));
        self.expect("success", |s| s.name() == "success");
        self.restart("");
    }

    /// The stream begins anew; its features.
    pub(super) fn restart(&mut self, content: &str) -> Element {
        self.request(RESTART, content);
        self.expect("features", |s| s.name() == "features")
    }

    /// Binds a resource.
    pub(super) fn bind(&mut self, resource: &str) {
        self.say(&format!(
            "<iq xmlns='jabber:client' type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>{resource}</resource></bind></iq>"
        ));
        let bound = self.expect("a resource", |s| {
            s.attribute("id").as_deref() == Some("bind")
        });
        let bind = bound.children().next().unwrap();
        self.jid = bind.children().next().unwrap().text().into_owned();
    }

    /// The next request with these attributes and this content.
    pub(super) fn body(&mut self, attributes: &str, content: &str) -> String {
        self.rid += 1;
        self.body_of(self.rid, attributes, content)
    }

    /// The request of this id.
    pub(super) fn body_of(&self, rid: u64, attributes: &str, content: &str) -> String {
        let mut body = format!(
            "<body xmlns='{BOSH}' sid='{}' rid='{rid}' {attributes}",
            self.sid
        );
        if content.is_empty() {
            body.push_str("/>");
        } else {
            let _ = write!(body, ">{content}</body>");
        }
        body
    }

    /// Sends the next request over a connection of its own.
    pub(super) fn ask_over(&mut self, mut wire: Wire, attributes: &str, content: &str) -> Asked {
        let body = self.body(attributes, content);
        wire.send(&post(&body));
        Asked(wire)
    }

    fn request(&mut self, attributes: &str, content: &str) {
        let body = self.body(attributes, content);
        let mut wire = self.free.pop().expect("a connection is free");
        wire.send(&post(&body));
        self.pending.push_back(wire);
    }

    /// The answer to the oldest request.
    #[track_caller]
    fn answer(&mut self) -> Heard {
        let mut wire = self.pending.pop_front().expect("something was asked");
        let heard = wire.hear();
        self.free.push(wire);
        heard
    }

    /// Waits for the answers to all requests, behind which another was sent by [`Self::body`].
    #[track_caller]
    pub(super) fn settle(&mut self) {
        while !self.pending.is_empty() {
            let heard = self.answer();
            self.take(heard.text());
        }
    }

    /// Sends the next request and waits for its answer. What came in answer to those before is kept.
    #[track_caller]
    pub(super) fn ask(&mut self, attributes: &str, content: &str) -> Heard {
        self.request(attributes, content);
        while self.pending.len() > 1 {
            let heard = self.answer();
            self.take(heard.text());
        }
        self.answer()
    }

    /// The answer that ends the session, which must come.
    #[track_caller]
    pub(super) fn last(&mut self) -> Heard {
        loop {
            if self.pending.is_empty() {
                self.request("", "");
            }
            let heard = self.answer();
            if attribute(heard.text(), "type").as_deref() == Some("terminate") {
                return heard;
            }
        }
    }

    /// Says something. No more than two requests are under way.
    #[track_caller]
    pub(super) fn say(&mut self, content: &str) {
        while self.pending.len() > 1 {
            let heard = self.answer();
            self.take(heard.text());
        }
        self.request("", content);
    }

    /// Keeps the elements of a body that has come.
    #[track_caller]
    pub(super) fn take(&mut self, body: &str) {
        assert!(!body.contains("type='terminate'"), "{body}");
        self.backlog.extend(elements(body));
    }

    /// Waits for an element, asking for more while it has not come.
    #[track_caller]
    pub(super) fn expect(&mut self, what: &str, is: impl Fn(&Element) -> bool) -> Element {
        loop {
            if let Some(at) = self.backlog.iter().position(&is) {
                return self.backlog.remove(at);
            }
            if self.pending.is_empty() {
                self.request("", "");
            }
            let heard = self.answer();
            assert!(
                !heard.text().contains("type='terminate'"),
                "{what}: {}",
                heard.text()
            );
            self.take(heard.text());
        }
    }

    /// Waits for a message with this body.
    #[track_caller]
    pub(super) fn message(&mut self, body: &str) -> Element {
        self.expect(&format!("the message {body:?}"), |s| {
            s.name() == "message"
                && s.child("body", "jabber:client")
                    .is_some_and(|b| b.text() == body)
        })
    }

    /// Sends a message; the request is held afterwards.
    pub(super) fn chat(&mut self, wire: Wire, to: &str, body: &str) -> Asked {
        let message = chat(to, body);
        self.ask_over(wire, "", &message)
    }
}

/// A message.
pub(super) fn chat(to: &str, body: &str) -> String {
    format!("<message xmlns='jabber:client' to='{to}' type='chat'><body>{body}</body></message>")
}
