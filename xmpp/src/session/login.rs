//! SASL on a stream (RFC 6120 §6, XEP-0388): elements of either profile to and from an [`Exchange`], and the account of attempts.

use super::Core;
use super::authenticate::{self, Request};
use super::ending::Ending;
use super::print;
use crate::action::{Action, AttemptOutcome, Reply};
use crate::sasl::{
    Channel, Exchange, Failure, Hash, Nonce, PlainLogin, Step, Subject, TokenAttempt,
    TokenMechanism, TokenMessage, decode_payload,
};
use crate::stream::StreamCondition;
use crate::stream::namespaces::{SASL, SASL2};
use presence::Bare;
use xml::Element;

/// After this many failures the stream is closed (RFC 6120 §6.4.5: two to five retries).
const MOST_FAILURES: u8 = 5;

/// Where the login stands.
#[derive(Debug)]
pub(super) enum Progress {
    /// It goes on, or may be begun again.
    Going,
    /// The credentials are proven; these data go with the success.
    Proven {
        account: Bare,
        additional: Option<Vec<u8>>,
        /// What else was asked for, in the profile of XEP-0388.
        request: Option<Box<Request>>,
        /// The token that was used is to be followed by another one.
        renew: Option<TokenMechanism>,
    },
}

/// What the exchange waits for from outside.
#[derive(Debug)]
enum Wait {
    Keys(Subject),
    Password(Subject),
    Token(Subject),
}

/// A stream that is not authenticated yet.
#[derive(Debug, Default)]
pub(super) struct Login {
    exchange: Option<Exchange>,
    /// What came with it; `None` in the profile of RFC 6120.
    request: Option<Box<Request>>,
    /// The mechanism of a login by token, and what the channel gives to it.
    token: Option<(TokenMechanism, Vec<u8>)>,
    /// The token that was proven is old.
    renew: bool,
    wait: Option<Wait>,
    /// The account of an attempt that has begun and whose end was not told yet.
    attempt: Option<Bare>,
    failures: u8,
}

impl Login {
    /// An answer from outside is needed to go on.
    pub(super) fn is_waiting(&self) -> bool {
        self.wait.is_some()
    }

    /// Nothing but a response or an abort may come (XEP-0388 §2.4).
    pub(super) fn is_exclusive(&self) -> bool {
        self.exchange.is_some() && self.request.is_some()
    }

    /// The namespace of the profile that is spoken.
    fn namespace(&self) -> &'static str {
        if self.request.is_some() { SASL2 } else { SASL }
    }

    /// Takes `<authenticate/>` (XEP-0388 §2.3). `from` is whom the header of the stream names.
    pub(super) fn authenticate(
        &mut self,
        core: &mut Core,
        domain: &str,
        channel: &Channel,
        element: &Element,
        from: Option<Bare>,
        nonce: Nonce,
    ) -> Result<Progress, Ending> {
        self.abandon(core);
        self.request = Some(Box::default());
        let step = match Request::read(element, from) {
            Ok((mut request, initial)) => {
                // A token that cannot be proven here would only replace one that can.
                let fits = |it: &TokenMechanism| it.binding_data(&channel.bindings).is_some();
                request.token = request.token.filter(fits);
                self.request = Some(Box::new(request));
                let mechanism = element.attribute("mechanism").unwrap_or_default();
                self.begin(channel, &mechanism, initial.as_deref(), nonce)
            }
            Err(failure) => Step::Failure(failure),
        };
        self.follow(core, domain, step)
    }

    /// Begins an exchange of the profile of XEP-0388, where tokens have mechanisms of their own, offered on their own.
    fn begin(
        &mut self,
        channel: &Channel,
        mechanism: &str,
        initial: Option<&[u8]>,
        nonce: Nonce,
    ) -> Step {
        // This profile is for protected streams alone (§4).
        if !channel.encrypted {
            return Step::Failure(Failure::EncryptionRequired);
        }
        let by_token = self.request.as_ref().is_some_and(|it| it.fast.is_some());
        if !by_token {
            let (exchange, step) = Exchange::start(channel, mechanism, initial, nonce);
            self.exchange = Some(exchange);
            return step;
        }
        let mechanism = TokenMechanism::from_name(mechanism);
        let Some((mechanism, binding)) =
            mechanism.and_then(|it| Some((it, it.binding_data(&channel.bindings)?.to_vec())))
        else {
            return Step::Failure(Failure::InvalidMechanism);
        };
        // A token is kept for a client that says which it is.
        if self.request.as_ref().is_none_or(|it| it.client.is_none()) {
            return Step::Failure(Failure::MalformedRequest);
        }
        self.token = Some((mechanism, binding));
        let (exchange, step) = Exchange::start_token(initial);
        self.exchange = Some(exchange);
        step
    }

    /// Takes `<auth/>` (§6.4.2). An exchange that is going on is dropped.
    pub(super) fn auth(
        &mut self,
        core: &mut Core,
        domain: &str,
        channel: &Channel,
        element: &Element,
        nonce: Nonce,
    ) -> Result<Progress, Ending> {
        self.abandon(core);
        let mechanism = element.attribute("mechanism").unwrap_or_default();
        let checked = channel.select(&mechanism).and_then(|_| payload(element));
        let step = match checked {
            Ok(initial) => {
                let (exchange, step) =
                    Exchange::start(channel, &mechanism, initial.as_deref(), nonce);
                self.exchange = Some(exchange);
                step
            }
            Err(failure) => Step::Failure(failure),
        };
        self.follow(core, domain, step)
    }

    /// Takes `<response/>` (§6.4.3).
    pub(super) fn response(
        &mut self,
        core: &mut Core,
        domain: &str,
        element: &Element,
    ) -> Result<Progress, Ending> {
        self.speak(core, element);
        let payload = if self.request.is_some() {
            authenticate::data(&element.as_child()).map(Some)
        } else {
            payload(element)
        };
        let step = match (&mut self.exchange, payload) {
            (Some(exchange), Ok(payload)) => exchange.respond(&payload.unwrap_or_default()),
            (None, Ok(_)) => Step::Failure(Failure::MalformedRequest),
            (_, Err(failure)) => Step::Failure(failure),
        };
        self.follow(core, domain, step)
    }

    /// What comes in another profile than that of the exchange under way is for none.
    fn speak(&mut self, core: &mut Core, element: &Element) {
        if element.namespace() != self.namespace() {
            self.abandon(core);
            if element.namespace() == SASL2 {
                self.request = Some(Box::default());
            }
        }
    }

    /// Takes `<abort/>` (§6.4.4).
    pub(super) fn abort(&mut self, core: &mut Core, element: &Element) -> Result<Progress, Ending> {
        self.speak(core, element);
        self.fail(core, Failure::Aborted)
    }

    /// Takes what the outside found out.
    pub(super) fn reply(
        &mut self,
        core: &mut Core,
        domain: &str,
        reply: Reply,
    ) -> Result<Progress, Ending> {
        let (Some(wait), Some(exchange)) = (self.wait.take(), &mut self.exchange) else {
            return Ok(Progress::Going);
        };
        let refused = |subject: Subject, disabled| {
            if disabled {
                subject.refused(Failure::AccountDisabled)
            } else {
                subject
            }
        };
        let step = match (wait, reply) {
            (Wait::Keys(subject), Reply::Keys { keys, disabled }) => {
                exchange.keys(refused(subject, disabled), keys, &core.settings.decoy)
            }
            (Wait::Password(subject), Reply::Password(right)) => {
                exchange.password_checked(subject, right)
            }
            (Wait::Password(subject), Reply::Disabled) => {
                exchange.password_checked(refused(subject, true), true)
            }
            (
                Wait::Token(subject),
                Reply::Token {
                    responder,
                    is_old,
                    disabled,
                },
            ) => {
                self.renew = is_old;
                exchange.token_checked(refused(subject, disabled), Ok(responder))
            }
            (Wait::Token(subject), Reply::TokenExpired) => {
                exchange.token_checked(subject, Err(Failure::CredentialsExpired))
            }
            (Wait::Token(subject), Reply::TokenReplayed) => {
                // Whoever can prove the token does not guess.
                if let Some(account) = self.attempt.take() {
                    let outcome = AttemptOutcome::Abandoned;
                    core.outbox.act(Action::Attempted { account, outcome });
                }
                exchange.token_checked(subject, Err(Failure::NotAuthorized))
            }
            (Wait::Token(subject), Reply::TokenWrong) => {
                exchange.token_checked(subject, Err(Failure::NotAuthorized))
            }
            (_, Reply::TooMany) => {
                self.attempt = None;
                exchange.fail(Failure::TemporaryAuthFailure)
            }
            _ => exchange.fail(Failure::TemporaryAuthFailure),
        };
        self.follow(core, domain, step)
    }

    /// Drops an exchange that is going on.
    pub(super) fn abandon(&mut self, core: &mut Core) {
        self.forget();
        self.attempt_ends(core, AttemptOutcome::Abandoned);
    }

    fn forget(&mut self) {
        self.exchange = None;
        self.request = None;
        self.token = None;
        self.renew = false;
        self.wait = None;
    }

    fn follow(
        &mut self,
        core: &mut Core,
        domain: &str,
        mut step: Step,
    ) -> Result<Progress, Ending> {
        loop {
            step = match step {
                Step::Challenge(data) => {
                    print::challenge(core.outbox.bytes(), self.namespace(), &data);
                    return Ok(Progress::Going);
                }
                Step::LookupKeys {
                    username,
                    authzid,
                    hash,
                } => match self.look_up(core, domain, &username, authzid.as_deref(), hash) {
                    Some(step) => step,
                    None => return Ok(Progress::Going),
                },
                Step::CheckPassword(login) => match self.check_password(core, domain, login) {
                    Some(step) => step,
                    None => return Ok(Progress::Going),
                },
                Step::CheckToken(message) => match self.check_token(core, domain, message) {
                    Some(step) => step,
                    None => return Ok(Progress::Going),
                },
                Step::Success {
                    account,
                    additional,
                } => return Ok(self.succeed(core, &account, additional)),
                Step::Failure(failure) => return self.fail(core, failure),
            }
        }
    }

    fn succeed(&mut self, core: &mut Core, account: &str, additional: Option<Vec<u8>>) -> Progress {
        self.attempt_ends(core, AttemptOutcome::Succeeded);
        let request = self.request.take();
        // Whoever takes a token back does not want the next one, unless he says so (XEP-0484 §3.6).
        let fast = request.as_ref().and_then(|it| it.fast);
        let renews = self.renew && fast.is_some_and(|fast| !fast.invalidate);
        let renew = self.token.take().map(|(mechanism, _)| mechanism);
        self.forget();
        Progress::Proven {
            account: Bare::from_prepared(account),
            additional,
            request,
            renew: renew.filter(|_| renews),
        }
    }

    /// Asks for keys. For a name that no account can have there are stand-ins at once.
    fn look_up(
        &mut self,
        core: &mut Core,
        domain: &str,
        username: &str,
        authzid: Option<&str>,
        hash: Hash,
    ) -> Option<Step> {
        let (subject, account) = self.subject(username, authzid, domain);
        let Some(account) = account else {
            let decoy = &core.settings.decoy;
            return self
                .exchange
                .as_mut()
                .map(|exchange| exchange.keys(subject, None, decoy));
        };
        let action = Action::Keys {
            account: account.clone(),
            hash,
        };
        self.ask(core, account, action, Wait::Keys(subject));
        None
    }

    /// Asks whether a password is right. A name that no account can have is refused like any that no account has.
    fn check_password(&mut self, core: &mut Core, domain: &str, login: PlainLogin) -> Option<Step> {
        let (subject, account) = self.subject(&login.username, login.authzid.as_deref(), domain);
        let Some(account) = account else {
            return self
                .exchange
                .as_mut()
                .map(|exchange| exchange.password_checked(subject, false));
        };
        let action = Action::Password {
            account: account.clone(),
            password: login.password,
        };
        self.ask(core, account, action, Wait::Password(subject));
        None
    }

    /// Asks whether a token is right.
    fn check_token(
        &mut self,
        core: &mut Core,
        domain: &str,
        message: TokenMessage,
    ) -> Option<Step> {
        let (subject, account) = self.subject(&message.username, None, domain);
        let fast = self.request.as_ref().and_then(|it| it.fast.zip(it.client));
        let (Some(account), Some((fast, client)), Some((mechanism, binding))) =
            (account, fast, &self.token)
        else {
            return self
                .exchange
                .as_mut()
                .map(|exchange| exchange.token_checked(subject, Err(Failure::NotAuthorized)));
        };
        let attempt = TokenAttempt {
            client,
            mechanism: *mechanism,
            proof: message.proof,
            binding: binding.clone(),
            count: fast.count,
            invalidate: fast.invalidate,
            is_refused: subject.once_proven.is_err(),
        };
        let action = Action::Token {
            account: account.clone(),
            attempt: Box::new(attempt),
        };
        self.ask(core, account, action, Wait::Token(subject));
        None
    }

    /// Who logs in under this name, and the account, if one can have it. In the profile of XEP-0388 he must be the one whom the header
    /// of the stream names, if it names anybody (§2.3).
    fn subject(
        &self,
        username: &str,
        authzid: Option<&str>,
        domain: &str,
    ) -> (Subject, Option<Bare>) {
        let (subject, account) = subject(username, authzid, domain);
        let from = self.request.as_ref().and_then(|it| it.from.as_ref());
        match from {
            Some(from) if account.as_ref() != Some(from) => {
                (subject.refused(Failure::InvalidAuthzid), account)
            }
            _ => (subject, account),
        }
    }

    fn ask(&mut self, core: &mut Core, account: Bare, action: Action, wait: Wait) {
        self.attempt = Some(account);
        self.wait = Some(wait);
        core.outbox.act(action);
    }

    fn fail(&mut self, core: &mut Core, failure: Failure) -> Result<Progress, Ending> {
        let namespace = self.namespace();
        self.forget();
        self.attempt_ends(core, outcome(failure));
        print::sasl_failure(core.outbox.bytes(), namespace, failure);
        self.failures += 1;
        if self.failures >= MOST_FAILURES {
            return Err(Ending::because(
                StreamCondition::PolicyViolation,
                "Too many failed attempts to log in",
            ));
        }
        Ok(Progress::Going)
    }

    fn attempt_ends(&mut self, core: &mut Core, outcome: AttemptOutcome) {
        if let Some(account) = self.attempt.take() {
            core.outbox.act(Action::Attempted { account, outcome });
        }
    }
}

/// What a failure says about the credentials. Some are told only to those who have proven theirs.
fn outcome(failure: Failure) -> AttemptOutcome {
    match failure {
        Failure::AccountDisabled | Failure::InvalidAuthzid => AttemptOutcome::Succeeded,
        failure if failure.counts_as_guess() => AttemptOutcome::Failed,
        _ => AttemptOutcome::Abandoned,
    }
}

/// Who logs in under this name, and the account, if one can have it.
fn subject(username: &str, authzid: Option<&str>, domain: &str) -> (Subject, Option<Bare>) {
    let account = Bare::new(Some(username), domain).ok();
    let name = account.as_ref().map_or(username, Bare::as_str);
    let prepare = |wish: &str| Bare::parse(wish).ok().map(|bare| bare.to_string());
    (Subject::resolve(name, authzid, prepare), account)
}

/// The decoded content of `<auth/>` or `<response/>`; `None` when there is none.
fn payload(element: &Element) -> Result<Option<Vec<u8>>, Failure> {
    if element.children().next().is_some() {
        return Err(Failure::MalformedRequest);
    }
    let text = element.text();
    if text.is_empty() {
        return Ok(None);
    }
    decode_payload(&text).map(Some)
}
