//! Who sends a request: digest (RFC 3261 §22) and the identity in From.

use std::sync::Arc;

use presence::{Bare, Refusal};
use sip::digest::{Challenger, ChallengerConfig, Rejection, Verdict};
use sip::header::Authorization;
use sip::{HeaderName, Method};

use crate::action::{Action, Credentials};
use crate::address::Domains;
use crate::bridge::{Bridge, Now};
use crate::config::Config;
use crate::reply::{Reply, malformed};
use crate::waiting::{Job, Waiting};

/// A challenger for each served domain, which is its realm.
pub(crate) struct Realms {
    list: Vec<(Arc<str>, Challenger)>,
}

impl Realms {
    pub(crate) fn new(domains: &Domains, config: &Config, key: [u8; 32]) -> Self {
        let challenger = |realm: &str| {
            Challenger::new(ChallengerConfig {
                algorithms: config.digest.clone(),
                legacy: config.digest_legacy,
                ..ChallengerConfig::new(realm, key)
            })
        };
        let domains = domains.iter().map(|d| (d.into(), challenger(d)));
        Self {
            list: domains.collect(),
        }
    }

    /// Where the realm of a domain is in the list.
    fn name(&self, domain: &str) -> Option<usize> {
        self.list.iter().position(|(realm, _)| **realm == *domain)
    }

    fn get_mut(&mut self, realm: &str) -> Option<&mut Challenger> {
        let found = self.list.iter_mut().find(|(name, _)| **name == *realm);
        found.map(|(_, challenger)| challenger)
    }
}

impl<R: Copy> Bridge<R> {
    /// Finds the credentials of a request, or asks for them without keeping anything of it.
    pub(crate) fn authenticate(&mut self, now: Now, mut job: Box<Job<R>>) {
        let Ok(from) = job.request.headers.from_uri() else {
            return self.respond_stateless(&job, malformed("From"));
        };
        let realm = from
            .host()
            .and_then(|host| self.domains.of_host(host))
            .unwrap_or_else(|| self.domains.first());
        let realm = self.realms.name(realm);
        job.from = Some(from);
        if !self.config.require_auth {
            return self.identify(now, job, None);
        }
        // Members of other domains cannot prove who they are (yet): nothing is asked of them. An alias may have any domain, so a
        // sender from elsewhere who has credentials of ours is heard.
        let Some((realm, challenger)) = realm.and_then(|at| self.realms.list.get(at)) else {
            return self.respond_stateless(&job, Reply::from(&Refusal::Forbidden));
        };
        let Some(authorization) = challenger.find(&job.request.headers, &HeaderName::Authorization)
        else {
            let realm = Arc::clone(realm);
            return self.challenge(now, &job, &realm, false);
        };
        let Some(user) = authorization.username() else {
            return self.respond_stateless(&job, malformed("username"));
        };
        let action = Action::Credentials {
            user,
            realm: Arc::clone(realm),
            source: job.flow.remote.ip().to_canonical(),
        };
        let realm = Arc::clone(realm);
        self.ask(
            action,
            Waiting::Credentials {
                job,
                realm,
                authorization,
            },
        );
    }

    /// 401, one field an algorithm (RFC 8760 §2.3). Stateless: whoever asks may be anybody.
    fn challenge(&mut self, now: Now, job: &Job<R>, realm: &str, stale: bool) {
        let mut reply = Reply::new(401);
        if let Some(challenger) = self.realms.get_mut(realm) {
            for value in challenger.challenge(now.at, stale) {
                reply = reply.with(HeaderName::WwwAuthenticate, value);
            }
        }
        self.respond_stateless(job, reply);
    }

    /// The keys of the user are there: does the answer fit?
    pub(crate) fn credentials(
        &mut self,
        now: Now,
        job: Box<Job<R>>,
        realm: &Arc<str>,
        authorization: &Authorization,
        found: Credentials,
    ) {
        if found.too_many {
            return self.respond_stateless(&job, Reply::because(403, "Too Many Failed Attempts"));
        }
        let Some(challenger) = self.realms.get_mut(realm) else {
            return self.respond_stateless(&job, Reply::from(&Refusal::Fault));
        };
        let keys = found.found.as_ref().map(|(_, keys)| keys);
        let request = &job.request;
        match challenger.check(now.at, &request.method, &request.uri, authorization, keys) {
            Verdict::Accept => {
                let account = found.found.map(|(account, _)| account);
                self.identify(now, job, account);
            }
            Verdict::Stale => self.challenge(now, &job, realm, true),
            Verdict::Reject(why) => {
                if matches!(why, Rejection::UnknownUser | Rejection::WrongPassword) {
                    self.failed(authorization, realm, &job);
                }
                self.challenge(now, &job, realm, false);
            }
            Verdict::Malformed(what) => self.respond_stateless(&job, malformed(what)),
        }
    }

    fn failed(&mut self, authorization: &Authorization, realm: &Arc<str>, job: &Job<R>) {
        self.act(Action::Failed {
            user: authorization.username().unwrap_or_default(),
            realm: Arc::clone(realm),
            source: job.flow.remote.ip().to_canonical(),
        });
    }

    /// `account` has proven who it is, or nothing was to be proven: From must lead to it.
    fn identify(&mut self, now: Now, job: Box<Job<R>>, account: Option<Bare>) {
        let from = job.from.as_ref();
        if let Some(account) = account
            .as_ref()
            .filter(|a| from.is_some_and(|from| self.domains.surely(from, a)))
        {
            return self.authorised(now, job, account.clone());
        }
        let Some(named) = from.and_then(|from| self.domains.read(from)) else {
            return self.respond_stateless(&job, Reply::because(403, "From Names Nobody"));
        };
        if let Some(account) = &account
            && named.direct.as_ref() == Some(account)
        {
            return self.authorised(now, job, account.clone());
        }
        let action = Action::Resolve {
            address: named.text,
        };
        self.ask(action, Waiting::Sender { job, account });
    }

    pub(crate) fn sender(
        &mut self,
        now: Now,
        job: Box<Job<R>>,
        account: Option<Bare>,
        found: Option<Bare>,
    ) {
        match (account, found) {
            (Some(account), Some(found)) if account == found => self.authorised(now, job, account),
            (None, Some(found)) => self.authorised(now, job, found),
            _ => self.respond_stateless(
                &job,
                Reply::because(403, "From Is Not The Authenticated User"),
            ),
        }
    }

    /// The sender is known: finds whom the request concerns.
    fn authorised(&mut self, now: Now, job: Box<Job<R>>, account: Bare) {
        let headers = &job.request.headers;
        if job.request.method == Method::Subscribe && headers.to_tag().is_some() {
            return self.subscribe_again(now, job, &account);
        }
        if job.request.method != Method::Register && self.domains.surely(&job.request.uri, &account)
        {
            let target = account.clone();
            return self.proceed(now, job, account, target);
        }
        let uri = match job.request.method {
            Method::Register => headers.to().ok().map(|to| to.uri),
            _ => Some(job.request.uri.clone()),
        };
        let Some(named) = uri.and_then(|uri| self.domains.read(&uri)) else {
            return self.respond(&job, Reply::new(404));
        };
        if named.direct.as_ref() == Some(&account) {
            let target = account.clone();
            return self.proceed(now, job, account, target);
        }
        let (action, served) = (
            Action::Resolve {
                address: named.text,
            },
            named.served,
        );
        self.ask(
            action,
            Waiting::Target {
                job,
                account,
                served,
            },
        );
    }

    /// Sender and target are known.
    pub(crate) fn proceed(&mut self, now: Now, job: Box<Job<R>>, account: Bare, target: Bare) {
        let own = account == target;
        match job.request.method {
            Method::Register if own => self.register(now, job, account),
            Method::Publish if own => self.publish(job, account),
            Method::Register | Method::Publish => {
                self.respond(&job, Reply::because(403, "Not Your Address"));
            }
            Method::Subscribe => self.subscribe(now, job, account, target),
            Method::Message => self.message(now, job, account, target),
            _ => self.respond(&job, Reply::from(&Refusal::Fault)),
        }
    }
}
