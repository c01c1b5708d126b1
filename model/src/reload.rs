//! Memory brought back to what the disk says, after the writer has failed.

use std::cell::OnceCell;
use std::sync::Arc;

use presence::{Bare, Decision, Roster, Source};
use store::AccountRecord;

use crate::entity::{Slot, Watch};
use crate::route::Notice;
use crate::shards::Model;
use crate::timers::Ending;

impl Model {
    /// A unit of this account is done. When one has failed and no other is under way, what memory says beyond the disk is taken
    /// back, and all who were told of it are told again.
    pub(crate) fn committed(self: &Arc<Self>, account: &Bare, born: u64, stored: bool) {
        let unsettled = self.with_slot(account, |slot| {
            let entity = slot.entity.as_mut().filter(|e| e.born == born)?;
            entity.pending_commits = entity.pending_commits.saturating_sub(1);
            entity.stale |= !stored;
            if !(entity.stale || entity.recount) || entity.pending_commits > 0 {
                return None;
            }
            let record = self.store.load(account).ok().flatten()?;
            (entity.offline, entity.offline_bytes) = (record.offline, record.offline_bytes);
            entity.recount = false;
            if !std::mem::take(&mut entity.stale) {
                return None;
            }
            let shown: Vec<Bare> = record.roster.subscribers().cloned().collect();
            let mut seen = std::mem::take(&mut entity.unsettled);
            seen.extend(differently_seen(&entity.roster, &record.roster));
            entity.unsettled.clone_from(&seen);
            self.reload(slot, record);
            Some((seen, shown))
        });
        let (seen, shown) = unsettled.unwrap_or_default();
        for contact in seen {
            self.reconcile(account, &contact);
        }
        // Who was shut out too early is let in again.
        for contact in shown {
            self.reconcile(&contact, account);
        }
    }

    fn reload(&self, slot: &mut Slot, record: AccountRecord) {
        let now = self.now();
        let (same_domain, phones) = (self.rules.same_domain_allow, self.phones());
        let Some(entity) = &mut slot.entity else {
            return;
        };
        let account = entity.account.clone();
        entity.nodes = None;
        entity.photo = OnceCell::new();
        (entity.disabled, entity.doomed) = (record.disabled, false);
        entity.roster = record.roster;
        entity.archive = record.archive;
        entity.archive_read = record.archive_read;
        entity.grants = record.grants.into_iter().collect();
        entity.adopt_blocks(Arc::new(record.blocked));
        entity.inbox = self.applied(record.inbox).into_iter().collect();
        let watches: Vec<Watch> = record
            .watches
            .into_iter()
            .map(|record| {
                let old = entity.watches.iter().find(|w| w.record.id == record.id);
                let told = old.map_or(Decision::Pending, |w| w.told);
                Watch::new(record.clone(), now.deadline(record.expires), told)
            })
            .collect();
        entity.watches = watches;
        self.schedule(entity);
        let gone: Vec<_> = entity
            .published
            .iter()
            .map(|p| &p.publication)
            .filter(|p| matches!(p.source, Source::Sip { .. } | Source::Manual))
            .filter(|p| !record.publications.iter().any(|r| r.resource == p.resource))
            .map(|p| p.resource.clone())
            .collect();
        let unbound: Vec<_> = entity
            .bindings
            .iter()
            .map(|b| Arc::clone(&b.binding.contact))
            .filter(|c| !record.bindings.iter().any(|b| b.contact == *c))
            .collect();
        for resource in gone {
            slot.close(&resource, same_domain, phones);
        }
        for contact in unbound {
            self.unbind(slot, &contact);
        }
        for publication in record.publications {
            let Some(entity) = &mut slot.entity else {
                return;
            };
            let old = entity.find(&publication.resource);
            if old.is_some_and(|i| *entity.published[i].publication == publication) {
                continue;
            }
            let deadline = publication.expires.map(|e| now.deadline(e));
            if let Some(at) = deadline {
                let ending = Ending::Publication(publication.resource.clone());
                self.timers.lock().push(at, &account, ending);
            }
            let publication = Arc::new(publication);
            entity.put(Arc::clone(&publication), deadline);
            let notice = Notice::available(&account, &publication);
            slot.broadcast(&notice, same_domain, phones);
        }
        for binding in record.bindings {
            self.bind(slot, binding, now);
        }
        if let Some(entity) = &mut slot.entity {
            for index in 0..entity.watches.len() {
                entity.tell_watch(index, same_domain, phones);
            }
        }
    }
}

/// The contacts whose presence the owner of one of the two lists gets, and that of the other does not.
fn differently_seen(old: &Roster, new: &Roster) -> Vec<Bare> {
    let seen = |of: &Roster, contact: &Bare| of.get(contact).is_some_and(|i| i.subscription.to());
    let lost = old.subscriptions().filter(|c| !seen(new, c));
    let won = new.subscriptions().filter(|c| !seen(old, c));
    lost.chain(won).cloned().collect()
}
