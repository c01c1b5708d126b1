//! REGISTER (RFC 3261 §10.3, RFC 3327, RFC 5626 §4.1).

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Binding, Refusal, Utc};
use sip::header::{Contact, Contacts, Date};
use sip::{HeaderName, Request};

use crate::action::{Action, Register};
use crate::bridge::{Bridge, Now};
use crate::config::Config;
use crate::reply::{Reply, malformed, too_brief};
use crate::waiting::{Job, Waiting};

/// More contacts than any phone has.
const MOST_CONTACTS: usize = 16;

impl<R: Copy> Bridge<R> {
    pub(crate) fn register(&mut self, now: Now, job: Box<Job<R>>, account: Bare) {
        if job
            .request
            .uri
            .host()
            .is_none_or(|host| self.domains.of_host(host).is_none())
        {
            return self.respond(&job, Reply::because(404, "Domain Not Served Here"));
        }
        match read(&self.config, &job, now) {
            Ok(register) => self.ask(
                Action::Register { account, register },
                Waiting::Bindings { job },
            ),
            Err(reply) => self.respond(&job, reply),
        }
    }

    /// 200 lists every binding with the time it has left.
    pub(crate) fn registered(
        &mut self,
        now: Now,
        job: &Job<R>,
        outcome: Result<Vec<Binding>, Refusal>,
    ) {
        let reply = match outcome {
            Ok(bindings) => {
                let mut reply = Reply::new(200);
                for binding in &bindings {
                    reply = reply.with(HeaderName::Contact, contact(binding, now.utc));
                }
                if supports_path(&job.request) {
                    reply.headers.copy(&job.request.headers, &HeaderName::Path);
                    reply = reply.with(HeaderName::Supported, "path");
                }
                let unix = now.utc.0.div_euclid(1000);
                reply.with(HeaderName::Date, Date { unix }.to_string())
            }
            Err(refusal) => Reply::from(&refusal),
        };
        self.respond(job, reply);
    }
}

fn read<R>(config: &Config, job: &Job<R>, now: Now) -> Result<Register, Reply> {
    let headers = &job.request.headers;
    // A malformed Expires counts as none (RFC 3261 §10.2.1.1, §20.19).
    let expires = headers.expires().unwrap_or(None);
    let cseq = headers.cseq().map_err(|_| malformed("CSeq"))?.number;
    let call_id: Arc<str> = headers.call_id().map_err(|_| malformed("Call-ID"))?.into();
    let contacts = match headers.contacts().map_err(|_| malformed("Contact"))? {
        Contacts::All if expires == Some(0) => return Ok(Register::RemoveAll { call_id, cseq }),
        Contacts::All => return Err(Reply::because(400, "Contact * Needs Expires 0")),
        Contacts::Listed(contacts) if contacts.is_empty() => return Ok(Register::Query),
        Contacts::Listed(contacts) => contacts,
    };
    if contacts.len() > MOST_CONTACTS {
        return Err(Reply::because(400, "Too Many Contacts"));
    }
    let path = path(&job.request)?;
    let mut bindings: Vec<Binding> = Vec::with_capacity(contacts.len());
    for contact in &contacts {
        let granted = config
            .register_expires
            .grant(contact.expires().or(expires))
            .map_err(too_brief)?;
        let binding = Binding {
            contact: contact.uri().as_str().into(),
            instance: contact.instance().map(Into::into),
            call_id: Arc::clone(&call_id),
            cseq,
            expires: now.utc_in(Duration::from_secs(granted.into())),
            q: contact.q(),
            path: path.clone(),
            takes_message: takes_message(&job.request, contact),
            flow: job.flow.to_string().into(),
            user_agent: headers.get(&HeaderName::UserAgent).map(Into::into),
        };
        // The last of two with one URI wins.
        bindings.retain(|b| b.contact != binding.contact);
        bindings.push(binding);
    }
    Ok(Register::Update(bindings))
}

/// What `methods` of the contact says, else `Allow`, else yes.
fn takes_message(request: &Request, contact: &Contact) -> bool {
    if !contact.uri().is_sip() {
        return false;
    }
    if contact.methods().is_some() {
        return contact.takes("MESSAGE");
    }
    let headers = &request.headers;
    !headers.contains(&HeaderName::Allow) || headers.list_has(&HeaderName::Allow, "MESSAGE")
}

fn supports_path(request: &Request) -> bool {
    request.headers.list_has(&HeaderName::Supported, "path")
        || request.headers.list_has(&HeaderName::Require, "path")
}

/// Path is for a client that knows of it: one that does not is refused rather than led where it did not ask to be (RFC 3327 §5.3).
fn path(request: &Request) -> Result<Vec<Arc<str>>, Reply> {
    if !request.headers.contains(&HeaderName::Path) {
        return Ok(Vec::new());
    }
    if !supports_path(request) {
        return Err(Reply::new(421).with(HeaderName::Require, "path"));
    }
    let hops = request
        .headers
        .addresses(&HeaderName::Path)
        .map_err(|_| malformed("Path"))?;
    Ok(hops.iter().map(|hop| hop.to_string().into()).collect())
}

fn contact(binding: &Binding, now: Utc) -> String {
    // Rounded up: what was granted this moment is told as it was granted.
    let left = (binding.expires.0 - now.0 + 999).max(0).div_euclid(1000);
    let mut text = format!("<{}>", binding.contact);
    if binding.q < 1000 {
        let _ = write!(text, ";q=0.{:03}", binding.q);
    }
    if let Some(instance) = &binding.instance {
        let _ = write!(text, ";+sip.instance=\"<{instance}>\"");
    }
    let _ = write!(text, ";expires={left}");
    text
}
