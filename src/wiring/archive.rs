//! Archives of messages.

use std::sync::Arc;

use model::Model;
use model::commit::Reply;
use presence::{ArchivePreferences, Bare, Refusal};
use xmpp::action::IqContext;
use xmpp::answer;
use xmpp::archive::{Request, Wanted};
use xmpp::print::{Condition, StanzaError};

/// Answers what is read from the disk: a page, or where an archive begins and ends. What was archived before is to be on the disk when
/// this is called. Gives the stanzas of the answer.
pub fn read(model: &Model, account: &Bare, request: &Request) -> Vec<Vec<u8>> {
    let iq = &request.iq;
    let one = |print: &dyn Fn(&mut Vec<u8>)| {
        let mut stanza = Vec::new();
        print(&mut stanza);
        vec![stanza]
    };
    let read = match &request.wanted {
        Wanted::Page(asked) => model
            .archive_page(account, &asked.query)
            .map(|page| answer::archive::page(iq, asked, &page)),
        Wanted::Ends => model
            .archive_ends(account)
            .map(|ends| one(&|out| answer::archive::ends(out, iq, ends))),
        Wanted::Preferences | Wanted::SetPreferences(_) => Ok(Vec::new()),
    };
    read.unwrap_or_else(|refusal| match refusal {
        Refusal::NotFound => {
            let error = StanzaError::from(Condition::ItemNotFound);
            one(&|out| answer::iq_error(out, iq, &error))
        }
        refusal => one(&|out| answer::refused(out, iq, &refusal)),
    })
}

/// Does what is about the account's wishes. `answer` is given the stanza that answers it, once, possibly after the disk was waited for.
pub fn wishes(
    model: &Arc<Model>,
    account: &Bare,
    request: Request,
    answer: impl FnOnce(Vec<u8>) + Send + 'static,
) {
    let iq = request.iq;
    match request.wanted {
        Wanted::Preferences => answer(printed(&iq, model.archive_preferences(account))),
        Wanted::SetPreferences(wants) => {
            let told = wants.clone();
            let reply = Reply::new(move |result: Result<(), Refusal>| {
                answer(printed(&iq, result.map(|()| told)));
            });
            model.set_archive_preferences(account, wants, &reply);
        }
        Wanted::Page(_) | Wanted::Ends => {}
    }
}

fn printed(iq: &IqContext, wants: Result<ArchivePreferences, Refusal>) -> Vec<u8> {
    let mut out = Vec::new();
    match wants {
        Ok(wants) => answer::archive::preferences(&mut out, iq, &wants),
        Err(refusal) => answer::refused(&mut out, iq, &refusal),
    }
    out
}
