//! Watches that outlive their connection: SIP subscriptions (RFC 6665, RFC 3856).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use presence::decision::Reason;
use presence::{Bare, Decision, Refusal, View, WatchId, WatchRecord};
use store::Op;

use crate::commit::Reply;
use crate::entity::Watch;
use crate::route::Event;
use crate::shards::Model;
use crate::timers::Ending;

/// What a watcher may see at the moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Whether he may.
    pub decision: Decision,
    /// What there is; to be shown only when he may.
    pub view: Arc<View>,
}

impl Model {
    /// Begins a watch. A watcher about whom nothing is decided is put before the owner as one who asks to subscribe, once.
    /// Answered after the commit with what may be seen; later changes come as [`Event::View`].
    pub fn watch(self: &Arc<Self>, record: WatchRecord, reply: &Reply<Seen>) {
        if let Err(refusal) = self.watch_planned(record, reply) {
            reply.send(Err(refusal));
        }
    }

    fn watch_planned(
        self: &Arc<Self>,
        record: WatchRecord,
        reply: &Reply<Seen>,
    ) -> Result<(), Refusal> {
        let now = self.now();
        let (account, watcher) = (record.presentity.clone(), record.watcher.clone());
        self.may_address(&watcher.clone().into(), &account.clone().into())?;
        self.with_entity(&account, |entity| {
            let most = self.rules.subscriptions_per_account;
            if entity.watches.len() >= most {
                return Err(Refusal::Limit("subscriptions_per_account"));
            }
            let decision = entity.decide(&watcher, self.rules.same_domain_allow).0;
            let asks =
                decision == Decision::Pending && !entity.roster.pending_in.contains_key(&watcher);
            let mut ops = vec![Op::WatchPut(record.clone())];
            if asks {
                let most = self.rules.pending_requests;
                if entity.roster.pending_in.len() >= most {
                    return Err(Refusal::Limit("pending_requests"));
                }
                let (account, contact) = (account.clone(), watcher.clone());
                ops.push(Op::PendingInPut {
                    account,
                    contact,
                    stanza: Bytes::new(),
                });
            }
            let (answer, of, by, id) = (reply.clone(), account.clone(), watcher.clone(), record.id);
            self.submit(entity, ops, move |model, stored| {
                if let Err(refusal) = stored {
                    answer.send(Err(refusal));
                    return;
                }
                if asks {
                    model.ask(&of, &by);
                }
                answer.send(model.seen(&of, &by, id));
            })?;
            if asks {
                entity
                    .roster
                    .pending_in
                    .insert(watcher.clone(), Bytes::new());
            }
            let deadline = now.deadline(record.expires);
            self.timers
                .lock()
                .push(deadline, &account, Ending::Watch(record.id));
            entity.watches.push(Watch::new(record, deadline, decision));
            Ok(())
        })
    }

    /// Puts a watcher's request before the owner's clients.
    fn ask(&self, account: &Bare, watcher: &Bare) {
        self.with_slot(account, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in entity.sessions.iter().filter(|s| s.available.is_some()) {
                session.route.deliver(&Event::Subscription {
                    kind: presence::subscription::Kind::Subscribe,
                    from: watcher,
                    to: account,
                    content: &Bytes::new(),
                });
            }
        });
    }

    fn seen(&self, account: &Bare, watcher: &Bare, id: WatchId) -> Result<Seen, Refusal> {
        self.with_entity(account, |entity| {
            let decision = entity.decide(watcher, self.rules.same_domain_allow).0;
            if let Some(watch) = entity.watches.iter_mut().find(|w| w.record.id == id) {
                (watch.told, watch.missed) = (decision, false);
            }
            Ok(Seen {
                decision,
                view: entity.view(),
            })
        })
    }

    /// Looks once, without a watch (a fetch, RFC 6665 §4.4.3; RFC 3856 §6.4).
    pub fn look(&self, watcher: &Bare, presentity: &Bare) -> Result<(Seen, Reason), Refusal> {
        self.may_address(&watcher.clone().into(), &presentity.clone().into())?;
        self.with_entity(presentity, |entity| {
            let (decision, reason) = entity.decide(watcher, self.rules.same_domain_allow);
            Ok((
                Seen {
                    decision,
                    view: entity.view(),
                },
                reason,
            ))
        })
    }

    /// Refreshes a watch: a new end, a new form of its dialog. Answered after the commit.
    pub fn rewatch(
        self: &Arc<Self>,
        presentity: &Bare,
        id: WatchId,
        expires: Duration,
        dialog: Bytes,
        reply: &Reply<Seen>,
    ) {
        let now = self.now();
        let outcome = self.with_entity(presentity, |entity| {
            let index = entity
                .watches
                .iter()
                .position(|w| w.record.id == id)
                .ok_or(Refusal::NotFound)?;
            self.told_in_order()?;
            let mut record = entity.watches[index].record.clone();
            record.expires = now.expires(expires);
            record.dialog = dialog;
            let (answer, of, by) = (reply.clone(), presentity.clone(), record.watcher.clone());
            let ops = vec![Op::WatchPut(record.clone())];
            self.submit(entity, ops, move |model, stored| {
                answer.send(stored.and_then(|()| model.seen(&of, &by, id)));
            })?;
            let deadline = now.deadline(record.expires);
            self.timers
                .lock()
                .push(deadline, presentity, Ending::Watch(id));
            let watch = &mut entity.watches[index];
            watch.record = record;
            watch.deadline = deadline;
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Keeps the form of a watch's dialog. With a reply it is the whole (a block of CSeq numbers), answered after the commit. Without one
    /// it is its beginning (what was told last), which takes the place of as many octets on the disk. A crash a moment later may take it,
    /// a full queue only delays it; it is never there without the presence that was told.
    pub fn remember(
        self: &Arc<Self>,
        presentity: &Bare,
        id: WatchId,
        dialog: Bytes,
        reply: Option<&Reply<()>>,
    ) {
        let Some(reply) = reply else {
            // Nobody reads the form in memory before the next whole one. This comes with every NOTIFY: it does not lock the account.
            return self.keep_told(id, dialog);
        };
        let outcome = self.with_entity(presentity, |entity| {
            let watch = entity
                .watches
                .iter_mut()
                .find(|w| w.record.id == id)
                .ok_or(Refusal::NotFound)?;
            self.told_in_order()?;
            watch.record.dialog = dialog;
            let ops = vec![Op::WatchPut(watch.record.clone())];
            let answer = reply.clone();
            self.submit(entity, ops, move |_, stored| answer.send(stored))
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// A whole dialog says what was told, too: it must not pass what still waits for room in the queue.
    fn told_in_order(&self) -> Result<(), Refusal> {
        if self.write_late() {
            Ok(())
        } else {
            Err(Refusal::Overloaded)
        }
    }

    /// Ends a watch. The right to watch is not touched.
    pub fn unwatch(self: &Arc<Self>, presentity: &Bare, id: WatchId, reply: &Reply<Seen>) {
        let outcome = self.with_entity(presentity, |entity| {
            let index = entity
                .watches
                .iter()
                .position(|w| w.record.id == id)
                .ok_or(Refusal::NotFound)?;
            let watcher = entity.watches[index].record.watcher.clone();
            let (answer, of) = (reply.clone(), presentity.clone());
            self.submit(
                entity,
                vec![Op::WatchRemove { id }],
                move |model, stored| {
                    answer.send(
                        stored.and_then(|()| model.look(&watcher, &of).map(|(seen, _)| seen)),
                    );
                },
            )?;
            entity.watches.remove(index);
            self.timers.lock().forget(presentity, Ending::Watch(id));
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }
}
