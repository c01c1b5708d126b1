//! Logins: stored keys, passwords, and what slows guessing down.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use presence::{Bare, Timestamp};
use xmpp::action::{AttemptOutcome, Reply};
use xmpp::sasl::{Credentials, Fingerprint, Hash, Password, Recollection, TokenAttempt, Verdict};

use tokio::sync::oneshot;

use super::{Connection, Inbound};
use crate::server::shared::{Gauges, Shared};
use crate::wiring::login_tokens;

/// An attempt that `Attempts` let begin. It is settled once: by its outcome, or as abandoned when it is lost on the way.
pub(crate) struct Begun {
    shared: Arc<Shared>,
    account: Bare,
    address: IpAddr,
    /// How often secrets had ended before it: what is found right is right as of then.
    secrets: u64,
    settled: bool,
}

impl Begun {
    fn new(shared: &Arc<Shared>, account: &Bare, address: IpAddr) -> Self {
        Self {
            shared: Arc::clone(shared),
            account: account.clone(),
            address,
            secrets: shared.secrets_ended(),
            settled: false,
        }
    }

    /// Tells how it ended. For a failure: when that may be told.
    fn settle(mut self, outcome: AttemptOutcome) -> Option<Timestamp> {
        self.settled = true;
        let now = self.shared.now().at;
        let account = self.account.as_str();
        let mut attempts = self.shared.attempts.lock();
        match outcome {
            AttemptOutcome::Succeeded => attempts.succeeded(account, self.address),
            AttemptOutcome::Failed => return Some(attempts.failed(now, account, self.address)),
            AttemptOutcome::Abandoned => attempts.abandoned(account, self.address),
        }
        None
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        if !self.settled {
            let mut attempts = self.shared.attempts.lock();
            attempts.abandoned(self.account.as_str(), self.address);
        }
    }
}

impl Inbound {
    pub(super) fn reply(reply: Reply, begun: Option<Begun>, proven: Option<Fingerprint>) -> Self {
        Self::Reply(Box::new((reply, begun, proven)))
    }
}

/// What to check.
enum Wanted {
    Keys(Hash),
    Password(Password),
    Token(Box<TokenAttempt>),
}

impl Connection {
    pub(super) fn keys(&mut self, account: Bare, hash: Hash) {
        self.begin(account, Wanted::Keys(hash));
    }

    pub(super) fn password(&mut self, account: Bare, password: Password) {
        self.begin(account, Wanted::Password(password));
    }

    pub(super) fn token(&mut self, account: Bare, attempt: Box<TokenAttempt>) {
        self.begin(account, Wanted::Token(attempt));
    }

    /// Lets the attempt through at once, later, or not at all.
    fn begin(&mut self, account: Bare, wanted: Wanted) {
        self.proven = None;
        let now = self.now();
        let verdict =
            self.shared
                .attempts
                .lock()
                .begin(now.at, account.as_str(), self.link.peer().ip());
        match verdict {
            Verdict::Allowed => {
                self.begun = Some(Begun::new(&self.shared, &account, self.link.peer().ip()));
                self.check(account, wanted);
            }
            Verdict::Refused { .. } => self.session.handle_reply(now, Reply::TooMany),
            Verdict::DelayUntil(until) => {
                let (shared, link, inbox) = (
                    Arc::clone(&self.shared),
                    Arc::clone(&self.link),
                    Arc::clone(&self.inbox),
                );
                tokio::spawn(async move {
                    let mut next = until;
                    loop {
                        tokio::time::sleep_until(shared.clock.instant(next)).await;
                        if link.is_closed() {
                            return;
                        }
                        let verdict = shared.attempts.lock().begin(
                            shared.now().at,
                            account.as_str(),
                            link.peer().ip(),
                        );
                        match verdict {
                            Verdict::Allowed => {
                                let begun = Begun::new(&shared, &account, link.peer().ip());
                                let (reply, proven) = check(&shared, account, wanted).await;
                                inbox.leave(&link, Inbound::reply(reply, Some(begun), proven));
                                return;
                            }
                            Verdict::Refused { .. } => {
                                inbox.leave(&link, Inbound::reply(Reply::TooMany, None, None));
                                return;
                            }
                            Verdict::DelayUntil(later) => next = later,
                        }
                    }
                });
            }
        }
    }

    fn check(&mut self, account: Bare, wanted: Wanted) {
        let now = self.now();
        match wanted {
            Wanted::Keys(hash) => {
                let (reply, proven) = stored_keys(&self.shared, &account, hash);
                self.proven = proven;
                self.session.handle_reply(now, reply);
            }
            Wanted::Password(password) => {
                let remembered = self
                    .shared
                    .remembered
                    .lock()
                    .verify(account.as_str(), &password);
                if let Recollection::Hit(keys) = remembered {
                    self.proven = Some(keys);
                    self.session.handle_reply(now, Reply::Password(true));
                    return;
                }
                let (shared, link, inbox) = (
                    Arc::clone(&self.shared),
                    Arc::clone(&self.link),
                    Arc::clone(&self.inbox),
                );
                tokio::spawn(async move {
                    let (reply, proven) = check(&shared, account, Wanted::Password(password)).await;
                    inbox.leave(&link, Inbound::reply(reply, None, proven));
                });
            }
            Wanted::Token(attempt) => {
                let (link, inbox) = (Arc::clone(&self.link), Arc::clone(&self.inbox));
                let answer = move |reply, proven| {
                    inbox.leave(&link, Inbound::reply(reply, None, proven));
                };
                let tokens = &self.shared.xmpp.tokens;
                let lifetime = self.shared.config.limits.login_tokens.lifetime;
                let model = &self.shared.model;
                login_tokens::check(model, tokens, &account, &attempt, lifetime, answer);
            }
        }
    }

    /// The credentials that were proven are no longer those of the account. Costs nothing while nobody's change.
    pub(super) fn is_outdated(&self, account: &Bare) -> bool {
        if self.shared.secrets_ended() == self.secrets {
            return false;
        }
        match stored(&self.shared, account) {
            Ok(Some((found, _))) => self.proven != Some(found.fingerprint()),
            Ok(None) | Err(()) => true,
        }
    }

    /// An attempt has ended. A failed one is answered later.
    pub(super) fn attempted(&mut self, account: &Bare, outcome: AttemptOutcome) {
        let Some(begun) = self.begun.take() else {
            return;
        };
        let secrets = begun.secrets;
        self.held = begun.settle(outcome);
        match outcome {
            AttemptOutcome::Succeeded => {
                self.secrets = secrets;
                Gauges::count(&self.shared.gauges.logins);
            }
            AttemptOutcome::Failed => {
                Gauges::count(&self.shared.gauges.login_failures);
                tracing::info!(%account, peer = %self.link.peer().ip(), "a login failed");
            }
            AttemptOutcome::Abandoned => {}
        }
    }
}

/// What was found out, and the keys that it was checked against.
type Checked = (Reply, Option<Fingerprint>);

async fn check(shared: &Arc<Shared>, account: Bare, wanted: Wanted) -> Checked {
    match wanted {
        Wanted::Keys(hash) => stored_keys(shared, &account, hash),
        Wanted::Password(password) => check_password(shared, account, password).await,
        Wanted::Token(attempt) => {
            let (send, found) = oneshot::channel();
            let answer = move |reply, proven| {
                let _ = send.send((reply, proven));
            };
            login_tokens::check(
                &shared.model,
                &shared.xmpp.tokens,
                &account,
                &attempt,
                shared.config.limits.login_tokens.lifetime,
                answer,
            );
            found.await.unwrap_or((Reply::Fault, None))
        }
    }
}

fn stored(shared: &Shared, account: &Bare) -> Result<Option<(Credentials, bool)>, ()> {
    let stored = shared.model.store().credentials(account).map_err(|error| {
        tracing::error!(%error, %account, "credentials could not be read");
    })?;
    let Some(stored) = stored else {
        return Ok(None);
    };
    let credentials = Credentials::from_bytes(&stored.scram).map_err(|error| {
        tracing::error!(%error, %account, "stored credentials are damaged: set the password again");
    })?;
    Ok(Some((credentials, stored.disabled)))
}

fn stored_keys(shared: &Shared, account: &Bare, hash: Hash) -> Checked {
    match stored(shared, account) {
        Err(()) => (Reply::Fault, None),
        Ok(None) => {
            let (keys, disabled) = (None, false);
            (Reply::Keys { keys, disabled }, None)
        }
        Ok(Some((credentials, disabled))) => {
            let keys = credentials.keys(hash).cloned();
            let proven = credentials.fingerprint();
            (Reply::Keys { keys, disabled }, Some(proven))
        }
    }
}

/// Makes the keys that an account of an earlier version lacks, now that its password is at hand. A change of the password in the
/// meantime wins.
fn complete(shared: &Arc<Shared>, account: &Bare, found: Credentials, password: &Password) {
    if found.is_complete() {
        return;
    }
    let was = found.to_bytes();
    if let Ok(completed) = found.completed(password) {
        let ignored = model::commit::Reply::ignored();
        let scram = completed.to_bytes();
        shared.model.complete_scram(account, was, scram, &ignored);
    }
}

/// Checks a password by key derivation, on the bounded pool; the same work for an account that does not exist.
async fn check_password(shared: &Arc<Shared>, account: Bare, password: Password) -> Checked {
    let ticket = match shared.remembered.lock().verify(account.as_str(), &password) {
        Recollection::Hit(keys) => return (Reply::Password(true), Some(keys)),
        Recollection::Miss(ticket) => ticket,
    };
    let waiting = &shared.gauges.password_checks;
    if waiting.fetch_add(1, Ordering::Relaxed) >= shared.config.limits.password_checks {
        waiting.fetch_sub(1, Ordering::Relaxed);
        return (Reply::Fault, None);
    }
    let permit = Arc::clone(&shared.derivations).acquire_owned().await;
    waiting.fetch_sub(1, Ordering::Relaxed);
    let Ok(permit) = permit else {
        return (Reply::Fault, None);
    };
    let worker = Arc::clone(shared);
    let checked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let found = stored(&worker, &account)?;
        let disabled = found.as_ref().is_some_and(|(_, disabled)| *disabled);
        let stored = found
            .as_ref()
            .and_then(|(credentials, _)| credentials.keys(Hash::Sha256).cloned());
        let real = stored.is_some();
        let keys = stored.unwrap_or_else(|| worker.decoy.keys(Hash::Sha256, account.as_str()));
        let right = keys.verify_password(&password) && real;
        let proven = found
            .as_ref()
            .map(|(credentials, _)| credentials.fingerprint());
        if let (true, Some((credentials, _))) = (right, found) {
            complete(&worker, &account, credentials, &password);
        }
        if let (true, false, Some(keys)) = (right, disabled, proven) {
            worker
                .remembered
                .lock()
                .remember(ticket, account.as_str(), &password, keys);
        }
        Ok::<_, ()>((right, disabled, proven))
    });
    match checked.await {
        Ok(Ok((true, true, _))) => (Reply::Disabled, None),
        Ok(Ok((right, _, proven))) => (Reply::Password(right), proven),
        Ok(Err(())) | Err(_) => (Reply::Fault, None),
    }
}
