//! A stream from its first octet until a resource is bound (RFC 6120 §4.3).

use super::Core;
use super::bind::Binding;
use super::ending::Ending;
use super::entry::Entry;
use super::features;
use super::login::{Login, Progress};
use super::print;
use super::random::Random;
use super::settings::{Secured, Way};
use crate::action::Reply;
use crate::management::{self, MANAGEMENT};
use crate::print::Condition;
use crate::sasl::{Channel, ChannelBindings, Nonce};
use crate::stream::namespaces::{CLIENT, FRAMING, SASL, SASL2, SERVER, STREAM, TLS};
use crate::stream::print::Opening;
use crate::stream::{self, Header, StreamCondition, Version};
use presence::{Address, Bare, Timestamp};
use std::sync::Arc;
use xml::{Element, Token};

/// Whether TLS is in place.
#[derive(Debug)]
enum Tls {
    No,
    /// Between `<proceed/>` and the end of the handshake: nothing is said on the stream.
    Handshake,
    Yes(Secured),
}

/// How far the negotiation is.
#[derive(Debug)]
enum Stage {
    Login(Login),
    /// The login is proven; what was asked for with it is being done.
    Entry(Entry),
    Bind(Binding),
}

/// A stream that is not ready for stanzas.
#[derive(Debug)]
pub(super) struct Negotiation {
    random: Random,
    /// When it must have got to its next stage.
    pub(super) deadline: Timestamp,
    tls: Tls,
    stage: Stage,
    /// Our header is out: the present stream has begun.
    is_open: bool,
    /// The peer has said something on it.
    pub(super) is_addressed: bool,
    /// Where the peer may go when this way cannot be taken.
    pub(super) elsewhere: Option<String>,
    /// The peer's header of the present stream.
    header: Header,
    /// The domain in whose name the server speaks on it.
    domain: String,
    /// Octets taken on it.
    octets: usize,
    /// First-level elements taken on it.
    elements: usize,
}

impl Negotiation {
    pub(super) fn new(
        core: &Core,
        now: Timestamp,
        secured: Option<Secured>,
        random: [u8; 32],
    ) -> Self {
        Self {
            random: Random::new(random),
            deadline: now.plus(core.settings.unauthenticated_time),
            tls: secured.map_or(Tls::No, Tls::Yes),
            stage: Stage::Login(Login::default()),
            is_open: false,
            is_addressed: false,
            elsewhere: None,
            header: Header::default(),
            domain: core.settings.default_domain().to_owned(),
            octets: 0,
            elements: 0,
        }
    }

    /// On a framed stream, whose protection is not its own.
    pub(super) fn framed(core: &Core, now: Timestamp, way: Way, random: [u8; 32]) -> Self {
        let secured = way.confidential.then(Secured::default);
        Self {
            elsewhere: way.elsewhere,
            ..Self::new(core, now, secured, random)
        }
    }

    /// The account, once authenticated.
    pub(super) fn account(&self) -> Option<&Bare> {
        match &self.stage {
            Stage::Login(_) => None,
            Stage::Entry(entry) => Some(&entry.account),
            Stage::Bind(binding) => Some(&binding.account),
        }
    }

    /// The language of what the client will send.
    pub(super) fn lang(&self) -> Option<Arc<str>> {
        self.header.lang.clone()
    }

    /// The next token may be read.
    pub(super) fn reads(&self) -> bool {
        !self.is_in_handshake() && !self.is_waiting()
    }

    /// An answer from outside is needed to go on.
    pub(super) fn is_waiting(&self) -> bool {
        match &self.stage {
            Stage::Login(login) => login.is_waiting(),
            Stage::Entry(_) => true,
            Stage::Bind(binding) => binding.is_waiting(),
        }
    }

    /// TLS is being negotiated.
    pub(super) fn is_in_handshake(&self) -> bool {
        matches!(self.tls, Tls::Handshake)
    }

    /// How many of `offered` octets may be taken; the others are too many.
    pub(super) fn admit(&mut self, core: &Core, offered: usize) -> usize {
        let most = match &self.stage {
            Stage::Login(_) => core.settings.unauthenticated_bytes,
            // Whoever binds sends one short stanza; more is only refused while it waits, when nothing is read.
            Stage::Entry(_) => core.settings.stanza_size,
            Stage::Bind(binding) if binding.is_waiting() => core.settings.stanza_size,
            Stage::Bind(_) => return offered,
        };
        let admitted = offered.min(most.saturating_sub(self.octets));
        self.octets += admitted;
        admitted
    }

    /// Takes what the handshake gave: the stream begins anew, and the peer has to say everything again (§5.4.3.3).
    pub(super) fn handle_secured(&mut self, secured: Secured) {
        if self.is_in_handshake() {
            self.tls = Tls::Yes(secured);
        }
    }

    /// Takes a token, except a closing tag.
    pub(super) fn handle(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        token: Token,
    ) -> Result<(), Ending> {
        match token {
            Token::Open(open) => self.open(core, Header::read(&open)),
            Token::Element(element) if core.input.is_framed() => self.frame(core, now, &element),
            Token::Element(element) => self.element(core, now, &element),
            Token::Close => Err(Ending::Closed),
        }
    }

    /// Takes an answer from outside; the full address once it is bound.
    pub(super) fn reply(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        reply: Reply,
    ) -> Result<Option<Address>, Ending> {
        match &mut self.stage {
            Stage::Login(login) => {
                let progress = login.reply(core, &self.domain, reply)?;
                self.advance(core, now, progress).map(|()| None)
            }
            Stage::Entry(entry) => {
                entry.reply(reply);
                Ok(self.enter(core))
            }
            Stage::Bind(binding) => {
                self.octets = 0;
                binding.reply(core, reply)
            }
        }
    }

    /// Nothing will come of a login that is going on.
    pub(super) fn abandon(&mut self, core: &mut Core) {
        if let Stage::Login(login) = &mut self.stage {
            login.abandon(core);
        }
    }

    /// Sends our header if it is not out yet; also before an error that the peer's header caused (§4.9.1.2).
    pub(super) fn begin(&mut self, core: &mut Core, version: Option<Version>) {
        if self.is_open {
            return;
        }
        self.is_open = true;
        let id = self.random.id();
        let opening = Opening {
            from: &self.domain,
            to: self.header.from.as_ref(),
            id: &id,
            version: version.map(|theirs| theirs.min(Version::OURS)),
        };
        if core.input.is_framed() {
            stream::framing::open(core.outbox.bytes(), &opening);
        } else {
            stream::print::header(core.outbox.bytes(), &opening);
        }
    }

    /// Takes an element of a framed stream: the first is its header (RFC 7395 §3.4).
    fn frame(&mut self, core: &mut Core, now: Timestamp, element: &Element) -> Result<(), Ending> {
        if element.is("close", FRAMING) {
            return Err(Ending::Closed);
        }
        if self.is_open {
            return self.element(core, now, element);
        }
        let read = Header::read_framed(element);
        // Nothing below can be protected from here (§3.9).
        if read.1.is_ok() && matches!(self.tls, Tls::No) && core.settings.require_tls {
            return Err(match self.elsewhere {
                Some(_) => Ending::Elsewhere,
                None => Ending::because(
                    StreamCondition::PolicyViolation,
                    "This server is for connections with TLS",
                ),
            });
        }
        self.open(core, read)
    }

    fn open(
        &mut self,
        core: &mut Core,
        (header, verdict): (Header, Result<(), StreamCondition>),
    ) -> Result<(), Ending> {
        self.header = header;
        let domain = self.find_domain(core).map(str::to_owned);
        if let Ok(domain) = &domain {
            self.domain.clone_from(domain);
        }
        self.begin(core, self.header.version);
        verdict?;
        self.check_domain(&domain?)?;
        self.check_sender(self.account())?;
        match &self.stage {
            Stage::Login(_) => {
                let channel = self.channel(core);
                let framed = core.input.is_framed();
                let offers = &core.settings.offers;
                if let Some(offer) = offers.of(&channel, &core.settings, framed) {
                    core.outbox.bytes().extend_from_slice(&offer.features);
                }
            }
            Stage::Entry(_) | Stage::Bind(_) => {
                features::after_login(core.outbox.bytes(), &core.settings, features::Left::ALL);
            }
        }
        Ok(())
    }

    /// The domain that the peer means. Where it does not say (§4.7.2 wants it to be borne), TLS may have said it.
    fn find_domain<'a>(&self, core: &'a Core) -> Result<&'a str, StreamCondition> {
        let settings = &core.settings;
        let asked = match (&self.header.to, &self.tls, &self.stage) {
            (Some(to), ..) => settings.domain(to),
            (None, _, Stage::Bind(binding)) => settings.domain(binding.account.domain()),
            (None, Tls::Yes(Secured { sni: Some(sni), .. }), _) if settings.domain(sni).is_ok() => {
                settings.domain(sni)
            }
            _ => settings
                .only_domain()
                .ok_or(StreamCondition::ImproperAddressing),
        }?;
        match &self.stage {
            // Who has logged in to one domain is nobody on another.
            Stage::Bind(binding) if binding.account.domain() != asked => {
                Err(StreamCondition::NotAuthorized)
            }
            _ => Ok(asked),
        }
    }

    /// Whoever says that he is of another domain cannot log in to this one (RFC 6120 §4.9.3.9, XEP-0388 §2.1).
    fn check_domain(&self, domain: &str) -> Result<(), Ending> {
        match (&self.header.from, &self.tls) {
            (Some(from), Tls::Yes(_)) if from.domain() != domain => {
                Err(StreamCondition::InvalidFrom.into())
            }
            _ => Ok(()),
        }
    }

    /// The sender that a protected header named must be who has logged in (§6.4.6).
    fn check_sender(&self, account: Option<&Bare>) -> Result<(), Ending> {
        match (&self.header.from, account, &self.tls) {
            (Some(from), Some(account), Tls::Yes(_)) if from != account => {
                Err(StreamCondition::InvalidFrom.into())
            }
            _ => Ok(()),
        }
    }

    fn channel(&self, core: &Core) -> Channel {
        Channel {
            encrypted: matches!(self.tls, Tls::Yes(_)),
            require_tls: core.settings.require_tls,
            bindings: match &self.tls {
                Tls::Yes(secured) => secured.bindings(),
                _ => ChannelBindings::default(),
            },
            without_sha512: !core.settings.sha512,
            digests: None,
        }
    }

    fn element(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        element: &Element,
    ) -> Result<(), Ending> {
        self.elements += 1;
        let is_answer =
            element.namespace() == SASL2 && matches!(element.name(), "response" | "abort");
        match &self.stage {
            Stage::Login(login) if login.is_exclusive() && !is_answer => {
                return Err(Ending::because(
                    StreamCondition::PolicyViolation,
                    "Only a response may come while a login is under way",
                ));
            }
            _ => {}
        }
        match (element.namespace(), element.name(), &mut self.stage) {
            (_, _, Stage::Login(_)) if self.elements > core.settings.unauthenticated_elements => {
                Err(Ending::because(
                    StreamCondition::PolicyViolation,
                    "Too many elements before authentication",
                ))
            }
            (TLS, "starttls", _) => self.start_tls(core, element),
            (SASL, "auth" | "response" | "abort", Stage::Login(_))
            | (SASL2, "authenticate" | "response" | "abort", Stage::Login(_)) => {
                self.sasl(core, now, element)
            }
            (CLIENT, "iq", Stage::Bind(binding)) => binding.handle(core, element),
            (MANAGEMENT, _, Stage::Login(_)) => {
                let early = Condition::UnexpectedRequest;
                management::print::failed(core.outbox.bytes(), early, None);
                Ok(())
            }
            (MANAGEMENT, _, Stage::Bind(binding)) => {
                binding.manage(core, element);
                Ok(())
            }
            (CLIENT, "message" | "presence" | "iq", _) => {
                Err(StreamCondition::NotAuthorized.into())
            }
            (namespace, name, _) => Err(misplaced(namespace, name)),
        }
    }

    fn start_tls(&mut self, core: &mut Core, element: &Element) -> Result<(), Ending> {
        let is_malformed = element.children().next().is_some() || !element.text().trim().is_empty();
        let cannot = is_malformed || core.input.is_framed();
        let (Tls::No, Stage::Login(login), false) = (&self.tls, &mut self.stage, cannot) else {
            print::tls_failure(core.outbox.bytes());
            return Err(Ending::Closed);
        };
        login.abandon(core);
        print::proceed(core.outbox.bytes());
        core.outbox.start_tls();
        self.tls = Tls::Handshake;
        self.restart(core);
        // Whatever came in the clear, maybe not from the peer, must not be taken for what comes protected.
        core.input.clear_buffered();
        core.settings.default_domain().clone_into(&mut self.domain);
        Ok(())
    }

    /// The peer begins a new stream on the same connection (§4.3.3).
    fn restart(&mut self, core: &mut Core) {
        core.input.reset();
        self.is_open = false;
        self.is_addressed = false;
        self.header = Header::default();
        self.octets = 0;
        self.elements = 0;
    }

    fn sasl(&mut self, core: &mut Core, now: Timestamp, element: &Element) -> Result<(), Ending> {
        let channel = self.channel(core);
        let (name, from) = (element.name(), &self.header.from);
        let Stage::Login(login) = &mut self.stage else {
            return Err(misplaced(element.namespace(), name));
        };
        let progress = match name {
            "auth" | "authenticate" => {
                let mut channel = channel;
                let framed = core.input.is_framed();
                let offer = core.settings.offers.of(&channel, &core.settings, framed);
                channel.digests = offer.map(|offer| Arc::clone(&offer.digests));
                let nonce = Nonce::from_random(&self.random.bytes());
                if name == "auth" {
                    login.auth(core, &self.domain, &channel, element, nonce)
                } else {
                    let from = from.clone();
                    login.authenticate(core, &self.domain, &channel, element, from, nonce)
                }
            }
            "response" => login.response(core, &self.domain, element),
            _ => login.abort(core, element),
        }?;
        self.advance(core, now, progress)
    }

    fn advance(
        &mut self,
        core: &mut Core,
        now: Timestamp,
        progress: Progress,
    ) -> Result<(), Ending> {
        let Progress::Proven {
            account,
            additional,
            request,
            renew,
        } = progress
        else {
            return Ok(());
        };
        self.check_sender(Some(&account))?;
        self.deadline = now.plus(core.settings.unauthenticated_time);
        if let Some(request) = request {
            // The stream goes on (XEP-0388 §2.6.1).
            self.octets = 0;
            let random = &mut self.random;
            let settings = &core.settings;
            let fresh = || random.id();
            let entry = Entry::new(account, additional, *request, renew, settings, fresh);
            self.stage = Stage::Entry(entry);
            core.input.set_limits(core.settings.members());
            self.enter(core);
            return Ok(());
        }
        print::success(core.outbox.bytes(), additional.as_deref());
        self.stage = Stage::Bind(Binding::new(account));
        self.restart(core);
        core.input.set_limits(core.settings.members());
        Ok(())
    }

    /// Goes on with what was asked for together with a login; the full address once all is done, if a resource was bound.
    fn enter(&mut self, core: &mut Core) -> Option<Address> {
        let Stage::Entry(entry) = &mut self.stage else {
            return None;
        };
        if entry.ask(core) {
            return None;
        }
        let done = Stage::Bind(Binding::new(entry.account.clone()));
        let Stage::Entry(entry) = std::mem::replace(&mut self.stage, done) else {
            return None;
        };
        self.octets = 0;
        entry.finish(core)
    }

    /// Says that an earlier stream goes on here (XEP-0198 §5), with its address, its name, and how many stanzas were handled on it.
    pub(super) fn go_on(&mut self, out: &mut Vec<u8>, stream: (&Address, &str, u32)) {
        let (_, id, handled) = stream;
        match &mut self.stage {
            Stage::Entry(entry) => entry.go_on(out, stream),
            _ => management::print::resumed(out, id, handled),
        }
    }
}

/// What is wrong with an element that has no place on a stream of a client.
pub(super) fn misplaced(namespace: &str, name: &str) -> Ending {
    match (namespace, name) {
        (STREAM, "error") => Ending::Closed,
        (SERVER, _) => StreamCondition::InvalidNamespace.into(),
        _ => StreamCondition::UnsupportedStanzaType.into(),
    }
}
