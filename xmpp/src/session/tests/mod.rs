//! Conversations on simulated time. Here is the driver that they share: it knows one account, `ann@office.example`.

#![expect(clippy::unwrap_used, reason = "tests")]

mod binding;
mod entering;
mod framed;
mod good;
mod headers;
mod limits;
mod management;
mod properties;
mod sasl;
mod sasl2;
mod stanzas;
mod start_tls;
mod tokens;

use super::*;
use crate::action::{Action, AttemptOutcome};
use crate::client::{Service, Software};
use crate::sasl::{
    ClientBinding, ClientId, Credentials, Decoy, Fingerprint, Hash, IssuedToken, Nonce, Password,
    ScramClient, TokenAttempt, TokenFinding, TokenMechanism, decode_payload,
    encode_optional_payload, encode_payload, plain_message,
};
use crate::stream::namespaces::{BIND, BIND2, FAST, SASL, SASL2, STREAM, STREAM_ERRORS};
use presence::{Resource, Utc};
use std::sync::LazyLock;
use std::time::Duration;
use xml::{Child, Children, Element, Limits, StreamOpen, StreamReader, Token};

const OPEN: &str = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' \
     xmlns:stream='http://etherx.jabber.org/streams' to='office.example' version='1.0' xml:lang='de-CH'>";
const START_TLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";
const BIND_ANY: &str =
    "<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";

static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
    Credentials::derive(&Password::new("pencil"), b"0123456789abcdef", 16).unwrap()
});

fn settings() -> Settings {
    settings_for(&["office.example"])
}

fn settings_for(domains: &[&str]) -> Settings {
    let software = Software {
        name: "Adsum".to_owned(),
        version: "0".to_owned(),
        os: None,
    };
    let domains = domains.iter().map(ToString::to_string).collect();
    let service = Service::new(domains, software, Timestamp(0));
    Settings::new(Arc::new(service), Decoy::new([3; 32], 16, 16))
}

fn secured() -> Secured {
    Secured {
        exporter: Some([1; 32]),
        server_end_point: Some(vec![2; 32]),
        sni: None,
    }
}

/// How the driver answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answers {
    Right,
    Disabled,
    TooMany,
    Fault,
    Never,
}

/// Both ends: the driver of a session, and the client that listens to it.
struct Pair {
    session: Session,
    now: Now,
    answers: Answers,
    /// The answers to `Action::Bind`, first the first; when there are no more, what was asked for.
    bindings: Vec<Result<Resource, presence::Refusal>>,
    ear: StreamReader,
    /// All that was said since the last look.
    heard: Vec<Token>,
    octets: Vec<u8>,
    /// Stanzas that were said on a managed stream.
    stanzas: Vec<String>,
    lost: bool,
    actions: Vec<Action>,
    attempts: Vec<AttemptOutcome>,
    begun: usize,
    /// What was issued to clients of ann's.
    tokens: Vec<(ClientId, IssuedToken)>,
    /// The ends of the archive.
    archive: Option<(presence::ArchiveId, presence::ArchiveId)>,
    in_handshake: bool,
    closed: bool,
    framed: bool,
}

impl Pair {
    fn new(settings: Settings, secured: Option<Secured>) -> Self {
        let now = Now {
            at: Timestamp(1000),
            utc: Utc(0),
        };
        Self {
            session: Session::new(Arc::new(settings), now.at, secured, [9; 32]),
            now,
            answers: Answers::Right,
            bindings: Vec::new(),
            ear: StreamReader::new(Limits::generous()),
            heard: Vec::new(),
            octets: Vec::new(),
            stanzas: Vec::new(),
            lost: false,
            actions: Vec::new(),
            attempts: Vec::new(),
            begun: 0,
            tokens: Vec::new(),
            archive: None,
            in_handshake: false,
            closed: false,
            framed: false,
        }
    }

    /// On a connection with TLS from the start.
    fn direct() -> Self {
        Self::new(settings(), Some(secured()))
    }

    /// Whoever wants to speak plainly.
    fn plain() -> Self {
        Self::new(settings(), None)
    }

    fn send(&mut self, text: &str) -> &mut Self {
        self.send_octets(text.as_bytes())
    }

    fn send_octets(&mut self, octets: &[u8]) -> &mut Self {
        self.session.handle_bytes(self.now, octets);
        self.drain();
        self
    }

    fn wait(&mut self, duration: Duration) -> &mut Self {
        self.now.at = self.now.at.plus(duration);
        self.session.handle_timeout(self.now);
        self.drain();
        self
    }

    fn hang_up(&mut self) -> &mut Self {
        self.session.handle_eof(self.now);
        self.drain();
        self
    }

    fn finish_handshake(&mut self) -> &mut Self {
        assert!(std::mem::take(&mut self.in_handshake));
        self.session.handle_secured(self.now, secured());
        self.drain();
        self
    }

    fn drain(&mut self) {
        while let Some(output) = self.session.poll_output() {
            assert!(!self.closed, "{output:?} after the close");
            match output {
                Output::Send(octets) => self.hear(&octets),
                Output::Stanza(octets) => self.stanzas.push(String::from_utf8(octets).unwrap()),
                Output::Lost => self.lost = true,
                Output::StartTls => self.in_handshake = true,
                Output::Act(action) => self.act(action),
                Output::Close => self.closed = true,
            }
        }
        assert_eq!(self.closed, self.session.is_over());
        assert!(self.session.poll_timeout().is_none() || !self.closed);
    }

    fn hear(&mut self, octets: &[u8]) {
        assert!(!octets.is_empty());
        assert!(!self.in_handshake, "words during the handshake");
        if self.framed {
            let element = framed::document(octets);
            return self.heard.push(Token::Element(element));
        }
        self.octets.extend_from_slice(octets);
        self.ear.feed(octets);
        while let Some(token) = self.ear.next().unwrap() {
            let restarts = matches!(&token, Token::Element(element)
                if element.is("success", SASL) || element.name() == "proceed");
            self.heard.push(token);
            if restarts {
                self.ear.reset();
            }
        }
    }

    fn act(&mut self, action: Action) {
        let reply = match &action {
            Action::Attempted { outcome, .. } => {
                self.attempts.push(*outcome);
                None
            }
            Action::Keys { account, hash } => {
                self.begun += 1;
                self.answer(Reply::Keys {
                    keys: (account.as_str() == "ann@office.example")
                        .then(|| CREDENTIALS.keys(*hash).unwrap().clone()),
                    disabled: self.answers == Answers::Disabled,
                })
            }
            Action::Password { account, password } => {
                self.begun += 1;
                let right = account.as_str() == "ann@office.example"
                    && CREDENTIALS.verify_password(password);
                self.answer(match (right, self.answers) {
                    (true, Answers::Disabled) => Reply::Disabled,
                    _ => Reply::Password(right),
                })
            }
            Action::Token { account, attempt } => {
                self.begun += 1;
                let found = self.judge(account, attempt);
                self.answer(found)
            }
            Action::IssueToken {
                account,
                client,
                mechanism,
            } => Some(Reply::Issued(self.issue(account, *client, *mechanism)))
                .filter(|_| self.answers != Answers::Never),
            Action::ReadsArchive { .. } => Some(Reply::ArchiveEnds(
                (self.answers != Answers::Fault).then_some(self.archive),
            )),
            Action::Bind { resource, .. } if self.answers != Answers::Never => {
                let bound = if self.bindings.is_empty() {
                    let wish = resource.clone();
                    Ok(wish.unwrap_or_else(|| Resource::from_prepared("made-here")))
                } else {
                    self.bindings.remove(0)
                };
                Some(Reply::Bound(bound))
            }
            _ => None,
        };
        self.actions.push(action);
        if let Some(reply) = reply {
            self.session.handle_reply(self.now, reply);
        }
    }

    /// As the server does it, without a store.
    fn judge(&mut self, account: &Bare, attempt: &TokenAttempt) -> Reply {
        let of: Vec<_> = self
            .tokens
            .iter()
            .filter(|(client, _)| *client == attempt.client)
            .collect();
        let is_ann = account.as_str() == "ann@office.example";
        let issued: Vec<_> = of
            .into_iter()
            .filter(|_| is_ann)
            .map(|(_, token)| token.clone())
            .collect();
        let keys = self.session.core.settings.tokens.clone();
        let password = is_ann.then(|| CREDENTIALS.fingerprint());
        let (name, now) = (account.as_str(), self.now.utc);
        match keys.judge(name, attempt, &issued, password, now) {
            TokenFinding::Wrong => Reply::TokenWrong,
            TokenFinding::Expired => Reply::TokenExpired,
            TokenFinding::Replayed => Reply::TokenReplayed,
            TokenFinding::Proven {
                nonce,
                responder,
                is_old,
                ..
            } => {
                let disabled = self.answers == Answers::Disabled;
                if !attempt.is_refused && !disabled {
                    self.used(attempt, nonce);
                }
                Reply::Token {
                    responder,
                    is_old,
                    disabled,
                }
            }
        }
    }

    fn used(&mut self, attempt: &TokenAttempt, nonce: [u8; 16]) {
        if attempt.invalidate {
            for (client, token) in &mut self.tokens {
                if *client == attempt.client {
                    token.password = Fingerprint([0; 16]);
                }
            }
            return;
        }
        self.tokens.retain(|(client, token)| {
            *client != attempt.client || !token.used || token.nonce == nonce
        });
        for (_, token) in &mut self.tokens {
            if token.nonce == nonce {
                token.used = true;
                token.count = attempt.count.unwrap_or(token.count);
            }
        }
    }

    fn issue(
        &mut self,
        account: &Bare,
        client: ClientId,
        mechanism: TokenMechanism,
    ) -> Option<(crate::sasl::Token, Utc)> {
        if self.answers == Answers::Fault {
            return None;
        }
        let nonce = [self
            .tokens
            .iter()
            .map(|(_, it)| it.nonce[0])
            .max()
            .unwrap_or(0)
            + 1; 16];
        let expires = Utc(self.now.utc.0 + 20 * 86_400_000);
        self.tokens
            .retain(|(of, token)| *of != client || token.used);
        let token = IssuedToken {
            mechanism,
            nonce,
            password: CREDENTIALS.fingerprint(),
            issued: self.now.utc,
            expires,
            count: 0,
            used: false,
        };
        self.tokens.push((client, token));
        let keys = &self.session.core.settings.tokens;
        Some((keys.token(account.as_str(), client, &nonce), expires))
    }

    fn answer(&self, usual: Reply) -> Option<Reply> {
        match self.answers {
            Answers::Never => None,
            Answers::TooMany => Some(Reply::TooMany),
            Answers::Fault => Some(Reply::Fault),
            Answers::Right | Answers::Disabled => Some(usual),
        }
    }

    /// What was said since the last look.
    fn said(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.heard)
    }

    /// The one element that was said since the last look.
    fn element(&mut self) -> Element {
        match <[Token; 1]>::try_from(self.said()) {
            Ok([Token::Element(element)]) => element,
            other => panic!("one element should have been said, but it was {other:?}"),
        }
    }

    /// The header and the features that were said since the last look.
    fn opening(&mut self) -> (StreamOpen, Element) {
        match <[Token; 2]>::try_from(self.said()) {
            Ok([Token::Open(open), Token::Element(features)]) => {
                assert_eq!(
                    (features.namespace(), features.name()),
                    (STREAM, "features")
                );
                (open, features)
            }
            other => panic!("no opening: {other:?}"),
        }
    }

    /// The condition of the stream error with which the stream has ended, and what was said before it.
    fn error(&mut self) -> (String, Vec<Token>) {
        assert!(self.closed, "still open: {:?}", self.heard);
        let mut said = self.said();
        assert!(matches!(said.pop(), Some(Token::Close)));
        let Some(Token::Element(error)) = said.pop() else {
            panic!("no error");
        };
        assert_eq!((error.namespace(), error.name()), (STREAM, "error"));
        let condition = error.children().next().unwrap();
        assert_eq!(condition.namespace(), STREAM_ERRORS);
        let name = condition.name().to_owned();
        assert_eq!(StreamCondition::from_name(&name).name(), name);
        (name, said)
    }

    /// The condition of the stream error that stands right behind our header.
    fn error_in_header(&mut self) -> String {
        let (condition, before) = self.error();
        assert!(matches!(before.as_slice(), [Token::Open(_)]), "{before:?}");
        condition
    }

    fn auth(&mut self, mechanism: &str, initial: Option<&[u8]>) -> &mut Self {
        let text = initial.map(encode_optional_payload).unwrap_or_default();
        self.send(&format!(
            "<auth xmlns='{SASL}' mechanism='{mechanism}'>{text}</auth>"
        ))
    }

    fn respond(&mut self, data: &[u8]) -> &mut Self {
        let text = encode_payload(data);
        self.send(&format!("<response xmlns='{SASL}'>{text}</response>"))
    }

    fn plain_login(&mut self, password: &str) -> &mut Self {
        self.auth("PLAIN", Some(&plain_message(None, "ann", password)))
    }

    /// The data of the challenge that was said since the last look.
    fn challenge(&mut self) -> Vec<u8> {
        let element = self.element();
        assert_eq!((element.namespace(), element.name()), (SASL, "challenge"));
        decode_payload(&element.text()).unwrap()
    }

    /// The condition of the SASL failure that was said since the last look.
    fn failure(&mut self) -> String {
        condition_of(&self.element())
    }

    /// Everything up to features after authentication.
    fn logged_in(mut self) -> Self {
        self.send(OPEN).opening();
        self.plain_login("pencil");
        assert_eq!(self.element().name(), "success");
        self.send(OPEN);
        self.opening();
        self
    }

    /// Everything up to the resource `desk`.
    fn bound() -> Self {
        Self::bound_with(settings())
    }

    fn bound_with(settings: Settings) -> Self {
        let mut pair = Self::new(settings, Some(secured())).logged_in();
        pair.send(&bind("desk"));
        assert_eq!(pair.element().attribute("type").as_deref(), Some("result"));
        pair.actions.clear();
        pair
    }
}

fn condition_of(failure: &Element) -> String {
    assert!(
        failure.is("failure", SASL) || failure.is("failure", SASL2),
        "{failure:?}"
    );
    let condition = failure.children().next().unwrap();
    assert_eq!(condition.namespace(), SASL);
    condition.name().to_owned()
}

/// What has children.
trait Node<'a> {
    fn nodes(self) -> Children<'a>;
}

impl<'a> Node<'a> for &'a Element {
    fn nodes(self) -> Children<'a> {
        self.children()
    }
}

impl<'a> Node<'a> for &Child<'a> {
    fn nodes(self) -> Children<'a> {
        self.children()
    }
}

fn bind(resource: &str) -> String {
    format!(
        "<iq type='set' id='b1'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>"
    )
}

/// The names of an element's children.
fn names<'a>(of: impl Node<'a>) -> Vec<String> {
    of.nodes().map(|child| child.name().to_owned()).collect()
}

/// The child of that name.
fn child<'a>(of: impl Node<'a>, name: &str) -> Child<'a> {
    of.nodes().find(|child| child.name() == name).unwrap()
}

fn nonce() -> Nonce {
    Nonce::from_text("clientnonce").unwrap()
}

fn exporter() -> ClientBinding {
    ClientBinding::Bound {
        name: "tls-exporter".to_owned(),
        data: vec![1; 32],
    }
}

/// A whole SCRAM login of ann's, up to the answer to the last response.
fn scram(
    pair: &mut Pair,
    hash: Hash,
    mechanism: &str,
    binding: ClientBinding,
    password: &str,
) -> Element {
    let (first, client) = ScramClient::start(hash, "ann", None, binding, &nonce());
    let challenge = pair.auth(mechanism, Some(&first)).challenge();
    let (last, client) = client.handle_challenge(&challenge, password).unwrap();
    let answer = pair.respond(&last).element();
    if answer.name() == "success" {
        client
            .handle_success(&decode_payload(&answer.text()).unwrap())
            .unwrap();
    }
    answer
}
