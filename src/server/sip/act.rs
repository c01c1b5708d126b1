//! What the bridge wants done, done on the model.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use bridge::action::{Credentials, Register, Sent};
use bridge::{Action, Answer, Token};
use model::bindings::Register as ModelRegister;
use model::commit::Reply;
use model::messages::Handling;
use model::publish::{Body, Publish};
use parking_lot::Mutex;
use presence::{Bare, Refusal};
use sip::digest::Ha1Set;
use xmpp::sasl::Verdict;

use super::Sip;
use crate::server::aliases;
use crate::server::shared::Shared;

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
                let account = resolve(shared, &address, shared.model.rules().domains[0].as_str());
                return Some(Answer::Resolved(account));
            }
            Action::Attempted {
                user,
                realm,
                source,
                succeeded,
            } => {
                if !succeeded {
                    failed(shared, &user, &realm, source);
                }
            }
            Action::Register { account, register } => {
                let register = match register {
                    Register::Query => ModelRegister::Query,
                    Register::Update(bindings) => ModelRegister::Update(bindings),
                    Register::RemoveAll { call_id, cseq } => {
                        ModelRegister::RemoveAll { call_id, cseq }
                    }
                };
                model.register(&account, register, &self.reply(token, Answer::Bindings));
            }
            Action::Publish {
                account,
                tag,
                expires,
                body,
                flow,
                device,
            } => {
                let device = model.device_at(&account, &flow, None).unwrap_or(device);
                let resource = presence::mapping::sip_resource(&device, &account);
                let body = body.map(|b| Body {
                    document: b.document,
                    native: b.native,
                    lang: b.lang,
                });
                let publish = Publish {
                    tag,
                    expires,
                    body,
                    resource,
                    device,
                };
                let granted = |result: Result<model::publish::Granted, Refusal>| {
                    Answer::Published(result.map(|g| (g.etag, g.expires)))
                };
                model.publish(&account, publish, &self.reply(token, granted));
            }
            Action::Watch(record) => model.watch(record, &self.reply(token, seen)),
            Action::Look {
                watcher,
                presentity,
            } => {
                let result = model.look(&watcher, &presentity).map(|(seen, _)| seen);
                return Some(seen(result));
            }
            Action::Rewatch {
                presentity,
                id,
                expires,
                dialog,
            } => {
                model.rewatch(&presentity, id, expires, dialog, &self.reply(token, seen));
            }
            Action::Keep {
                presentity,
                id,
                dialog,
                durable,
            } => {
                let reply = durable.then(|| self.reply(token, Answer::Kept));
                model.remember(&presentity, id, dialog, reply.as_ref());
            }
            Action::Unwatch { presentity, id } => {
                model.unwatch(&presentity, id, &self.reply(token, seen));
            }
            Action::Message { mut message, flow } => {
                // The sender is the phone at the other end of the flow, as his contacts see it.
                if let Some(device) = model.device_at(&message.from.bare, &flow, None) {
                    message.from.resource =
                        Some(presence::mapping::sip_resource(&device, &message.from.bare));
                }
                self.message(shared, token, *message);
            }
            Action::Taken { account, stored } => model.taken(&account, stored),
            Action::NotTaken { account, stored } => model.not_taken(&account, stored),
        }
        None
    }

    fn reply<T: 'static>(
        self: &Arc<Self>,
        token: Token,
        answer: impl FnOnce(Result<T, Refusal>) -> Answer + Send + 'static,
    ) -> Reply<T> {
        let sip = Arc::clone(self);
        Reply::new(move |result| sip.answer(token, answer(result)))
    }

    fn message(self: &Arc<Self>, shared: &Arc<Shared>, token: Token, message: presence::Message) {
        let model = &shared.model;
        let handling = Handling {
            storable: true,
            speakable: true,
        };
        let sender = message.from.bare.clone();
        let copy = message.clone();
        let sip = Arc::clone(self);
        model.message(message, handling, move |_, result| {
            let sent = result.map(|sent| match sent {
                model::messages::Sent::Delivered => Sent::Delivered,
                model::messages::Sent::Stored => Sent::Stored,
                model::messages::Sent::Dropped => Sent::Dropped,
            });
            sip.answer(token, Answer::Sent(sent));
        });
        model.sent_by_phone(&sender, &copy);
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
        let account = resolve(shared, user, realm)?;
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

fn seen(result: Result<model::watches::Seen, Refusal>) -> Answer {
    Answer::Seen(result.map(|s| (s.decision, s.view)))
}

/// The account that a user name or address leads to: itself, or by an alias.
fn resolve(shared: &Shared, user: &str, domain: &str) -> Option<Bare> {
    if user.starts_with("tel:") {
        return shared.model.alias(&aliases::normal(domain, user)?);
    }
    let direct = match user.split_once('@') {
        Some((local, host)) => presence::sip_address::from_sip(local, host).ok(),
        None => presence::sip_address::from_sip(user, domain).ok(),
    };
    if let Some(account) = direct.filter(|a| shared.model.is_local(a))
        && shared.model.exists(&account).unwrap_or(false)
    {
        return Some(account);
    }
    let alias = aliases::normal(domain, user)?;
    shared
        .model
        .alias(&alias)
        .or_else(|| shared.model.alias(&aliases::telephone(user)?))
}

/// The name under which failures are counted, the same as for XMPP.
fn counted(shared: &Shared, user: &str, realm: &str) -> String {
    resolve(shared, user, realm).map_or_else(|| format!("{user}@{realm}"), |a| a.to_string())
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
