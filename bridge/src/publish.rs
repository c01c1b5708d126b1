//! PUBLISH (RFC 3903 §6), package presence (RFC 3856 §7).

use std::sync::Arc;
use std::time::Duration;

use documents::pidf;
use presence::{Bare, EntityTag, Refusal, mapping};
use sip::{HeaderName, Request, Uri};

use crate::action::{Action, Body};
use crate::address::Named;
use crate::bridge::Bridge;
use crate::config::Config;
use crate::reply::{Reply, capitalised, malformed, too_brief};
use crate::screening::EVENTS;
use crate::waiting::{Job, Waiting};

/// What a PUBLISH says beside its document.
#[derive(Debug, Clone)]
pub(crate) struct Publishing {
    tag: Option<EntityTag>,
    expires: u32,
}

impl<R: Copy> Bridge<R> {
    pub(crate) fn publish(&mut self, job: Box<Job<R>>, account: Bare) {
        let publishing = match read(&self.config, &job.request) {
            Ok(publishing) => publishing,
            Err(reply) => return self.respond(&job, reply),
        };
        // A removal needs no body, and a body in a refresh that is empty is none, whatever Content-Type says (baresip).
        if job.request.body.is_empty() || publishing.expires == 0 {
            if publishing.tag.is_none() && publishing.expires > 0 {
                return self.respond(&job, Reply::because(400, "Missing Body"));
            }
            return self.put(job, account, publishing, None);
        }
        let published = match pidf::read(&job.request.body) {
            Ok(published) => published,
            Err(error) => {
                return self.respond(&job, Reply::because(400, capitalised(&error.to_string())));
            }
        };
        let entity = Uri::parse(&published.entity).ok();
        let sure = entity
            .as_ref()
            .is_some_and(|uri| self.domains.surely(uri, &account));
        let named = entity
            .filter(|_| !sure)
            .and_then(|uri| self.domains.read(&uri));
        let Some(named) = named.or_else(|| sure.then(|| Named::of(&account))) else {
            return self.respond(&job, malformed("Entity Of The Document"));
        };
        let device = device(
            &job.request,
            published.tuple_ids.first().map(String::as_str),
        );
        let resource = mapping::sip_resource(&device, &account);
        let native = match pidf::normalise(&published, &resource) {
            Ok(native) => native,
            Err(error) => {
                return self.respond(&job, Reply::because(400, capitalised(&error.to_string())));
            }
        };
        let body = Body {
            native,
            lang: published.lang.as_deref().map(Into::into),
            document: published.document,
        };
        if named.direct.as_ref() == Some(&account) {
            return self.put(job, account, publishing, Some((device, body)));
        }
        let action = Action::Resolve {
            address: named.text,
        };
        let body = Box::new((device, body));
        self.ask(
            action,
            Waiting::Entity {
                job,
                account,
                publishing,
                body,
            },
        );
    }

    /// The account is known that the document is about: it must be the publisher.
    pub(crate) fn entity(
        &mut self,
        job: Box<Job<R>>,
        account: Bare,
        publishing: Publishing,
        body: (Arc<str>, Body),
        found: Option<&Bare>,
    ) {
        if found != Some(&account) {
            return self.respond(
                &job,
                Reply::because(403, "The Document Is About Somebody Else"),
            );
        }
        self.put(job, account, publishing, Some(body));
    }

    fn put(
        &mut self,
        job: Box<Job<R>>,
        account: Bare,
        publishing: Publishing,
        body: Option<(Arc<str>, Body)>,
    ) {
        let (device, body) = match body {
            Some((device, body)) => (device, Some(body)),
            None => (device(&job.request, None), None),
        };
        let action = Action::Publish {
            account,
            tag: publishing.tag,
            expires: Duration::from_secs(publishing.expires.into()),
            body,
            flow: job.flow.to_string().into(),
            device,
        };
        self.ask(action, Waiting::Published { job });
    }

    pub(crate) fn published(
        &mut self,
        job: &Job<R>,
        outcome: Result<(EntityTag, Duration), Refusal>,
    ) {
        let reply = match outcome {
            Ok((tag, expires)) => Reply::new(200)
                .with(HeaderName::SipETag, &*tag.0)
                .with(HeaderName::Expires, expires.as_secs().to_string()),
            Err(refusal) => Reply::from(&refusal),
        };
        self.respond(job, reply);
    }
}

/// Steps 2 to 4 of RFC 3903 §6.
fn read(config: &Config, request: &Request) -> Result<Publishing, Reply> {
    let headers = &request.headers;
    match headers.event() {
        Ok(Some(event)) if event.package == "presence" => {}
        Ok(_) => return Err(Reply::new(489).with(HeaderName::AllowEvents, EVENTS)),
        Err(_) => return Err(malformed("Event")),
    }
    let tag = match headers.count(&HeaderName::SipIfMatch) {
        0 => None,
        1 => Some(entity_tag(headers.sip_if_match().unwrap_or_default())?),
        _ => return Err(Reply::because(400, "More Than One SIP-If-Match")),
    };
    let asked = headers.expires().map_err(|_| malformed("Expires"))?;
    let expires = config.publish_expires.grant(asked).map_err(too_brief)?;
    Ok(Publishing { tag, expires })
}

/// One token (RFC 3903 §11.3.2).
fn entity_tag(text: &str) -> Result<EntityTag, Reply> {
    let token = |b: u8| b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b);
    if text.is_empty() || !text.bytes().all(token) {
        return Err(malformed("SIP-If-Match"));
    }
    Ok(EntityTag(text.into()))
}

/// The device, for a phone that has not registered: what it calls itself, else what is the same in all it sends.
fn device(request: &Request, tuple: Option<&str>) -> Arc<str> {
    if request.headers.contains(&HeaderName::Contact)
        && let Ok(contacts) = request.headers.contacts()
        && let Some(contact) = contacts.listed().first()
    {
        return contact
            .instance()
            .unwrap_or_else(|| contact.uri().as_str().to_owned())
            .into();
    }
    // The last Via is the phone's own.
    let mut text = request.headers.last_sent_by().unwrap_or_default();
    text.push(' ');
    text.push_str(tuple.unwrap_or_default());
    text.into()
}
