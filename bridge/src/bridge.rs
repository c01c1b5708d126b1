//! The machine: requests, responses and events in, actions and messages out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use presence::{Bare, Binding, Decision, Message, Utc, View, WatchId, WatchRecord};
use sip::dialog::NextHop;
use sip::header::Transport;
use sip::transaction::{Failure, Flow};
use sip::{Host, Method, Request, Response, Timestamp, Uri};

use crate::action::{Action, Answer, Token};
use crate::address::Domains;
use crate::auth::Realms;
use crate::config::Config;
use crate::deliver::Deliveries;
use crate::document::Rendered;
use crate::numbers::ByNumber;
use crate::random::Random;
use crate::reply::{Reply, overloaded};
use crate::screening;
use crate::sources::Sources;
use crate::subscriptions::Subscriptions;
use crate::waiting::{Job, Waiting};

/// The moment, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For timers.
    pub at: Timestamp,
    /// For what is stored.
    pub utc: Utc,
}

impl Now {
    pub(crate) fn utc_in(self, time: Duration) -> Utc {
        Utc(self
            .utc
            .0
            .saturating_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// What the driver is to do. `R` is how it names a request that it received.
#[derive(Debug)]
pub enum Output<R> {
    /// Answer a request.
    Respond(R, Response),
    /// Answer a request and forget it: a retransmission may come here again. For those who have not proven who they are.
    RespondStateless(R, Response),
    /// Send a request. What comes of it is told by [`Bridge::handle_response`] or [`Bridge::handle_failure`] under the same key.
    Send {
        /// Names it, never used again.
        key: u64,
        /// The request, without Via and Max-Forwards.
        request: Request,
        /// Where to.
        to: NextHop,
    },
    /// Do something outside; the token names the answer.
    Act(Token, Action),
}

/// A request that was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sending {
    /// NOTIFY of a subscription, and where to: also what is over by then tells that its source is there.
    Notify(WatchId, SocketAddr),
    /// MESSAGE of a delivery.
    Message(u64),
}

/// SIP to and from the model (RFC 3261 §10, RFC 3428, 3842, 3856, 3903, 6665, 7572, 8048).
pub struct Bridge<R> {
    pub(crate) config: Config,
    pub(crate) domains: Domains,
    pub(crate) random: Random,
    pub(crate) realms: Realms,
    pub(crate) waiting: ByNumber<Token, Waiting<R>>,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) sources: Sources,
    pub(crate) deliveries: Deliveries,
    pub(crate) sending: ByNumber<u64, Sending>,
    pub(crate) rendered: Rendered,
    /// Our Contact for who called us by that host and port, over that transport: nearly all do it alike.
    pub(crate) last_contact: Option<(Host, Option<u16>, Transport, Uri)>,
    next: u64,
    outputs: VecDeque<Output<R>>,
}

impl<R: Copy> Bridge<R> {
    /// A bridge that knows nobody yet. `key` makes nonces, `seed` tags and Call-IDs; both are random and of this process alone.
    pub fn new(config: Config, key: [u8; 32], seed: [u8; 32]) -> Self {
        let domains = Domains::new(&config.domains, config.public_host.as_deref());
        Self {
            realms: Realms::new(&domains, &config, key),
            domains,
            random: Random::new(seed),
            waiting: ByNumber::default(),
            subscriptions: Subscriptions::default(),
            sources: Sources::new(config.require_auth),
            deliveries: Deliveries::default(),
            sending: ByNumber::default(),
            rendered: Rendered::default(),
            last_contact: None,
            next: 0,
            outputs: VecDeque::new(),
            config,
        }
    }

    /// Takes up the subscriptions of an earlier run. Their numbers go on above what was reserved, and a NOTIFY is sent only where
    /// what may be seen differs from what was told last.
    pub fn restore(&mut self, now: Now, watches: Vec<WatchRecord>) {
        for record in watches {
            self.restore_one(now, record);
        }
    }

    /// A request came. Each is answered once, except ACK.
    pub fn handle_request(&mut self, now: Now, id: R, request: Request, flow: &Flow) {
        if request.method == Method::Ack {
            return;
        }
        let job = Box::new(Job {
            id,
            request,
            flow: flow.clone(),
            from: None,
        });
        if self.waiting.len() >= self.config.bounds.waiting {
            return self.respond_stateless(&job, overloaded());
        }
        // CANCEL is the transaction layer's; one that comes here matches nothing (RFC 3261 §9.2).
        if job.request.method == Method::Cancel {
            return self.respond_stateless(&job, Reply::new(481));
        }
        if let Err(reply) = screening::check(&job.request, &job.flow) {
            return self.respond_stateless(&job, reply);
        }
        // A request that we made and somebody sent back: it would go round for ever.
        if job
            .request
            .headers
            .from_tag()
            .is_some_and(|tag| self.random.is_own(tag))
        {
            return self.respond_stateless(&job, Reply::new(482));
        }
        match job.request.method {
            Method::Options => self.options(&job),
            _ => self.authenticate(now, job),
        }
    }

    /// A response to a request of ours came; provisional ones are passed over.
    pub fn handle_response(&mut self, now: Now, key: u64, response: &Response) {
        if response.is_provisional() {
            return;
        }
        match self.sending.remove(&key) {
            Some(Sending::Notify(id, source)) => {
                self.notify_answered(now, id, key, response);
                self.source_answered(now, source);
            }
            Some(Sending::Message(delivery)) => {
                self.message_answered(delivery, key, response.is_success());
            }
            None => {}
        }
    }

    /// There will be no response to a request of ours.
    pub fn handle_failure(&mut self, now: Now, key: u64, why: Failure) {
        match self.sending.remove(&key) {
            Some(Sending::Notify(id, source)) => {
                self.notify_failed(now, id, key, why);
                self.source_failed(now, source, id);
            }
            Some(Sending::Message(delivery)) => self.message_answered(delivery, key, false),
            None => {}
        }
    }

    /// An action's answer came.
    pub fn handle_answer(&mut self, now: Now, token: Token, answer: Answer) {
        if let Some(waiting) = self.waiting.remove(&token) {
            self.go_on(now, waiting, answer);
        }
    }

    /// What a watch may see has changed.
    pub fn handle_view(&mut self, now: Now, watch: WatchId, decision: Decision, view: &Arc<View>) {
        self.seen(now, watch, decision, view);
    }

    /// A message for the phones of an account. `stored`: its number where it waits until a phone has taken it.
    pub fn handle_message(
        &mut self,
        now: Now,
        account: &Bare,
        bindings: &[Binding],
        message: &Message,
        stored: Option<u64>,
    ) {
        self.deliver(now, account, bindings, message, stored);
    }

    /// A connection is closed.
    pub fn handle_closed(&mut self, _now: Now, connection: u64) {
        self.subscriptions.closed(connection);
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output<R>> {
        self.outputs.pop_front()
    }

    /// When [`Bridge::handle_timeout`] is to be called at the latest.
    pub fn poll_timeout(&self) -> Option<Timestamp> {
        self.subscriptions.timeout()
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, now: Now) {
        while let Some(id) = self.subscriptions.due(now.at) {
            self.subscription_due(now, id);
        }
    }

    /// Subscriptions that are alive.
    pub fn subscription_count(&self) -> usize {
        self.subscriptions.len()
    }

    pub(crate) fn output(&mut self, output: Output<R>) {
        self.outputs.push_back(output);
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Asks for something; `waiting` goes on with the answer.
    pub(crate) fn ask(&mut self, action: Action, waiting: Waiting<R>) {
        let token = Token(self.number());
        self.waiting.insert(token, waiting);
        self.output(Output::Act(token, action));
    }

    /// Has something done that is not answered, or whose answer does not matter.
    pub(crate) fn act(&mut self, action: Action) {
        let token = Token(self.number());
        self.output(Output::Act(token, action));
    }

    pub(crate) fn respond(&mut self, job: &Job<R>, reply: Reply) {
        let tag = self.random.token();
        let response = reply.into_response(&job.request, &tag);
        self.output(Output::Respond(job.id, response));
    }

    pub(crate) fn respond_stateless(&mut self, job: &Job<R>, reply: Reply) {
        let tag = self.random.token();
        let response = reply.into_response(&job.request, &tag);
        self.output(Output::RespondStateless(job.id, response));
    }

    pub(crate) fn send(&mut self, sending: Sending, request: Request, to: NextHop) -> u64 {
        let key = self.number();
        self.sending.insert(key, sending);
        self.output(Output::Send { key, request, to });
        key
    }
}
