//! Ad-hoc commands and service discovery, for a session.

use std::sync::Arc;

use presence::Bare;
use xmpp::adhoc::{self, Outcome, Request};
use xmpp::discovery::Discover;

use super::Connection;
use crate::server::admin;
use crate::server::turn::turn;
use crate::wiring::commands;

impl Connection {
    pub(super) fn act_command(&mut self, account: &Bare, request: Request) {
        let shared = Arc::clone(&self.shared);
        let mut out = Vec::new();
        let order = commands::command(
            &shared.model,
            &mut shared.commands.lock(),
            shared.now().at,
            account,
            request,
            &mut out,
        );
        self.link.append(|to| to.extend_from_slice(&out));
        let Some((execution, order)) = order else {
            return;
        };
        tracing::info!(by = %account, order = order.kind(), "a command is executed");
        let asker = account.clone();
        let (link, in_order) = (Arc::clone(&self.link), self.in_order());
        // Keys may be derived, and the disk is waited for: beside the threads that serve connections, and few at once.
        tokio::spawn(async move {
            let Ok(permit) = Arc::clone(&shared.chores).acquire_owned().await else {
                return;
            };
            let work = move || {
                let _permit = permit;
                let outcome = turn(|| {
                    let (status, forget) = (|| shared.status(), |a: &Bare| shared.forget(a));
                    admin::perform(&shared.executor(&status, &forget), &asker, order)
                });
                if let Outcome::Failed(why) = &outcome {
                    tracing::info!(%why, "it was not done");
                }
                turn(|| {
                    link.append(|out| adhoc::finished(out, &execution, &outcome));
                    drop(in_order);
                });
            };
            let _ = tokio::task::spawn_blocking(work).await;
        });
    }

    pub(super) fn act_discover(&self, account: &Bare, asked: &Discover) {
        let shared = &self.shared;
        let services = shared.services();
        let mut out = Vec::new();
        let known = shared.commands.lock();
        commands::discover(&shared.model, &known, account, asked, &services, &mut out);
        drop(known);
        self.link.append(|to| to.extend_from_slice(&out));
    }
}
