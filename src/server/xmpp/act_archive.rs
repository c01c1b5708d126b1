//! Archives of messages: read by threads that may wait for the disk, one question of a session after the other.

use std::sync::Arc;

use model::Model;
use presence::Bare;
use tokio::runtime::Handle;
use xmpp::action::Reply;
use xmpp::answer;
use xmpp::archive::{Request, Wanted};

use super::{Connection, Inbound};
use crate::server::turn::turn;
use crate::wiring::archive;

impl Connection {
    /// Tells a session that was bound just now where the archive begins and ends: with all that it was not there for.
    pub(super) fn reads_archive(&mut self, account: Bare) {
        let now = self.now();
        let model = Arc::clone(&self.shared.model);
        if let Some((account, session)) = &self.bound
            && let Err(refusal) = model.reads_archive(account, *session)
        {
            tracing::debug!(%account, %refusal, "what is archived will be given all the same");
        }
        let read = move |model: &Model| Reply::ArchiveEnds(model.archive_ends(&account).ok());
        if model.store().queue_depth() == 0 {
            return self.session.handle_reply(now, read(&model));
        }
        let (link, inbox) = (Arc::clone(&self.link), Arc::clone(&self.inbox));
        let reader = Arc::clone(&model);
        let queued = model.settled(move || {
            inbox.leave(&link, Inbound::reply(read(&reader), None, None));
        });
        if queued.is_err() {
            self.session.handle_reply(now, Reply::ArchiveEnds(None));
        }
    }

    pub(super) fn act_archive(&mut self, account: &Bare, request: Request) {
        let (link, turn_of) = (Arc::clone(&self.link), self.in_order());
        let model = Arc::clone(&self.shared.model);
        if matches!(
            request.wanted,
            Wanted::Preferences | Wanted::SetPreferences(_)
        ) {
            archive::wishes(&model, account, request, move |octets| {
                link.append(|out| out.extend_from_slice(&octets));
                drop(turn_of);
            });
            return;
        }
        let (runtime, account) = (Handle::current(), account.clone());
        let refused = (Arc::clone(&link), request.iq.clone());
        let reader = Arc::clone(&model);
        // What this session said before is on its way to the archive.
        let queued = model.settled(move || {
            runtime.spawn_blocking(move || {
                let stanzas = archive::read(&reader, &account, &request);
                turn(|| {
                    for stanza in stanzas {
                        link.append(|out| out.extend_from_slice(&stanza));
                    }
                });
                // The next page is read when this one is on its way: however many were asked for at once, they do not pile up.
                turn_of.when_written();
            });
        });
        if let Err(refusal) = queued {
            let (link, iq) = refused;
            link.append(|out| answer::refused(out, &iq, &refusal));
        }
    }
}
