//! SASL on a stream (RFC 6120 §6): elements to and from an [`Exchange`], and the account of attempts.

use super::Core;
use super::ending::Ending;
use super::print;
use crate::action::{Action, AttemptOutcome, Reply};
use crate::sasl::{
    Channel, Exchange, Failure, Hash, Nonce, PlainLogin, Step, Subject, decode_payload,
};
use crate::stream::StreamCondition;
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
    },
}

/// What the exchange waits for from outside.
#[derive(Debug)]
enum Wait {
    Keys(Subject),
    Password(Subject),
}

/// A stream that is not authenticated yet.
#[derive(Debug, Default)]
pub(super) struct Login {
    exchange: Option<Exchange>,
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
        let step = match (&mut self.exchange, payload(element)) {
            (Some(exchange), Ok(payload)) => exchange.respond(&payload.unwrap_or_default()),
            (None, Ok(_)) => Step::Failure(Failure::MalformedRequest),
            (_, Err(failure)) => Step::Failure(failure),
        };
        self.follow(core, domain, step)
    }

    /// Takes `<abort/>` (§6.4.4).
    pub(super) fn abort(&mut self, core: &mut Core) -> Result<Progress, Ending> {
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
        self.exchange = None;
        self.wait = None;
        self.attempt_ends(core, AttemptOutcome::Abandoned);
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
                    print::challenge(core.outbox.bytes(), &data);
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
                Step::Success {
                    account,
                    additional,
                } => {
                    self.attempt_ends(core, AttemptOutcome::Succeeded);
                    return Ok(Progress::Proven {
                        account: Bare::from_prepared(&account),
                        additional,
                    });
                }
                Step::Failure(failure) => return self.fail(core, failure),
            }
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
        let (subject, account) = subject(username, authzid, domain);
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
        let (subject, account) = subject(&login.username, login.authzid.as_deref(), domain);
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

    fn ask(&mut self, core: &mut Core, account: Bare, action: Action, wait: Wait) {
        self.attempt = Some(account);
        self.wait = Some(wait);
        core.outbox.act(action);
    }

    fn fail(&mut self, core: &mut Core, failure: Failure) -> Result<Progress, Ending> {
        self.exchange = None;
        self.wait = None;
        self.attempt_ends(core, outcome(failure));
        print::sasl_failure(core.outbox.bytes(), failure);
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
