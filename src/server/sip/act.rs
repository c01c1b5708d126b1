//! What the bridge wants done: what is about logins here, all else on the model.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bridge::action::Credentials;
use bridge::{Action, Answer, Token};
use parking_lot::Mutex;
use presence::Bare;
use sip::digest::Ha1Set;
use xmpp::sasl::Verdict;

use super::Sip;
use crate::server::shared::Shared;
use crate::wiring;
use crate::wiring::sip::resolve;

/// Digest keys already opened, by realm and user name; thrown away whenever an account changes.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<Cached>);

#[derive(Default)]
struct Cached {
    keys: HashMap<String, HashMap<String, (Bare, Ha1Set)>>,
    count: usize,
    /// Grows whenever all is thrown away: what was read before that is not put in after it.
    generation: u64,
}

/// More than an office has.
const CACHED: usize = 20_000;

impl KeyCache {
    /// Something about accounts, passwords or aliases has changed.
    pub(crate) fn clear(&self) {
        let mut cached = self.0.lock();
        cached.keys.clear();
        cached.count = 0;
        cached.generation += 1;
    }
}

impl Sip {
    /// Does it. What is known at once is answered at once; all else is left for the machines when it is known.
    pub(super) fn act(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        token: Token,
        action: Action,
    ) -> Option<Answer> {
        let model = &shared.model;
        match action {
            Action::Credentials {
                user,
                realm,
                source,
            } => {
                let too_many = barred(shared, &user, &realm, source);
                let found = if too_many {
                    None
                } else {
                    self.credentials(shared, &user, &realm)
                };
                return Some(Answer::Credentials(Credentials { found, too_many }));
            }
            Action::Resolve { address } => {
                let account = resolve(model, &address, model.rules().domains[0].as_str());
                return Some(Answer::Resolved(account));
            }
            Action::Failed {
                user,
                realm,
                source,
            } => failed(shared, &user, &realm, source),
            other => return wiring::sip::act(model, self, token, other),
        }
        None
    }

    /// The account and keys that a digest user name stands for.
    fn credentials(&self, shared: &Shared, user: &str, realm: &str) -> Option<(Bare, Ha1Set)> {
        let generation = {
            let cached = self.keys.0.lock();
            if let Some(found) = cached.keys.get(realm).and_then(|keys| keys.get(user)) {
                return Some(found.clone());
            }
            cached.generation
        };
        let account = resolve(&shared.model, user, realm)?;
        let stored = shared
            .model
            .store()
            .credentials(&account)
            .ok()
            .flatten()
            .filter(|c| !c.disabled)?;
        let keys = match shared.vault.open(&account, &stored.sealed_ha1) {
            Ok(keys) => keys,
            Err(error) => {
                tracing::error!(%account, "{error}");
                return None;
            }
        };
        let found = (account, keys.of(user)?);
        let mut cache = self.keys.0.lock();
        if cache.generation == generation {
            if cache.count >= CACHED {
                cache.keys.clear();
                cache.count = 0;
            }
            let of_realm = cache.keys.entry(realm.to_owned()).or_default();
            if of_realm.insert(user.to_owned(), found.clone()).is_none() {
                cache.count += 1;
            }
        }
        Some(found)
    }
}

/// The name under which failures are counted, the same as for XMPP.
fn counted(shared: &Shared, user: &str, realm: &str) -> String {
    resolve(&shared.model, user, realm).map_or_else(|| format!("{user}@{realm}"), |a| a.to_string())
}

/// There were too many failures lately. Most requests come from who has had none: that is seen without naming anybody.
fn barred(shared: &Shared, user: &str, realm: &str, source: IpAddr) -> bool {
    let now = shared.now().at;
    if !shared.attempts.lock().suspects(source) {
        return false;
    }
    let account = counted(shared, user, realm);
    let mut attempts = shared.attempts.lock();
    match attempts.begin(now, &account, source) {
        Verdict::Allowed => {
            attempts.abandoned(&account, source);
            false
        }
        Verdict::DelayUntil(_) => false,
        Verdict::Refused { .. } => true,
    }
}

fn failed(shared: &Shared, user: &str, realm: &str, source: IpAddr) {
    let account = counted(shared, user, realm);
    let now = shared.now().at;
    let mut attempts = shared.attempts.lock();
    // A digest needs no delay of ours to be tried again, so one that comes within it counts as well.
    if !matches!(
        attempts.begin(now, &account, source),
        Verdict::Refused { .. }
    ) {
        attempts.failed(now, &account, source);
    }
    tracing::info!(%account, peer = %source, "a digest login failed");
}
