//! Whom an account does not want to hear from, and who is not to hear of it (XEP-0191).
//!
//! A block stands in two places. The entity's list decides what may come in and who may see; each of its sessions points to it
//! (`Connected::hears`), because presence comes to a session under the lock of the account that it is of. Who is blocked is shut out with
//! the command; all else that follows, the pushes and what the owner's own clients see, waits for the commit.

use std::sync::Arc;

use presence::{Address, Bare, BlockList, Refusal, Report};
use store::Op;

use crate::commit::Reply;
use crate::entity::{Entity, Slot};
use crate::route::{BlockChange, Event, Notice, SessionId};
use crate::shards::Model;
use crate::watching::Connected;

impl Model {
    /// The list; the session gets pushes from now on (XEP-0191 §3.2). Answered when what it shows is on disk.
    pub fn blocklist(
        self: &Arc<Self>,
        account: &Bare,
        session: SessionId,
        reply: &Reply<Arc<BlockList>>,
    ) {
        let outcome = self.with_entity(account, |entity| {
            let own = entity.session(session).ok_or(Refusal::NotFound)?;
            own.told_of_blocks = true;
            // Answered under the lock: a push for a later change must not come before.
            if entity.pending_commits == 0 {
                reply.send(Ok(Arc::clone(&entity.blocked)));
                return Ok(());
            }
            let (account, later) = (account.clone(), reply.clone());
            self.after_commits(entity, move |model| {
                let answered = model.with_entity(&account, |entity| {
                    later.send(Ok(Arc::clone(&entity.blocked)));
                    Ok(())
                });
                if let Err(refusal) = answered {
                    later.send(Err(refusal));
                }
            })
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// Blocks these addresses (XEP-0191 §3.3), and keeps what is reported of them (XEP-0377). Who is blocked sees the account go at
    /// once. Answered after the commit.
    pub fn block(
        self: &Arc<Self>,
        account: &Bare,
        patterns: Vec<Address>,
        reports: Vec<Report>,
        reply: &Reply<()>,
    ) {
        let outcome = self.with(account, |slot| {
            let entity = slot.entity.as_mut().ok_or(Refusal::NotFound)?;
            let mut list = (*entity.blocked).clone();
            let mut ops = Vec::new();
            for address in &patterns {
                if list.insert(address.clone()) {
                    ops.push(Op::BlockPut {
                        account: account.clone(),
                        address: address.clone(),
                    });
                }
            }
            if list.len() > self.rules.blocked_addresses {
                return Err(Refusal::Limit("blocked_addresses"));
            }
            ops.extend(reports.into_iter().map(|report| Op::ReportPut {
                account: account.clone(),
                report: Box::new(report),
                most: self.rules.reports,
            }));
            let changed: BlockList = patterns.iter().cloned().collect();
            let (of, answer) = (account.clone(), reply.clone());
            let follow = Arc::new(changed.clone());
            let settling = Arc::clone(&follow);
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    model.tell_blocks(&of, &BlockChange::Blocked(&patterns));
                    model.end_watches(&of, |presentity| follow.touches(&of, presentity));
                    model.blocks_changed(&of, &follow);
                }
                model.blocks_settled(&of, &follow);
                answer.send(stored);
            })?;
            for session in &entity.sessions {
                session.settle_blocks(&settling);
            }
            entity.adopt_blocks(Arc::new(list));
            Ok(slot.shut_out_blocked(account, &changed))
        });
        match outcome {
            Ok(taken_back) => {
                for (to, notice) in taken_back {
                    self.present(&to, &notice, &[]);
                }
            }
            Err(refusal) => reply.send(Err(refusal)),
        }
    }

    /// Blocks these addresses no longer, or none at all when there are none (XEP-0191 §3.4, §3.5). Who may see is shown what there is.
    /// Answered after the commit.
    pub fn unblock(self: &Arc<Self>, account: &Bare, patterns: Vec<Address>, reply: &Reply<()>) {
        let outcome = self.with_entity(account, |entity| {
            let all = patterns.is_empty();
            let mut list = (*entity.blocked).clone();
            let mut changed = BlockList::default();
            if all {
                std::mem::swap(&mut list, &mut changed);
            } else {
                let gone = patterns.iter().filter(|p| list.remove(p)).cloned();
                changed = gone.collect();
            }
            let ops = changed.iter().map(|address| Op::BlockRemove {
                account: account.clone(),
                address: address.clone(),
            });
            let ops = ops.collect();
            let (of, answer) = (account.clone(), reply.clone());
            self.submit(entity, ops, move |model, stored| {
                if stored.is_ok() {
                    let told = if all {
                        BlockChange::AllUnblocked
                    } else {
                        BlockChange::Unblocked(&patterns)
                    };
                    model.tell_blocks(&of, &told);
                    model.blocks_changed(&of, &changed);
                }
                answer.send(stored);
            })?;
            entity.adopt_blocks(Arc::new(list));
            Ok(())
        });
        if let Err(refusal) = outcome {
            reply.send(Err(refusal));
        }
    }

    /// May `from` send something to `to`? [`Refusal::Blocked`] when he blocks the recipient himself, [`Refusal::Unavailable`] when the
    /// recipient blocks him, which he is not to know. Whether either exists is another matter.
    pub fn may_send(&self, from: &Address, to: &Address) -> Result<(), Refusal> {
        if from.bare == to.bare {
            return Ok(());
        }
        self.may_address(from, to)?;
        let hears = self.with_entity(&to.bare, |entity| Ok(!entity.blocks(from)));
        match hears {
            Ok(false) => Err(Refusal::Unavailable),
            _ => Ok(()),
        }
    }

    /// The first half of [`Model::may_send`]: does the sender block him?
    pub(crate) fn may_address(&self, from: &Address, to: &Address) -> Result<(), Refusal> {
        if from.bare == to.bare || !self.is_local(&from.bare) {
            return Ok(());
        }
        match self.with_entity(&from.bare, |entity| Ok(entity.blocks(to))) {
            Ok(true) => Err(Refusal::Blocked),
            _ => Ok(()),
        }
    }

    fn tell_blocks(&self, account: &Bare, change: &BlockChange<'_>) {
        self.with_slot(account, |slot| {
            let Some(entity) = &slot.entity else { return };
            for session in entity.sessions.iter().filter(|s| s.told_of_blocks) {
                session.route.deliver(&Event::Blocks(*change));
            }
        });
    }

    fn blocks_settled(&self, account: &Bare, changed: &Arc<BlockList>) {
        self.with_slot(account, |slot| {
            for session in slot.entity.iter().flat_map(|e| &e.sessions) {
                session.blocks_settled(changed);
            }
        });
    }

    /// These patterns were blocked or are not any more: all who saw, or were seen, are brought into line.
    pub(crate) fn blocks_changed(self: &Arc<Self>, account: &Bare, changed: &BlockList) {
        if changed.is_empty() {
            return;
        }
        let (same_domain, phones) = (self.rules.same_domain_allow, self.phones());
        let (shown, seen, sessions) = self.with_slot(account, |slot| {
            let Some(entity) = &mut slot.entity else {
                return (Vec::new(), Vec::new(), Vec::new());
            };
            let watched = |w: &Bare| changed.touches(account, w);
            entity.tell_watches_of(watched, same_domain, phones);
            let touched = |c: &&Bare| changed.touches(account, c);
            let shown = entity.roster.subscribers().filter(touched).cloned();
            let fellows: Vec<Bare> = entity.fellows();
            let seen = entity.roster.subscriptions().chain(&fellows);
            let seen = seen.filter(touched).cloned();
            let sessions = entity.sessions.iter().filter(|s| s.available.is_some());
            let sessions = sessions.map(|s| Arc::clone(&s.connected));
            (
                shown.collect::<Vec<_>>(),
                seen.collect::<Vec<_>>(),
                sessions.collect::<Vec<_>>(),
            )
        });
        // Who is let in again, where the roster or a group lets him.
        self.with_slot(account, |slot| {
            for session in slot.fellow_sessions(|s| changed.blocks(account, &s.full())) {
                slot.show_to_fellow(&session, &session.to);
            }
        });
        for contact in shown {
            self.reconcile(&contact, account);
        }
        for contact in seen {
            self.with_slot(&contact, |slot| {
                for session in &sessions {
                    slot.present_changed(session, changed);
                }
            });
        }
    }
}

impl Entity {
    /// Does it block that address? One without a resource: the whole account?
    pub(crate) fn blocks(&self, other: &Address) -> bool {
        self.blocked.blocks(&self.account, other)
    }

    /// Does it block that whole account?
    pub(crate) fn blocks_all_of(&self, other: &Bare) -> bool {
        !self.blocked.is_empty() && self.blocks(&other.clone().into())
    }

    /// From now on this is the list, for its sessions too.
    pub(crate) fn adopt_blocks(&mut self, list: Arc<BlockList>) {
        for session in &self.sessions {
            session.connected.block(Arc::clone(&list));
        }
        self.blocked = list;
    }

    /// Directed presence to those who are blocked is taken back.
    fn take_back(&mut self, changed: &BlockList) -> Vec<(Address, Arc<Notice>)> {
        let account = &self.account;
        let mut taken_back = Vec::new();
        for session in &mut self.sessions {
            let from = account.with(session.connected.resource.clone());
            let blocked = |to: &mut Address| match &to.resource {
                Some(_) => changed.blocks(account, to),
                None => changed.touches(account, &to.bare),
            };
            for to in session.directed.extract_if(.., blocked) {
                let notice = Notice::unavailable(from.clone(), None, None);
                taken_back.push((to, notice));
            }
        }
        taken_back
    }
}

impl Slot {
    /// Takes sessions that are blocked now from those who are told, and tells them that all is unavailable. Returns the directed presence
    /// that is to be taken back.
    fn shut_out_blocked(
        &mut self,
        account: &Bare,
        changed: &BlockList,
    ) -> Vec<(Address, Arc<Notice>)> {
        let blocked = |w: &Connected| changed.blocks(account, &w.full());
        let mut gone = self.watchers.remove_where(blocked);
        let others = self.fellow_sessions(blocked);
        for other in others {
            if !gone.iter().any(|g| Arc::ptr_eq(g, &other)) {
                gone.push(other);
            }
        }
        for gone in gone {
            self.present_to(&gone, &gone.to, None, false);
        }
        let entity = self.entity.as_mut();
        entity.map_or_else(Vec::new, |entity| entity.take_back(changed))
    }

    /// Shows a session that is told of this account those resources that one of the patterns is about: as they are, or as gone when
    /// its owner does not hear of them. What is true is found out under the lock of this account: so the last to come says it.
    fn present_changed(&self, session: &Arc<Connected>, changed: &BlockList) {
        let Some(entity) = &self.entity else { return };
        let owner = &session.to.bare;
        let told = self.watchers.holds(session) || entity.is_fellow(owner);
        if !told || !entity.shows_to(&session.full()) {
            return;
        }
        for published in &entity.published {
            let publication = &published.publication;
            let from = entity.account.with(publication.resource.clone());
            if !changed.blocks(owner, &from) {
                continue;
            }
            let notice = if session.hears(&from) {
                Notice::available(&entity.account, publication)
            } else {
                Notice::unavailable(from, None, None)
            };
            session.route.deliver(&Event::Presence {
                to: &session.to,
                notice: &notice,
            });
        }
    }
}
