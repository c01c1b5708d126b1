//! External components (XEP-0114): a stream of a program that speaks for a whole domain.
//!
//! Its stanzas are handled as if a client with the address in their `from` had sent them: what that may ask, it may ask.

mod crossing;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use presence::{Address, Timestamp};
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq as _;
use xml::{Element, Limits, ReadError, StreamOpen, StreamReader, Token};

use crate::action::{Action, IqContext};
use crate::client::{Client, Handled, Service};
use crate::print::{self, Condition, ErrorStanza, StanzaError, StanzaKind};
use crate::stream::namespaces::{COMPONENT, STREAM};
use crate::stream::{StreamCondition, print as wire};
use crate::time::Now;

pub use crossing::for_component;

/// What a component's stream is opened with.
#[derive(Clone)]
pub struct Settings {
    /// What clients can learn about the server.
    pub service: Arc<Service>,
    /// The secret of each component, by its domain.
    pub secrets: Arc<BTreeMap<String, String>>,
    /// What it may send in one stanza.
    pub limits: Limits,
    /// When it must have proven who it is.
    pub deadline: Timestamp,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output {
    /// Octets for the component.
    Send(Vec<u8>),
    /// It has proven to be this domain: answered by [`Component::joined`], or by [`Component::end`] when there is another one.
    Join(String),
    /// Something that one of its addresses wants.
    Act {
        /// The address.
        from: Address,
        /// What.
        action: Box<Action>,
    },
    /// The connection is to be closed.
    Close,
}

enum State {
    /// Waits for the header.
    Start,
    /// Waits for the handshake of this domain.
    Greeted(String),
    /// Waits for the answer whether it may join.
    Joining(String),
    /// It is there.
    Joined {
        domain: String,
        lang: Option<Arc<str>>,
    },
    /// It is over.
    Over,
}

/// One stream.
pub struct Component {
    settings: Settings,
    reader: StreamReader,
    id: String,
    lang: Option<Arc<str>>,
    state: State,
    out: VecDeque<Output>,
}

impl Component {
    /// A connection that was just accepted. `id` is not to be foreseen and not used before.
    pub fn new(settings: Settings, id: String) -> Self {
        Self {
            reader: StreamReader::new(settings.limits),
            settings,
            id,
            lang: None,
            state: State::Start,
            out: VecDeque::new(),
        }
    }

    /// The domain it speaks for, once it has joined.
    pub fn domain(&self) -> Option<&str> {
        match &self.state {
            State::Joined { domain, .. } => Some(domain),
            _ => None,
        }
    }

    /// Takes what was read.
    pub fn handle_bytes(&mut self, now: Now, octets: &[u8]) {
        self.reader.feed(octets);
        self.work(now);
    }

    /// It may join.
    pub fn joined(&mut self, now: Now) {
        if let State::Joining(domain) = std::mem::replace(&mut self.state, State::Over) {
            let lang = self.lang.take();
            self.state = State::Joined { domain, lang };
            self.send(|out| {
                xml::Writer::new(out).start("handshake").end();
            });
            self.work(now);
        }
    }

    /// Ends the stream with an error.
    pub fn end(&mut self, condition: StreamCondition, text: Option<&str>) {
        let State::Start = self.state else {
            if !matches!(self.state, State::Over) {
                self.over(Some((condition, text)));
            }
            return;
        };
        self.greet(None);
        self.over(Some((condition, text)));
    }

    /// When [`Component::handle_timeout`] wants to be called.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        match self.state {
            State::Start | State::Greeted(_) => Some(self.settings.deadline),
            _ => None,
        }
    }

    /// It took too long.
    pub fn handle_timeout(&mut self, now: Now) {
        if self.poll_timeout().is_some_and(|at| at <= now.at) {
            self.end(StreamCondition::ConnectionTimeout, None);
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    fn work(&mut self, now: Now) {
        while !matches!(self.state, State::Joining(_) | State::Over) {
            let done = match self.reader.next() {
                Ok(None) => return,
                Ok(Some(Token::Open(open))) => self.open(&open),
                Ok(Some(Token::Element(element))) => self.element(now, &element),
                Ok(Some(Token::Close)) => {
                    self.over(None);
                    return;
                }
                Err(error) => Err(unreadable(&error)),
            };
            if let Err(condition) = done {
                self.end(condition, None);
            }
        }
    }

    /// A header (XEP-0114 §3). What is wrong with it is told behind a header of ours.
    fn open(&mut self, open: &StreamOpen) -> Result<(), StreamCondition> {
        let domain = open.attribute("to").and_then(|to| Address::parse(to).ok());
        let domain = domain.map(|to| to.bare.domain().to_owned());
        self.greet(domain.as_deref());
        self.state = State::Greeted(String::new());
        if open.namespace() != STREAM || open.default_namespace() != Some(COMPONENT) {
            return Err(StreamCondition::InvalidNamespace);
        }
        if open.name() != "stream" || open.prefix() != Some("stream") {
            return Err(StreamCondition::BadNamespacePrefix);
        }
        let known = domain.filter(|domain| self.settings.secrets.contains_key(domain));
        self.state = State::Greeted(known.ok_or(StreamCondition::HostUnknown)?);
        self.lang = open.lang().map(Arc::from);
        Ok(())
    }

    fn greet(&mut self, domain: Option<&str>) {
        let id = self.id.clone();
        self.send(|out| wire::component_header(out, domain, &id));
    }

    fn element(&mut self, now: Now, element: &Element) -> Result<(), StreamCondition> {
        match &self.state {
            State::Greeted(domain) => {
                if !element.is("handshake", COMPONENT) || !self.proves(domain, element) {
                    return Err(StreamCondition::NotAuthorized);
                }
                let domain = domain.clone();
                self.out.push_back(Output::Join(domain.clone()));
                self.state = State::Joining(domain);
                Ok(())
            }
            State::Joined { domain, lang } => {
                let (from, stanza) = crossing::from_component(element, domain)?;
                let client = Client::new(
                    from.clone(),
                    lang.clone(),
                    Arc::clone(&self.settings.service),
                );
                self.stanza(now, client, from, &stanza)
            }
            State::Start | State::Joining(_) | State::Over => Ok(()),
        }
    }

    /// It knows the secret. How much of it was right takes no time to find out.
    fn proves(&self, domain: &str, handshake: &Element) -> bool {
        let Some(secret) = self.settings.secrets.get(domain) else {
            return false;
        };
        let given = handshake.text();
        let proof = self::handshake(&self.id, secret);
        proof.as_bytes().ct_eq(given.trim().as_bytes()).into()
    }

    fn stanza(
        &mut self,
        now: Now,
        mut client: Client,
        from: Address,
        stanza: &Element,
    ) -> Result<(), StreamCondition> {
        if stanza.attribute("to").is_none() {
            self.refuse(
                &from,
                stanza,
                "A stanza of a component names its recipient.",
            );
            return Ok(());
        }
        let mut handled = Handled::default();
        client.handle(now, stanza, &mut handled)?;
        if !handled.bytes.is_empty() {
            self.out.push_back(Output::Send(handled.bytes));
        }
        for action in handled.actions {
            let (from, action) = (from.clone(), Box::new(action));
            self.out.push_back(Output::Act { from, action });
        }
        Ok(())
    }

    fn refuse(&mut self, from: &Address, stanza: &Element, why: &'static str) {
        if matches!(
            stanza.attribute("type").as_deref(),
            Some("error" | "result")
        ) {
            return;
        }
        let kind = match stanza.name() {
            "message" => StanzaKind::Message,
            "presence" => StanzaKind::Presence,
            _ => StanzaKind::Iq,
        };
        let id = stanza.attribute("id");
        let error = StanzaError::because(Condition::BadRequest, why);
        self.send(|out| {
            let stanza = ErrorStanza {
                kind,
                from: None,
                to: from,
                id: id.as_deref(),
            };
            print::error(out, stanza, &error);
        });
    }

    fn send(&mut self, print: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        print(&mut out);
        self.out.push_back(Output::Send(out));
    }

    fn over(&mut self, error: Option<(StreamCondition, Option<&str>)>) {
        self.send(|out| {
            if let Some((condition, text)) = error {
                wire::error(out, condition, text);
            }
            wire::close(out);
        });
        self.state = State::Over;
        self.out.push_back(Output::Close);
    }
}

/// What proves that a component knows its secret: SHA-1 of the stream's id and the secret, in lower-case hexadecimal digits (XEP-0114 §3).
pub fn handshake(id: &str, secret: &str) -> String {
    let mut digits = String::with_capacity(40);
    for octet in Sha1::digest([id.as_bytes(), secret.as_bytes()].concat()) {
        for half in [octet >> 4, octet & 15] {
            digits.extend(char::from_digit(u32::from(half), 16));
        }
    }
    digits
}

fn unreadable(error: &ReadError) -> StreamCondition {
    match error {
        ReadError::Limit(_) => StreamCondition::PolicyViolation,
        _ => StreamCondition::NotWellFormed,
    }
}

/// What is answered to a request of a component's address that only accounts here can make.
pub fn not_for_components(out: &mut Vec<u8>, iq: &IqContext) {
    crate::answer::iq_error(out, iq, &Condition::ServiceUnavailable.into());
}
