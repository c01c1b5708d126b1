//! SUBSCRIBE (RFC 6665 §4.2.1, RFC 3856 §6, RFC 3842 §3).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Decision, Refusal, View, WatchId, WatchRecord};
use sip::dialog::Dialog;
use sip::header::{Event, best_accepted};
use sip::transaction::Flow;
use sip::{HeaderName, Host, Request, Response, Timestamp, Uri};

use crate::action::Action;
use crate::bridge::{Bridge, Now};
use crate::reply::{Reply, malformed, overloaded, too_brief};
use crate::screening::EVENTS;
use crate::subscription::{End, Numbers, Package, Phase, Subscription};
use crate::waiting::{Job, Waiting};

/// What a look or a watch sees.
pub(crate) type Outcome = Result<(Decision, Arc<View>), Refusal>;

/// What the header fields of a SUBSCRIBE ask for.
pub(crate) struct Asked {
    pub(crate) package: Package,
    pub(crate) event: Arc<str>,
    pub(crate) expires: u32,
}

impl<R: Copy> Bridge<R> {
    /// The first SUBSCRIBE of a subscription, or a fetch.
    pub(crate) fn subscribe(
        &mut self,
        now: Now,
        job: Box<Job<R>>,
        watcher: Bare,
        presentity: Bare,
    ) {
        let mut subscription = match self.begin(now, &job, watcher, presentity) {
            Ok(subscription) => subscription,
            Err(reply) => return self.respond(&job, reply),
        };
        let fetch = subscription.expires <= now.at;
        if subscription.package == Package::MessageSummary {
            return self.open_summary(now, &job, subscription, fetch);
        }
        let (id, watcher, presentity) = (
            subscription.id,
            subscription.watcher.clone(),
            subscription.presentity.clone(),
        );
        if fetch {
            let subscription = Box::new(subscription);
            return self.ask(
                Action::Look {
                    watcher,
                    presentity,
                },
                Waiting::Fetched { job, subscription },
            );
        }
        let record = WatchRecord {
            id,
            watcher,
            presentity,
            package: subscription.package.as_str().to_owned(),
            expires: now.utc_in(subscription.ends_at() - now.at),
            dialog: subscription.record(),
        };
        self.insert(subscription);
        self.ask(Action::Watch(record), Waiting::Opened { job, id });
    }

    fn begin(
        &mut self,
        now: Now,
        job: &Job<R>,
        watcher: Bare,
        presentity: Bare,
    ) -> Result<Subscription, Reply> {
        let mut asked = self.asked(&job.request)?;
        if asked.package == Package::MessageSummary && watcher != presentity {
            return Err(Reply::because(403, "Not Your Mailbox"));
        }
        if asked.expires > 0 && self.subscriptions.len() >= self.config.bounds.subscriptions {
            return Err(overloaded());
        }
        let least = u32::try_from(self.config.subscribe_expires.min.as_secs()).unwrap_or(u32::MAX);
        asked.expires = self.random.shortened(asked.expires, least);
        let tag = self.random.token();
        let dialog = Dialog::from_subscribe(&job.request, &tag, &job.flow)?;
        let contact = self
            .contact(&job.request, &job.flow)
            .ok_or_else(|| Reply::from(&Refusal::Fault))?;
        Ok(Subscription {
            id: self.subscriptions.new_id(now.utc),
            watcher,
            presentity,
            package: asked.package,
            stored: asked.package == Package::Presence,
            event: asked.event,
            entity: self.entity_of(&job.request).into(),
            contact,
            device: device(&job.request, &dialog),
            dialog,
            phase: Phase::Opening,
            numbers: Numbers::Reserved,
            expires: now.at + Duration::from_secs(asked.expires.into()),
            decision: Decision::Pending,
            view: None,
            owed: true,
            changed: false,
            outstanding: None,
            last_is_sent: false,
            not_before: Timestamp(0),
            hold_until: Timestamp(0),
            told: None,
            sent: None,
            lost: false,
            parked: false,
            keep_at: None,
            kept: None,
            kept_at: None,
            armed: None,
        })
    }

    /// Event, Accept and Expires.
    pub(crate) fn asked(&self, request: &Request) -> Result<Asked, Reply> {
        let headers = &request.headers;
        let bad_event = || Reply::new(489).with(HeaderName::AllowEvents, EVENTS);
        let event = headers
            .event()
            .map_err(|_| malformed("Event"))?
            .ok_or_else(bad_event)?;
        let package = Package::parse(&event.package).ok_or_else(bad_event)?;
        // Without Accept it is the package's own type (RFC 6665 §4.1.2.1; baresip and Linphone send none).
        if let Some(ranges) = headers.accept().map_err(|_| malformed("Accept"))?
            && best_accepted(&ranges, &[package.media_type()]).is_none()
        {
            return Err(Reply::new(406).with(HeaderName::Accept, package.media_type()));
        }
        let expires = headers.expires().map_err(|_| malformed("Expires"))?;
        let expires = self
            .config
            .subscribe_expires
            .grant(expires)
            .map_err(too_brief)?;
        Ok(Asked {
            package,
            event: event_value(&event).into(),
            expires,
        })
    }

    /// Puts a subscription into the table. The phone has forgotten the one that it replaces: nothing is sent for that.
    pub(crate) fn insert(&mut self, subscription: Subscription) {
        if let Some(older) = self.subscriptions.insert(subscription)
            && let Some(older) = self.subscriptions.remove(older)
        {
            self.forget(&older);
        }
    }

    /// The model forgets the watch of a subscription that is over.
    pub(crate) fn forget(&mut self, subscription: &Subscription) {
        if subscription.stored {
            let (presentity, id) = (subscription.presentity.clone(), subscription.id);
            self.act(Action::Unwatch { presentity, id });
        }
    }

    fn open_summary(
        &mut self,
        now: Now,
        job: &Job<R>,
        mut subscription: Subscription,
        fetch: bool,
    ) {
        subscription.decision = Decision::Allow;
        self.accept(now, job, subscription, fetch);
    }

    pub(crate) fn fetched(
        &mut self,
        now: Now,
        job: &Job<R>,
        mut subscription: Box<Subscription>,
        outcome: Outcome,
    ) {
        match outcome {
            Ok((Decision::Deny, _)) => self.respond(job, Reply::new(403)),
            Ok((decision, view)) => {
                subscription.see(decision, &view);
                subscription.stored = false;
                self.accept(now, job, *subscription, true);
            }
            Err(refusal) => self.respond(job, Reply::from(&refusal)),
        }
    }

    /// 200 and the first NOTIFY of what the model does not keep; of a fetch it is the last one too.
    pub(crate) fn accept(
        &mut self,
        now: Now,
        job: &Job<R>,
        mut subscription: Subscription,
        fetch: bool,
    ) {
        let id = subscription.id;
        subscription.phase = if fetch {
            Phase::Ending(End::Timeout)
        } else {
            Phase::Open
        };
        let granted = if fetch { 0 } else { subscription.left(now.at) };
        if fetch {
            // It replaces nothing.
            subscription.device = subscription.dialog.local_tag.as_str().into();
        }
        let response = granted_to(job, &subscription, granted);
        self.output(crate::Output::Respond(job.id, response));
        self.insert(subscription);
        self.advance(now, id);
    }

    /// The model has the watch: the watcher may be told.
    pub(crate) fn opened(&mut self, now: Now, job: &Job<R>, id: WatchId, outcome: Outcome) {
        let (decision, view) = match outcome {
            Ok((Decision::Deny, _)) => {
                if let Some(denied) = self.subscriptions.remove(id) {
                    self.forget(&denied);
                }
                return self.respond(job, Reply::new(403));
            }
            Ok(seen) => seen,
            Err(refusal) => {
                self.subscriptions.remove(id);
                return self.respond(job, Reply::from(&refusal));
            }
        };
        let Some(subscription) = self.subscriptions.get_mut(id) else {
            return self.respond(job, Reply::because(500, "Replaced By A Newer Subscription"));
        };
        subscription.see(decision, &view);
        subscription.phase = Phase::Open;
        let response = granted_to(job, subscription, subscription.left(now.at));
        self.output(crate::Output::Respond(job.id, response));
        self.advance(now, id);
    }

    /// Our Contact: what the configuration says, else what the client itself called us, for that has led here.
    fn contact(&mut self, request: &Request, flow: &Flow) -> Option<Uri> {
        let called = (request.uri.host()?, request.uri.port(), &flow.transport);
        if let Some((host, port, transport, contact)) = &self.last_contact
            && (host, *port, transport) == called
        {
            return Some(contact.clone());
        }
        let contact = self.make_contact(request, flow)?;
        let (host, port, transport) = called;
        self.last_contact = Some((host.clone(), port, transport.clone(), contact.clone()));
        Some(contact)
    }

    fn make_contact(&self, request: &Request, flow: &Flow) -> Option<Uri> {
        let mut uri = match &self.config.public_host {
            Some(host) => Uri::parse(&format!("sip:{host}")).ok()?,
            None => Uri::build(
                request
                    .uri
                    .host()
                    .cloned()
                    .or_else(|| Host::parse(self.domains.first()).ok())?,
            )
            .port(request.uri.port())
            .finish()
            .ok()?,
        };
        if flow.is_reliable() {
            let transport = flow.transport.as_str().to_ascii_lowercase();
            uri = uri.with_param("transport", Some(&transport));
        }
        Some(uri)
    }

    /// The presentity as the watcher calls it: clients look for that in `entity` and `<contact/>`. It is To, unless that names
    /// somebody else than the Request-URI.
    fn entity_of(&self, request: &Request) -> String {
        let called = request.headers.to_uri().ok();
        let same = |to: &Uri| {
            to == &request.uri || self.domains.read(to) == self.domains.read(&request.uri)
        };
        let uri = called
            .filter(|to| to.is_sip() && same(to))
            .unwrap_or_else(|| request.uri.clone());
        if uri.is_plain() {
            return uri.as_str().to_owned();
        }
        let mut text = uri.address_of_record().as_str().to_owned();
        if let Some(port) = uri.port() {
            let _ = write!(text, ":{port}");
        }
        text
    }
}

/// 200 with the time that is granted.
pub(crate) fn granted_to<R>(job: &Job<R>, subscription: &Subscription, seconds: u32) -> Response {
    let contact = ["<", subscription.contact.as_str(), ">"].concat();
    let mut reply = Reply::new(200)
        .with(HeaderName::Expires, seconds.to_string())
        .with(HeaderName::Contact, contact)
        .with_static(HeaderName::AllowEvents, EVENTS);
    reply
        .headers
        .copy(&job.request.headers, &HeaderName::RecordRoute);
    reply.into_response(&job.request, &subscription.dialog.local_tag)
}

/// What NOTIFY says in Event: package and `id`, no other parameter (RFC 6665 §8.2.1).
fn event_value(event: &Event) -> String {
    match event.id() {
        Some(id) => format!("{};id={id}", event.package),
        None => event.package.clone(),
    }
}

/// The device of a watcher: its instance, else its Contact.
fn device(request: &Request, dialog: &Dialog) -> Arc<str> {
    // An instance is `+sip.instance`: most contacts need no second look.
    let text = request.headers.get(&HeaderName::Contact);
    let contacts = text
        .is_some_and(|text| text.contains('+'))
        .then(|| request.headers.contacts());
    let instance = contacts
        .and_then(Result::ok)
        .and_then(|c| c.listed().first().and_then(sip::header::Contact::instance));
    instance
        .unwrap_or_else(|| dialog.remote_target.as_str().to_owned())
        .into()
}
