//! What a session wants done, done on the model.

use std::sync::Arc;

use model::commit::Reply as Answer;
use parking_lot::Mutex;
use presence::{Bare, Refusal};
use xmpp::StreamCondition;
use xmpp::action::{Action, IqContext, Reply};
use xmpp::answer;
use xmpp::management::received::Ticket;
use xmpp::management::{self, Received};
use xmpp::print::Condition;
use xmpp::sasl::ClientId;

use super::held::Most;
use super::{Connection, Inbound, Inbox, XmppRoute};
use crate::server::link::Link;
use crate::server::shared::Gauges;
use crate::wiring::pubsub;
use crate::wiring::xmpp::{presented, said};

impl Connection {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Keys { account, hash } => self.keys(account, hash),
            Action::Password { account, password } => self.password(account, password),
            Action::Token { account, attempt } => self.token(account, attempt),
            Action::IssueToken {
                account,
                client,
                mechanism,
            } => self.issue_token(&account, client, mechanism),
            Action::Attempted { account, outcome } => self.attempted(&account, outcome),
            Action::Bind {
                account,
                resource,
                client,
            } => self.bind(account, resource, client),
            Action::ReadsArchive { account } => self.reads_archive(account),
            Action::Resume { account, previous } => self.ask_to_resume(&account, &previous),
            Action::Enable { resume, most } => self.manage(resume, most),
            Action::ManagedFromStart { id, most } => self.count_stanzas(id, most, |_, _| ()),
            Action::Counted => {
                if let Some(managed) = &self.managed {
                    managed.received.lock().take();
                }
            }
            Action::Ask => self.answer_ask(),
            Action::Acknowledged(handled) => {
                if let Err(wrong) = self.link.acknowledged(handled) {
                    self.session
                        .end_with(|out| management::print::too_high(out, wrong));
                }
            }
            Action::NotResumed => self.link.append_last(|out| {
                management::print::failed(out, Condition::UnexpectedRequest, None);
            }),
            Action::Ping => self.link.ask(),
            Action::Attention(seen) => self.attend(seen),
            other => {
                let Some((account, session)) = self.bound.clone().filter(|_| !self.ended) else {
                    return;
                };
                self.act_bound(&account, session, other);
            }
        }
    }

    fn bind(&mut self, account: Bare, wish: Option<presence::Resource>, client: Option<ClientId>) {
        let resource = wish.unwrap_or_else(|| {
            presence::Resource::from_prepared(&format!("{:016x}", rand::random::<u64>()))
        });
        if self.is_outdated(&account) {
            return self.end_outdated();
        }
        let limits = &self.shared.config.limits;
        let most = Most {
            stanzas: limits.inactive_stanzas,
            octets: limits.inactive_bytes,
        };
        let route = XmppRoute::new(&self.link, &self.inbox, most);
        let as_route = Arc::clone(&route) as Arc<dyn model::Route>;
        let model = &self.shared.model;
        let client = client.map(|id| id.0);
        let bound = model.connect_client(&account, Some(resource), client, as_route);
        // Once more: a change that ended all sessions before this one was bound is seen here, and a later one ends this one as well.
        if let Ok((session, _)) = bound
            && self.is_outdated(&account)
        {
            model.disconnect(&account, session, None);
            return self.end_outdated();
        }
        let bound = bound.map(|(session, resource)| {
            route.name(account.with(resource.clone()));
            self.bound = Some((account, session));
            resource
        });
        let now = self.now();
        self.session.handle_reply(now, Reply::Bound(bound));
        self.route = Some(route);
    }

    pub(super) fn end_outdated(&mut self) {
        let text = "The credentials were changed";
        self.session.end(StreamCondition::Reset, Some(text));
    }

    fn act_bound(&mut self, account: &Bare, session: model::SessionId, action: Action) {
        let model = Arc::clone(&self.shared.model);
        let link = Arc::clone(&self.link);
        match action {
            Action::RosterGet { iq, version } => {
                let turn = self.in_order();
                let print = move |roster: Result<presence::Roster, Refusal>| {
                    let _turn = turn;
                    match roster {
                        Ok(roster) => link.append(|out| {
                            answer::roster(out, &iq, version.as_deref(), &roster);
                        }),
                        Err(refusal) => refuse(&link, &iq, &refusal),
                    }
                };
                model.roster(account, session, &Answer::new(print));
            }
            Action::RosterSet {
                iq,
                contact,
                name,
                groups,
            } => {
                let turn = self.in_order();
                model.roster_set(account, &contact, name, groups, &done(link, iq, turn));
            }
            Action::RosterRemove { iq, contact } => {
                model.roster_remove(account, &contact, &done(link, iq, self.in_order()));
            }
            Action::Available(shows) => {
                Gauges::count(&self.shared.gauges.presences);
                if let Err(refusal) = model.available(account, session, presented(shows)) {
                    tracing::debug!(%account, %refusal, "presence was not taken");
                }
            }
            Action::Pubsub { iq, owner, request } => {
                let turn = self.in_order();
                pubsub::act(
                    &model,
                    &self.shared.xmpp.service,
                    iq,
                    &owner,
                    *request,
                    move |octets| {
                        let _turn = turn;
                        link.append(|out| out.extend_from_slice(&octets));
                    },
                );
            }
            Action::Authorize { id, request } => {
                let turn = self.in_order();
                if let Some(own) = self.session.address() {
                    pubsub::authorize(&model, own, id, *request, move |octets| {
                        let _turn = turn;
                        if let Some(octets) = octets {
                            link.append(|out| out.extend_from_slice(&octets));
                        }
                    });
                }
            }
            Action::Interests(interests) => model.interested(account, session, &interests),
            Action::Unavailable(presented) => {
                Gauges::count(&self.shared.gauges.presences);
                model.unavailable(account, session, Some(said(presented)));
            }
            Action::Directed {
                to,
                presented: shows,
                available,
            } => {
                Gauges::count(&self.shared.gauges.presences);
                let id = shows.id.clone();
                if let Err(refusal) =
                    model.directed(account, session, &to, presented(shows), available)
                    && let Some(own) = self.session.address()
                {
                    link.append(|out| {
                        answer::presence_refused(out, own, Some(&to), id.as_deref(), &refusal);
                    });
                }
            }
            Action::Probe { contact } => {
                if let Err(refusal) = model.probe(account, session, &contact)
                    && let Some(own) = self.session.address()
                {
                    link.append(|out| {
                        answer::presence_refused(out, own, Some(&contact), None, &refusal);
                    });
                }
            }
            Action::Subscription {
                kind,
                contact,
                content,
                id,
            } => {
                let own = self.session.address().cloned();
                let to = presence::Address::from(contact.clone());
                let turn = self.in_order();
                let print = move |result: Result<(), Refusal>| {
                    let _turn = turn;
                    if let (Err(refusal), Some(own)) = (result, own) {
                        link.append(|out| {
                            answer::presence_refused(out, &own, Some(&to), id.as_deref(), &refusal);
                        });
                    }
                };
                model.subscription(account, kind, &contact, content, &Answer::new(print));
            }
            Action::Message { message, handling } => {
                Gauges::count(&self.shared.gauges.messages);
                let open = self.not_handled();
                let durable = handling.storable || handling.archivable;
                model.message(message, handling, move |message, result| {
                    let _open = open;
                    if let Err(refusal) = result {
                        link.append(|out| answer::message_refused(out, message, &refusal));
                    }
                });
                // The disk does not keep up: the client is read no further until it does, and what it sends waits with it. Whatever else
                // needs the disk waits for it in any case.
                if durable && self.shared.model.store().is_pressed() {
                    let turn = self.in_order();
                    let store = self.shared.model.store();
                    store.when_eased(Box::new(move || drop(turn)));
                }
            }
            Action::Archive(request) => self.act_archive(account, *request),
            Action::CarbonsFromStart => {
                if let Err(refusal) = model.carbons(account, session, true) {
                    tracing::debug!(%account, %refusal, "carbons were not switched on");
                }
            }
            Action::Carbons { iq, enable } => match model.carbons(account, session, enable) {
                Ok(()) => link.append(|out| answer::done(out, &iq)),
                Err(refusal) => refuse(&link, &iq, &refusal),
            },
            Action::Iq {
                to,
                kind,
                stanza,
                iq,
            } => {
                if let Err(refusal) = model.iq(&iq.from, &to, kind, &stanza) {
                    refuse(&link, &iq, &refusal);
                }
            }
            Action::Person(wanted) => self.act_person(account, *wanted),
            Action::Command(request) => self.act_command(account, *request),
            Action::Discover(asked) => self.act_discover(account, &asked),
            Action::Blocking { iq, wish } => self.blocking(account, session, iq, wish),
            Action::LastActivity { iq, account: of } => match model.last_activity(&iq.from, &of) {
                Ok((ago, status)) => {
                    link.append(|out| {
                        answer::last_activity(out, &iq, ago.as_secs(), status.as_deref());
                    });
                }
                Err(refusal) => refuse(&link, &iq, &refusal),
            },
            Action::Keys { .. }
            | Action::Password { .. }
            | Action::Token { .. }
            | Action::IssueToken { .. }
            | Action::Attempted { .. }
            | Action::Bind { .. }
            | Action::ReadsArchive { .. }
            | Action::Resume { .. }
            | Action::Enable { .. }
            | Action::ManagedFromStart { .. }
            | Action::Counted
            | Action::Ask
            | Action::Acknowledged(_)
            | Action::NotResumed
            | Action::Ping
            | Action::Attention(_) => {}
        }
    }
}

pub(super) fn refuse(link: &Arc<Link>, iq: &IqContext, refusal: &Refusal) {
    link.append(|out| answer::refused(out, iq, refusal));
}

pub(super) fn done(link: Arc<Link>, iq: IqContext, turn: InOrder) -> Answer<()> {
    Answer::new(move |result| {
        let _turn = turn;
        match result {
            Ok(()) => link.append(|out| answer::done(out, &iq)),
            Err(refusal) => refuse(&link, &iq, &refusal),
        }
    })
}

/// While this lives, what the session wants next waits: stanzas of one stream are handled in order (RFC 6120 §10.1), also when the
/// answer to one of them waits for the disk.
pub(crate) struct InOrder {
    link: Arc<Link>,
    inbox: Arc<Inbox>,
}

impl InOrder {
    /// What was answered is on the link: the session goes on when it is on its way.
    pub(super) fn when_written(self) {
        let (link, inbox) = (Arc::clone(&self.link), Arc::clone(&self.inbox));
        inbox.leave(&link, Inbound::WhenWritten(self));
    }
}

impl Drop for InOrder {
    fn drop(&mut self) {
        self.inbox.leave(&self.link, Inbound::Answered);
    }
}

/// While this lives, a stanza of a managed stream is not handled.
struct NotHandled {
    received: Arc<Mutex<Received>>,
    ticket: Option<Ticket>,
    link: Arc<Link>,
    inbox: Arc<Inbox>,
}

impl Drop for NotHandled {
    fn drop(&mut self) {
        let ticket = self.ticket.take();
        let Some(ticket) = ticket else { return };
        let mut received = self.received.lock();
        let answer = received.done(ticket);
        let settled = received.is_settled();
        drop(received);
        if let Some(handled) = answer {
            self.inbox.leave(&self.link, Inbound::Handled(handled));
        } else if settled && self.link.is_detached() {
            // Somebody may wait for that.
            self.link.wake.notify_one();
        }
    }
}

impl Connection {
    /// The stanza at hand is handled when this ends; `None` where nobody counts.
    fn not_handled(&self) -> Option<NotHandled> {
        let managed = self.managed.as_ref()?;
        let ticket = managed.received.lock().later();
        Some(NotHandled {
            received: Arc::clone(&managed.received),
            ticket: Some(ticket),
            link: Arc::clone(&self.link),
            inbox: Arc::clone(&self.inbox),
        })
    }

    pub(super) fn in_order(&mut self) -> InOrder {
        self.unanswered += 1;
        InOrder {
            link: Arc::clone(&self.link),
            inbox: Arc::clone(&self.inbox),
        }
    }
}
