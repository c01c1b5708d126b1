//! Nodes of accounts.

use std::sync::Arc;

use model::Model;
use model::commit::Reply;
use model::pubsub::{NodeNotice, Outcome};
use presence::{Address, Bare, Refusal};
use services::pubsub::{Error, Request};
use xml::element::Template;
use xmpp::action::IqContext;
use xmpp::answer;
use xmpp::client::Service;

/// Does what a session wants of the nodes of `owner`. `answer` is given the stanza that answers it, once, possibly after the disk was
/// waited for.
pub fn act(
    model: &Arc<Model>,
    service: &Arc<Service>,
    iq: IqContext,
    owner: &Bare,
    request: Request,
    answer: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    let (asker, service) = (iq.from.clone(), Arc::clone(service));
    let reply = Reply::new(move |result: Result<Outcome, Refusal>| {
        let mut out = Vec::new();
        match &result {
            Ok(Ok(done)) => answer::pubsub::answer(&mut out, &iq, done, &service),
            Ok(Err(error)) => answer::pubsub::refused(&mut out, &iq, *error),
            Err(refusal) => answer::refused(&mut out, &iq, refusal),
        }
        answer(out);
    });
    model.pubsub(&asker, owner, request, &reply);
}

/// Does what the owner says by a message about who may subscribe. `answer` is given the stanza that says that it was refused, if it was,
/// once, possibly after the disk was waited for.
pub fn authorize(
    model: &Arc<Model>,
    owner: &Address,
    id: Option<Arc<str>>,
    request: Request,
    answer: impl FnOnce(Option<Vec<u8>>) + Send + 'static,
) {
    let to = owner.clone();
    let reply = Reply::new(move |result: Result<Outcome, Refusal>| {
        let error = match result {
            Ok(Ok(_)) => return answer(None),
            Ok(Err(error)) => error,
            Err(refusal) => {
                tracing::warn!(%refusal, account = %to.bare, "an answer was not taken");
                Error::Unavailable
            }
        };
        let mut out = Vec::new();
        answer::pubsub::message_refused(&mut out, &to, id.as_deref(), error);
        answer(Some(out));
    });
    model.pubsub(owner, &owner.bare, request, &reply);
}

/// Prints a notification for one recipient.
pub fn print(out: &mut Vec<u8>, to: &Address, notice: &NodeNotice) {
    let printed = notice
        .printed
        .get_or_init(|| Box::new(notice.notification.print()));
    if let Some(Some(template)) = printed.downcast_ref::<Option<Template>>() {
        template.write(out, &to.to_string());
    }
}
