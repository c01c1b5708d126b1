//! One SASL negotiation, server's side, on decoded payloads (RFC 6120 §6.4).

use super::decoy::Decoy;
use super::failure::Failure;
use super::hash::Hash;
use super::keys::ScramKeys;
use super::mechanism::{Channel, Mechanism};
use super::message::Nonce;
use super::plain::PlainLogin;
use super::scram::{AwaitFinal, NeedKeys, ScramServer};
use super::server_error::ServerError;
use super::token::TokenMessage;

/// What happens next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send `<challenge/>` with these bytes; its answer goes to [`Exchange::respond`].
    Challenge(Vec<u8>),
    /// Find the account of `username` and its keys for `hash`; the answer goes to [`Exchange::keys`].
    LookupKeys {
        /// As received: prepare it as a localpart (RFC 7622 §3.3). One that cannot be prepared is an unknown account.
        username: String,
        /// As received; `None` means the user's own identity.
        authzid: Option<String>,
        /// The hash of the keys.
        hash: Hash,
    },
    /// Find out whether the password is right, unknown accounts taking as long ([`Decoy`]); the answer goes to
    /// [`Exchange::password_checked`]. Names are as received, as in [`Step::LookupKeys`].
    CheckPassword(PlainLogin),
    /// Find out whether the proof is that of a token; the answer goes to [`Exchange::token_checked`].
    CheckToken(TokenMessage),
    /// Send `<success/>`, with these data where there are any. The stream belongs to `account` from now on.
    Success {
        /// The account that the caller named in its [`Subject`]; the only identity that counts from here.
        account: String,
        /// Additional data with success.
        additional: Option<Vec<u8>>,
    },
    /// Send `<failure/>`; the negotiation is over, another may be begun.
    Failure(Failure),
}

/// Who is logging in, as the caller resolved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The prepared bare address of the user name, whether such an account exists or not.
    pub account: String,
    /// What to answer once the credentials are proven. Refusals wait until then: before it they would tell who exists.
    pub once_proven: Result<(), Failure>,
}

impl Subject {
    /// The subject of a login without a wish for another identity, or with the wish for its own: when `authzid` is given,
    /// `prepare` makes it a bare address, and it must be that of the account (else `invalid-authzid`, RFC 6120 §6.5.6).
    pub fn resolve(
        account: impl Into<String>,
        authzid: Option<&str>,
        prepare: impl FnOnce(&str) -> Option<String>,
    ) -> Self {
        let account = account.into();
        let is_own = authzid.is_none_or(|wish| prepare(wish).as_ref() == Some(&account));
        Self {
            account,
            once_proven: if is_own {
                Ok(())
            } else {
                Err(Failure::InvalidAuthzid)
            },
        }
    }

    /// The same subject, refused with `failure` once it has proven its credentials, unless it is already.
    pub fn refused(mut self, failure: Failure) -> Self {
        self.once_proven = self.once_proven.and(Err(failure));
        self
    }
}

/// Where a negotiation stands.
#[derive(Debug)]
enum State {
    ScramFirst(ScramServer),
    Plain,
    TokenFirst,
    Token,
    Keys(NeedKeys),
    ScramFinal(AwaitFinal, Subject),
    Password,
    Done,
}

/// One negotiation. A new `<auth/>` in the middle drops it and starts another (RFC 6120 §6.4.2).
#[derive(Debug)]
pub struct Exchange {
    state: State,
    account: Option<String>,
    detail: Option<ServerError>,
}

impl Exchange {
    /// Begins with what `<auth/>` holds: the mechanism's name, and the initial response. `None` is no initial response (an
    /// empty challenge asks for it, RFC 4422 §5), `Some` of nothing is `=`. `nonce` is fresh random data.
    pub fn start(
        channel: &Channel,
        mechanism: &str,
        initial: Option<&[u8]>,
        nonce: Nonce,
    ) -> (Self, Step) {
        let mut exchange = Self {
            state: State::Done,
            account: None,
            detail: None,
        };
        let mechanism = match channel.select(mechanism) {
            Ok(mechanism) => mechanism,
            Err(failure) => return (exchange, Step::Failure(failure)),
        };
        exchange.state = first_state(channel, mechanism, nonce);
        let step = match initial {
            Some(response) => exchange.respond(response),
            None => Step::Challenge(Vec::new()),
        };
        (exchange, step)
    }

    /// Begins with an HT mechanism that the caller has found on offer (XEP-0484).
    pub fn start_token(initial: Option<&[u8]>) -> (Self, Step) {
        let mut exchange = Self {
            state: State::TokenFirst,
            account: None,
            detail: None,
        };
        let step = match initial {
            Some(response) => exchange.respond(response),
            None => Step::Challenge(Vec::new()),
        };
        (exchange, step)
    }

    /// Takes the decoded payload of `<response/>`. One that nothing asked for is `malformed-request` and ends the negotiation.
    pub fn respond(&mut self, payload: &[u8]) -> Step {
        match self.take() {
            State::ScramFirst(server) => match server.handle_first(payload) {
                Ok(need) => self.ask_for_keys(need),
                Err(error) => self.broken(error),
            },
            State::Plain => match PlainLogin::parse(payload) {
                Ok(login) => {
                    self.state = State::Password;
                    Step::CheckPassword(login)
                }
                Err(failure) => Step::Failure(failure),
            },
            State::TokenFirst => match TokenMessage::parse(payload) {
                Some(message) => {
                    self.state = State::Token;
                    Step::CheckToken(message)
                }
                None => Step::Failure(Failure::MalformedRequest),
            },
            State::ScramFinal(server, subject) => match server.handle_final(payload) {
                Ok(verified) => conclude(subject, Some(verified.server_final)),
                Err(error) => self.broken(error),
            },
            State::Keys(_) | State::Password | State::Token | State::Done => {
                Step::Failure(Failure::MalformedRequest)
            }
        }
    }

    /// Answers [`Step::LookupKeys`]: the account's keys, `None` when it does not exist.
    pub fn keys(&mut self, subject: Subject, keys: Option<ScramKeys>, decoy: &Decoy) -> Step {
        let State::Keys(need) = self.take() else {
            return Step::Failure(Failure::TemporaryAuthFailure);
        };
        // Made in any case, so that both cases take the same time.
        let stand_in = decoy.keys(need.hash, &subject.account);
        let exists = keys.is_some();
        self.account = Some(subject.account.clone());
        match need.with_keys(keys.unwrap_or(stand_in), exists) {
            Ok((challenge, server)) => {
                self.state = State::ScramFinal(server, subject);
                Step::Challenge(challenge)
            }
            Err(error) => {
                self.detail = Some(error);
                Step::Failure(Failure::TemporaryAuthFailure)
            }
        }
    }

    /// Answers [`Step::CheckPassword`].
    pub fn password_checked(&mut self, subject: Subject, right: bool) -> Step {
        let State::Password = self.take() else {
            return Step::Failure(Failure::TemporaryAuthFailure);
        };
        self.account = Some(subject.account.clone());
        if right {
            conclude(subject, None)
        } else {
            Step::Failure(Failure::NotAuthorized)
        }
    }

    /// Answers [`Step::CheckToken`]: with the server's own proof where the token is right.
    pub fn token_checked(&mut self, subject: Subject, found: Result<Vec<u8>, Failure>) -> Step {
        let State::Token = self.take() else {
            return Step::Failure(Failure::TemporaryAuthFailure);
        };
        self.account = Some(subject.account.clone());
        match found {
            Ok(responder) => conclude(subject, Some(responder)),
            Err(failure) => Step::Failure(failure),
        }
    }

    /// Takes `<abort/>` (RFC 6120 §6.4.4).
    pub fn abort(&mut self) -> Step {
        self.fail(Failure::Aborted)
    }

    /// Ends the negotiation with a reason of the caller's, such as `temporary-auth-failure` when the store does not answer.
    pub fn fail(&mut self, failure: Failure) -> Step {
        self.state = State::Done;
        Step::Failure(failure)
    }

    /// Whether nothing more can come of it: it has succeeded or failed.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// The account it is about, once the caller has resolved it; for counting failures and for logs.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// What exactly went wrong inside SCRAM, for logs only: `server-does-support-channel-binding` and
    /// `channel-bindings-dont-match` mean that somebody sits in between.
    pub fn detail(&self) -> Option<ServerError> {
        self.detail
    }

    fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Done)
    }

    fn ask_for_keys(&mut self, need: NeedKeys) -> Step {
        let step = Step::LookupKeys {
            username: need.username.clone(),
            authzid: need.authzid.clone(),
            hash: need.hash,
        };
        self.state = State::Keys(need);
        step
    }

    fn broken(&mut self, error: ServerError) -> Step {
        self.detail = Some(error);
        Step::Failure(error.into())
    }
}

fn first_state(channel: &Channel, mechanism: Mechanism, nonce: Nonce) -> State {
    match mechanism.hash() {
        Some(hash) => {
            let plus = mechanism.binds_channel();
            let offer = channel.digests.as_deref().map(|digests| digests.of(hash));
            let server = ScramServer::new(hash, plus, channel.bindings.clone(), nonce);
            State::ScramFirst(server.telling(offer))
        }
        None => State::Plain,
    }
}

fn conclude(subject: Subject, additional: Option<Vec<u8>>) -> Step {
    match subject.once_proven {
        Ok(()) => Step::Success {
            account: subject.account,
            additional,
        },
        Err(failure) => Step::Failure(failure),
    }
}
