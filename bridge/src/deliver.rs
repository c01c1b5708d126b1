//! Messages to phones (RFC 3428 §4, §8; RFC 7572 §4).

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use presence::{Bare, Binding, Message, MessageKind, MessageNative};
use sip::dialog::NextHop;
use sip::header::Date;
use sip::transaction::Flow;
use sip::{HeaderName, Method, Request, Uri};

use crate::action::Action;
use crate::address::{aor, gruu};
use crate::bridge::{Bridge, Now, Sending};

/// RFC 3428 §8: longer ones must not go where nobody slows them down.
const MOST_OVER_UDP: usize = 1300;
/// What the transaction layer adds: Via, Max-Forwards, Content-Length, Server.
const ADDED: usize = 200;
/// Messages that wait for one phone.
const MOST_QUEUED: usize = 100;

/// A message on its way to the phones of an account.
struct Delivery {
    account: Bare,
    stored: Option<u64>,
    /// Requests that are not answered yet, queued ones among them.
    left: usize,
    taken: bool,
}

/// One MESSAGE, ready to be sent.
struct Ready {
    delivery: u64,
    request: Request,
    to: NextHop,
}

/// What is on its way.
#[derive(Default)]
pub(crate) struct Deliveries {
    all: HashMap<u64, Delivery>,
    /// Stored messages on their way: a second offer of one is not sent again.
    stored: HashSet<(Bare, u64)>,
    /// By contact: one request at a time (RFC 3428 §8), the others wait.
    queues: HashMap<Arc<str>, VecDeque<Ready>>,
    by_key: HashMap<u64, Arc<str>>,
    requests: usize,
}

impl Deliveries {
    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
            && self.stored.is_empty()
            && self.queues.is_empty()
            && self.by_key.is_empty()
            && self.requests == 0
    }
}

impl<R: Copy> Bridge<R> {
    /// Sends a message to every phone that takes messages. The first that accepts it has it for all. A stored one that cannot be sent
    /// to any is not taken; one that is on its way already is answered once.
    pub(crate) fn deliver(
        &mut self,
        now: Now,
        account: &Bare,
        bindings: &[Binding],
        message: &Message,
        stored: Option<u64>,
    ) {
        let offered = stored
            .is_some_and(|number| self.deliveries.stored.contains(&(account.clone(), number)));
        if offered {
            return;
        }
        let delivery = self.number();
        let left = self.enqueue_all(now, delivery, account, bindings, message);
        if left == 0 {
            // Nobody will answer, and what waits behind it waits for an answer.
            if let Some(stored) = stored {
                let account = account.clone();
                self.act(Action::NotTaken { account, stored });
            }
            return;
        }
        if let Some(number) = stored {
            self.deliveries.stored.insert((account.clone(), number));
        }
        let account = account.clone();
        let entry = Delivery {
            account,
            stored,
            left,
            taken: false,
        };
        self.deliveries.all.insert(delivery, entry);
    }

    /// How many phones it is on its way to.
    fn enqueue_all(
        &mut self,
        now: Now,
        delivery: u64,
        account: &Bare,
        bindings: &[Binding],
        message: &Message,
    ) -> usize {
        let Some(content) = content(message) else {
            return 0;
        };
        if self.deliveries.requests + bindings.len() > self.config.bounds.messages {
            return 0;
        }
        let mut left = 0;
        for binding in bindings
            .iter()
            .filter(|b| b.takes_message && b.expires > now.utc)
        {
            if let Some((request, to)) = self.request_for(account, binding, message, &content) {
                let ready = Ready {
                    delivery,
                    request,
                    to,
                };
                left += usize::from(self.enqueue(&binding.contact, ready));
            }
        }
        left
    }

    fn request_for(
        &mut self,
        account: &Bare,
        binding: &Binding,
        message: &Message,
        content: &Content,
    ) -> Option<(Request, NextHop)> {
        let uri = Uri::parse(&binding.contact).ok()?;
        let flow: Flow = binding.flow.parse().ok()?;
        let tag = self.random.own_token();
        let call_id = self.random.token();
        let mut request = Request::new(Method::Message, uri);
        let headers = &mut request.headers;
        for hop in &binding.path {
            headers.push(HeaderName::Route, hop.to_string());
        }
        headers.push(
            HeaderName::From,
            format!("<{}>;tag={tag}", gruu(&message.from)),
        );
        headers.push(HeaderName::To, format!("<{}>", aor(account)));
        headers.push(HeaderName::CallId, call_id);
        headers.push(HeaderName::CSeq, "1 MESSAGE");
        let unix = message.received.0.div_euclid(1000);
        headers.push(HeaderName::Date, Date { unix }.to_string());
        if let Some(subject) = message.subjects.first() {
            headers.push(HeaderName::Subject, subject.text.replace(['\n', '\t'], " "));
        }
        if let Some(lang) = &content.lang {
            headers.push(HeaderName::ContentLanguage, lang.clone());
        }
        let request = request.with_body(&content.media, content.body.clone());
        if !flow.is_reliable() && request.to_bytes().len() + ADDED > MOST_OVER_UDP {
            return None;
        }
        Some((request, NextHop::Flow(flow)))
    }

    /// Sends it, or puts it behind what is on its way to the same contact. `false`: too many wait there.
    fn enqueue(&mut self, contact: &Arc<str>, ready: Ready) -> bool {
        if let Some(queue) = self.deliveries.queues.get_mut(contact) {
            if queue.len() >= MOST_QUEUED {
                return false;
            }
            queue.push_back(ready);
            self.deliveries.requests += 1;
            return true;
        }
        self.deliveries
            .queues
            .insert(Arc::clone(contact), VecDeque::new());
        self.deliveries.requests += 1;
        self.send_message(Arc::clone(contact), ready);
        true
    }

    fn send_message(&mut self, contact: Arc<str>, ready: Ready) {
        let key = self.send(Sending::Message(ready.delivery), ready.request, ready.to);
        self.deliveries.by_key.insert(key, contact);
    }

    /// A phone took a message, or did not.
    pub(crate) fn message_answered(&mut self, delivery: u64, key: u64, accepted: bool) {
        self.settle_delivery(delivery, accepted);
        let Some(contact) = self.deliveries.by_key.remove(&key) else {
            return;
        };
        match self
            .deliveries
            .queues
            .get_mut(&contact)
            .and_then(VecDeque::pop_front)
        {
            Some(next) => self.send_message(contact, next),
            None => {
                self.deliveries.queues.remove(&contact);
            }
        }
    }

    fn settle_delivery(&mut self, id: u64, accepted: bool) {
        self.deliveries.requests = self.deliveries.requests.saturating_sub(1);
        let Some(delivery) = self.deliveries.all.get_mut(&id) else {
            return;
        };
        delivery.left -= 1;
        let first = accepted && !delivery.taken;
        delivery.taken |= accepted;
        let taken = delivery.taken;
        let (account, stored, done) = (
            delivery.account.clone(),
            delivery.stored,
            delivery.left == 0,
        );
        if done {
            self.deliveries.all.remove(&id);
            if let Some(stored) = stored {
                self.deliveries.stored.remove(&(account.clone(), stored));
            }
        }
        match stored {
            Some(stored) if first => self.act(Action::Taken { account, stored }),
            Some(stored) if done && !taken => self.act(Action::NotTaken { account, stored }),
            _ => {}
        }
    }
}

/// What a phone is sent of a message.
struct Content {
    media: String,
    body: Bytes,
    lang: Option<String>,
}

/// From SIP to SIP the body goes as it is; from XMPP its text does, in the first language there is. Errors and what is said in
/// rooms are not for phones.
fn content(message: &Message) -> Option<Content> {
    if matches!(message.kind, MessageKind::Error | MessageKind::Groupchat) {
        return None;
    }
    let first = message.bodies.first();
    if let MessageNative::Sip { content_type, body } = &message.native {
        return Some(Content {
            media: content_type.to_string(),
            body: body.clone(),
            lang: first.and_then(|note| note.lang.clone()),
        });
    }
    let (text, lang) = match (first, &message.native) {
        (Some(note), _) => (note.text.clone(), note.lang.clone()),
        (None, MessageNative::Xmpp(stanza)) => body_of(stanza)?,
        (None, MessageNative::Sip { .. }) => return None,
    };
    (!text.is_empty()).then(|| Content {
        media: "text/plain;charset=UTF-8".to_owned(),
        body: text.into(),
        lang,
    })
}

/// The first `<body/>` of a stanza, when whoever handed it on has not read it.
fn body_of(stanza: &Bytes) -> Option<(String, Option<String>)> {
    const CLIENT: &str = "jabber:client";
    let stanza = xml::Element::stored(stanza.clone(), CLIENT).ok()?;
    let body = stanza.child("body", CLIENT)?;
    let lang = body
        .lang()
        .or_else(|| stanza.lang())
        .map(std::borrow::Cow::into_owned);
    Some((body.text().into_owned(), lang))
}
