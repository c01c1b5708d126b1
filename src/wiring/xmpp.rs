//! XMPP sessions and the model.

use model::entity::Said;
use model::sessions::Presented;
use model::{BlockChange, Event, Notice, RosterChange};
use presence::{Basic, Native};
use xmpp::action::Presented as Shows;
use xmpp::print::{self, Delayed, PresenceParts, Push, Shown};

/// Prints an event as the stanza that it is to a session; nothing for one that is none. `id` makes the identifier of a request.
pub fn print(out: &mut Vec<u8>, event: &Event<'_>, id: impl FnOnce() -> String) {
    match event {
        Event::Presence { to, notice } => {
            let printed = notice.printed.get_or_init(|| Box::new(parts(notice)));
            let Some(parts) = printed.downcast_ref::<PresenceParts>() else {
                return;
            };
            match &to.resource {
                None => parts.write(out, to.bare.as_str()),
                Some(_) => parts.write(out, &to.to_string()),
            }
        }
        Event::Subscription {
            kind,
            from,
            to,
            content,
        } => print::subscription(out, *kind, from, to, content),
        Event::RosterPush { version, change } => {
            let change = match change {
                RosterChange::Put(item) => Push::Put(item),
                RosterChange::Removed(contact) => Push::Removed(contact),
            };
            print::roster_push(out, &id(), *version, change);
        }
        Event::Blocks(change) => {
            let push = match change {
                BlockChange::Blocked(addresses) => print::BlockPush::Blocked(addresses),
                BlockChange::Unblocked(addresses) => print::BlockPush::Unblocked(addresses),
                BlockChange::AllUnblocked => print::BlockPush::Unblocked(&[]),
            };
            print::block_push(out, &id(), push);
        }
        Event::Message {
            message, delayed, ..
        } => {
            let by = message.to.bare.domain_bare();
            let delayed = delayed.then_some(Delayed {
                stamp: message.received,
                by: &by,
            });
            print::message(out, message, None, delayed);
        }
        Event::Copy {
            to,
            message,
            sent,
            archived,
            ..
        } => print::carbon(out, to, message, *sent, *archived),
        Event::Probe { from, to } => print::probe(out, from, to),
        Event::Announcement { to, text } => print::announcement(out, to, text),
        Event::Node { to, notice } => super::pubsub::print(out, to, notice),
        Event::Stanza { stanza } => out.extend_from_slice(stanza),
        _ => {}
    }
}

/// One presence as a stanza that lacks only its recipient.
fn parts(notice: &Notice) -> PresenceParts {
    let (id, from) = (notice.id.as_deref(), &notice.from);
    if !notice.available {
        let content = notice.parting.as_deref().unwrap_or_default();
        let lang = notice.parting_lang.as_deref();
        return PresenceParts::new(from, Shown::Unavailable, id, lang, content);
    }
    let Some(publication) = &notice.publication else {
        return PresenceParts::new(from, Shown::Available, None, None, &[]);
    };
    let lang = publication.lang.as_deref();
    match &publication.native {
        Native::Xmpp(content) => PresenceParts::new(from, Shown::Available, id, lang, content),
        Native::Pidf(_) | Native::None => {
            let content = documents::stanza::presence_content(publication);
            let shown = match publication.document.basic {
                Basic::Open => Shown::Available,
                Basic::Closed => Shown::Unavailable,
            };
            PresenceParts::new(from, shown, None, lang, &content)
        }
    }
}

/// What a session shows of itself, for the model.
pub fn presented(shows: Shows) -> Presented {
    Presented {
        document: shows.document,
        content: shows.content,
        lang: shows.lang,
        id: shows.id,
    }
}

/// What a session says when it goes, for the model.
pub fn said(shows: Shows) -> Said {
    let status = shows.document.notes.into_iter().next();
    Said {
        content: shows.content,
        lang: shows.lang,
        id: shows.id,
        status: status.map(|note| note.text),
    }
}
