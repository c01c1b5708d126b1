//! The bridge and the model.

use std::sync::Arc;

use bridge::action::Register;
use bridge::{Action, Answer, Bridge, Sent, Token};
use model::commit::Reply;
use model::publish::{Body, Granted, Publish};
use model::watches::Seen;
use model::{Event, Model, bindings, messages};
use presence::{
    Bare, Binding, Decision, Handling, Message, Refusal, View, WatchId, mapping, sip_address,
};

use crate::server::aliases;

/// What the model has for the bridge. The model never calls it: this is left somewhere, and handed on when no lock of an account is held.
pub enum Inbound {
    /// An action is done.
    Answer(Token, Answer),
    /// What a watcher may see has changed.
    View {
        /// The watch.
        watch: WatchId,
        /// Whether he may see it.
        decision: Decision,
        /// What there is to see.
        view: Arc<View>,
    },
    /// A message for the phones of an account.
    Message {
        /// The account.
        account: Bare,
        /// Its registrations.
        bindings: Vec<Binding>,
        /// The message.
        message: Box<Message>,
        /// Its number where it waits until a phone has taken it.
        stored: Option<u64>,
    },
}

impl Inbound {
    /// What an event is to the bridge; `None` for those that are not for phones.
    pub fn of(event: &Event<'_>) -> Option<Self> {
        match event {
            Event::View {
                watch,
                decision,
                view,
            } => Some(Self::View {
                watch: *watch,
                decision: *decision,
                view: Arc::clone(view),
            }),
            Event::PhoneMessage {
                account,
                bindings,
                message,
                stored,
            } => Some(Self::Message {
                account: (*account).clone(),
                bindings: bindings.to_vec(),
                message: Box::new((*message).clone()),
                stored: *stored,
            }),
            _ => None,
        }
    }

    /// Gives it to the bridge.
    pub fn hand_to<R: Copy>(self, bridge: &mut Bridge<R>, now: bridge::Now) {
        match self {
            Self::Answer(token, answer) => bridge.handle_answer(now, token, answer),
            Self::View {
                watch,
                decision,
                view,
            } => bridge.handle_view(now, watch, decision, &view),
            Self::Message {
                account,
                bindings,
                message,
                stored,
            } => bridge.handle_message(now, &account, &bindings, &message, stored),
        }
    }
}

/// Where answers that come later are left.
pub trait Answers: Send + Sync + 'static {
    /// An action is done.
    fn answer(&self, token: Token, answer: Answer);
}

/// Does on the model what the bridge wants. What is known at once is returned, all else is left with `answers` when it is known. What is about logins
/// (`Credentials`, `Resolve`, `Failed`) is not the model's: nothing is done for that.
pub fn act<A: Answers>(
    model: &Arc<Model>,
    answers: &Arc<A>,
    token: Token,
    action: Action,
) -> Option<Answer> {
    match action {
        Action::Register { account, register } => {
            let register = match register {
                Register::Query => bindings::Register::Query,
                Register::Update(bindings) => bindings::Register::Update(bindings),
                Register::RemoveAll { call_id, cseq } => {
                    bindings::Register::RemoveAll { call_id, cseq }
                }
            };
            model.register(&account, register, &reply(answers, token, Answer::Bindings));
        }
        publish @ Action::Publish { .. } => self::publish(model, answers, token, publish),
        Action::Message { message, flow } => self::message(model, answers, token, *message, &flow),
        Action::Taken { account, stored } => model.taken(&account, stored),
        Action::NotTaken { account, stored } => model.not_taken(&account, stored),
        Action::Credentials { .. } | Action::Resolve { .. } | Action::Failed { .. } => {}
        watching => return watch(model, answers, token, watching),
    }
    None
}

fn watch<A: Answers>(
    model: &Arc<Model>,
    answers: &Arc<A>,
    token: Token,
    action: Action,
) -> Option<Answer> {
    match action {
        Action::Watch(record) => model.watch(record, &reply(answers, token, seen)),
        Action::Look {
            watcher,
            presentity,
        } => {
            let looked = model.look(&watcher, &presentity).map(|(seen, _)| seen);
            return Some(seen(looked));
        }
        Action::Rewatch {
            presentity,
            id,
            expires,
            dialog,
        } => {
            let reply = reply(answers, token, seen);
            model.rewatch(&presentity, id, expires, dialog, &reply);
        }
        Action::Keep {
            presentity,
            id,
            dialog,
            durable,
        } => {
            let reply = durable.then(|| reply(answers, token, Answer::Kept));
            model.remember(&presentity, id, dialog, reply.as_ref());
        }
        Action::Unwatch { presentity, id } => {
            model.unwatch(&presentity, id, &reply(answers, token, seen));
        }
        _ => {}
    }
    None
}

fn publish<A: Answers>(model: &Arc<Model>, answers: &Arc<A>, token: Token, action: Action) {
    let Action::Publish {
        account,
        tag,
        expires,
        body,
        flow,
        device,
    } = action
    else {
        return;
    };
    let device = model.device_at(&account, &flow, None).unwrap_or(device);
    let publish = Publish {
        tag,
        expires,
        body: body.map(|body| Body {
            document: body.document,
            native: body.native,
            lang: body.lang,
        }),
        resource: mapping::sip_resource(&device, &account),
        device,
    };
    let granted = |granted: Result<Granted, Refusal>| {
        Answer::Published(granted.map(|granted| (granted.etag, granted.expires)))
    };
    model.publish(&account, publish, &reply(answers, token, granted));
}

/// The sender is the phone at the other end of the flow, as his contacts see it; the clients that want copies of what he says get one.
fn message<A: Answers>(
    model: &Arc<Model>,
    answers: &Arc<A>,
    token: Token,
    mut message: Message,
    flow: &str,
) {
    let sender = message.from.bare.clone();
    if let Some(device) = model.device_at(&sender, flow, None) {
        message.from.resource = Some(mapping::sip_resource(&device, &sender));
    }
    let handling = Handling::TEXT;
    let answers = Arc::clone(answers);
    model.message(message, handling, move |_, result| {
        let sent = result.map(|sent| match sent {
            messages::Sent::Delivered => Sent::Delivered,
            messages::Sent::Stored => Sent::Stored,
            messages::Sent::Dropped => Sent::Dropped,
        });
        answers.answer(token, Answer::Sent(sent));
    });
}

fn reply<A: Answers, T: 'static>(
    answers: &Arc<A>,
    token: Token,
    answer: impl FnOnce(Result<T, Refusal>) -> Answer + Send + 'static,
) -> Reply<T> {
    let answers = Arc::clone(answers);
    Reply::new(move |result| answers.answer(token, answer(result)))
}

fn seen(result: Result<Seen, Refusal>) -> Answer {
    Answer::Seen(result.map(|seen| (seen.decision, seen.view)))
}

/// The account that a user name or address leads to: itself, or by an alias. A name without a domain is of `domain`.
pub fn resolve(model: &Model, user: &str, domain: &str) -> Option<Bare> {
    if user.starts_with("tel:") {
        return model.alias(&aliases::normal(domain, user)?);
    }
    let (local, host) = user.split_once('@').unwrap_or((user, domain));
    let direct = sip_address::from_sip(local, host).ok();
    if let Some(account) = direct.filter(|account| model.is_local(account))
        && model.exists(&account).unwrap_or(false)
    {
        return Some(account);
    }
    let alias = aliases::normal(domain, user)?;
    model
        .alias(&alias)
        .or_else(|| model.alias(&aliases::telephone(user)?))
}
