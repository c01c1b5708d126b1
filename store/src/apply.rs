//! One operation onto the tables.

use std::collections::HashMap;
use std::sync::Arc;

use presence::{ArchiveId, Bare};
use rusqlite::Connection;

use crate::indexing::Backlog;
use crate::tables::{
    accounts, aliases, archive_log, archive_preferences, archive_readers, bindings, blocks, grants,
    groups, inbox, last_known, last_seen, login_tokens, meta, nodes, offline, outbox, pending_in,
    private, publications, reports, roster, vcards, watches,
};
use crate::tail::Tail;
use crate::{NextIds, Op, StoreError};

/// So many accounts are remembered by number; one more and all are forgotten, which costs a look-up each.
const REMEMBERED: usize = 16_384;

/// What the writer remembers between operations.
pub(crate) struct Memory {
    numbers: HashMap<Bare, i64>,
    /// Numbers from which on none was used. It may run ahead of what is committed, never behind.
    pub(crate) free: NextIds,
    /// What is left to be done in archives.
    pub(crate) backlog: Backlog,
    /// The end of the log, for readers.
    pub(crate) tail: Arc<Tail>,
    /// What is written next.
    buffer: Vec<u8>,
}

impl Memory {
    pub(crate) fn new(free: NextIds, backlog: Backlog, tail: Tail) -> Self {
        Self {
            numbers: HashMap::new(),
            free,
            backlog,
            tail: Arc::new(tail),
            buffer: Vec::new(),
        }
    }

    /// Something that was done is undone: what was learnt of accounts since may be wrong.
    pub(crate) fn forget(&mut self) {
        self.numbers.clear();
    }

    fn number(&mut self, db: &Connection, account: &Bare) -> Result<i64, StoreError> {
        if let Some(number) = self.numbers.get(account) {
            return Ok(*number);
        }
        let number = accounts::id(db, account)?
            .ok_or_else(|| StoreError::AccountUnknown(account.clone()))?;
        if self.numbers.len() >= REMEMBERED {
            self.numbers.clear();
        }
        self.numbers.insert(account.clone(), number);
        Ok(number)
    }

    /// The number of an account where that is wanted and there is one, or else 0.
    fn number_or_none(
        &mut self,
        db: &Connection,
        wanted: bool,
        account: &Bare,
    ) -> Result<i64, StoreError> {
        if !wanted {
            return Ok(0);
        }
        match self.number(db, account) {
            Err(StoreError::AccountUnknown(_)) => Ok(0),
            number => number,
        }
    }
}

/// Changes what `op` says. On an error part of a compound operation may have been done.
pub(crate) fn apply(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    match op {
        Op::AccountCreate { .. }
        | Op::AccountPassword { .. }
        | Op::AccountScram { .. }
        | Op::AccountDisable { .. }
        | Op::AccountAdmin { .. }
        | Op::AccountDelete { .. } => apply_account(db, memory, op),
        Op::LoginTokenPut { .. } | Op::LoginTokenUsed { .. } | Op::LoginTokensRevoke { .. } => {
            apply_login(db, memory, op)
        }
        Op::AliasPut { alias, account } => aliases::put(db, alias, memory.number(db, account)?),
        Op::AliasRemove { alias } => aliases::remove(db, alias),
        Op::RosterPut {
            account,
            item,
            version,
        } => {
            let account = memory.number(db, account)?;
            roster::put(db, account, item)?;
            accounts::set_roster_version(db, account, *version)
        }
        Op::RosterRemove {
            account,
            contact,
            version,
        } => {
            let account = memory.number(db, account)?;
            roster::remove(db, account, contact)?;
            accounts::set_roster_version(db, account, *version)
        }
        Op::PendingInPut {
            account,
            contact,
            stanza,
        } => pending_in::put(db, memory.number(db, account)?, contact, stanza),
        Op::PendingInRemove { account, contact } => {
            pending_in::remove(db, memory.number(db, account)?, contact)
        }
        Op::GrantPut {
            account,
            watcher,
            grant,
        } => grants::put(db, memory.number(db, account)?, watcher, *grant),
        Op::GrantRemove { account, watcher } => {
            grants::remove(db, memory.number(db, account)?, watcher)
        }
        Op::OutboxPut {
            seq,
            origin,
            target,
            payload,
        } => {
            memory.free.outbox_seq = memory.free.outbox_seq.max(seq.saturating_add(1));
            outbox::put(db, *seq, origin, target, payload)
        }
        Op::OutboxRemove { seq } => outbox::remove(db, *seq),
        Op::InboxMark {
            target,
            origin,
            seq,
        } => inbox::mark(db, memory.number(db, target)?, origin, *seq),
        Op::GroupPut { name, everybody } => groups::put(db, name, *everybody),
        Op::GroupRemove { name } => groups::remove(db, name),
        Op::GroupJoin { name, account } => groups::join(db, name, memory.number(db, account)?),
        Op::GroupLeave { name, account } => groups::leave(db, name, memory.number(db, account)?),
        Op::BlockPut { account, address } => blocks::put(db, memory.number(db, account)?, address),
        Op::BlockRemove { account, address } => {
            blocks::remove(db, memory.number(db, account)?, address)
        }
        Op::ReportPut {
            account,
            report,
            most,
        } => reports::put(db, memory.number(db, account)?, report, *most),
        Op::NodePut { .. }
        | Op::NodeRemove { .. }
        | Op::ItemPut { .. }
        | Op::ItemRemove { .. }
        | Op::NodePurge { .. }
        | Op::Affiliation { .. }
        | Op::NodeSubscription { .. } => apply_node(db, memory, op),
        _ => apply_presence(db, memory, op),
    }
}

fn apply_account(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    match op {
        Op::AccountCreate {
            account,
            scram,
            sealed_ha1,
            admin,
            created,
        } => {
            if accounts::create(db, account, scram, sealed_ha1, *admin, *created)? {
                Ok(())
            } else {
                Err(StoreError::Conflict(account.clone()))
            }
        }
        Op::AccountPassword {
            account,
            scram,
            sealed_ha1,
        } => accounts::set_credentials(db, memory.number(db, account)?, scram, sealed_ha1),
        Op::AccountScram {
            account,
            was,
            scram,
        } => accounts::complete_scram(db, memory.number(db, account)?, was, scram),
        Op::AccountDisable { account, disabled } => {
            let account = memory.number(db, account)?;
            if *disabled {
                login_tokens::revoke_all(db, account)?;
            }
            accounts::set_disabled(db, account, *disabled)
        }
        Op::AccountAdmin { account, admin } => {
            accounts::set_admin(db, memory.number(db, account)?, *admin)
        }
        Op::AccountDelete { account } => {
            let number = memory.number(db, account)?;
            memory.numbers.remove(account);
            memory.backlog.gone = true;
            archive_log::leave(db, number, ArchiveId(memory.free.archive_id))?;
            accounts::delete(db, number)
        }
        _ => unreachable!("called with operations on accounts alone"),
    }
}

fn apply_login(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    let (account, done) = match op {
        Op::LoginTokenPut {
            account,
            token,
            most,
        } => {
            let number = memory.number(db, account)?;
            (account, login_tokens::put(db, number, token, *most)?)
        }
        Op::LoginTokenUsed {
            account,
            client,
            nonce,
            count,
        } => {
            let number = memory.number(db, account)?;
            let marked = login_tokens::mark(db, number, client, nonce, *count)?;
            (account, marked)
        }
        Op::LoginTokensRevoke {
            account,
            client,
            nonce,
            count,
        } => {
            let number = memory.number(db, account)?;
            let revoked = login_tokens::revoke(db, number, client, nonce, *count)?;
            (account, revoked)
        }
        _ => unreachable!("called with operations on login tokens alone"),
    };
    if done {
        Ok(())
    } else {
        Err(StoreError::Conflict(account.clone()))
    }
}

fn apply_node(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    match op {
        Op::NodePut {
            account,
            node,
            config,
            lifetime,
        } => nodes::put(db, memory.number(db, account)?, node, config, *lifetime),
        Op::NodeRemove { account, node } => nodes::remove(db, memory.number(db, account)?, node),
        Op::ItemPut {
            account,
            node,
            item,
        } => nodes::put_item(db, memory.number(db, account)?, node, item),
        Op::ItemRemove { account, node, seq } => {
            nodes::remove_item(db, memory.number(db, account)?, node, *seq)
        }
        Op::NodePurge { account, node } => nodes::purge(db, memory.number(db, account)?, node),
        Op::Affiliation {
            account,
            node,
            who,
            affiliation,
        } => nodes::affiliate(db, memory.number(db, account)?, node, who, *affiliation),
        Op::NodeSubscription {
            account,
            node,
            who,
            state,
        } => nodes::subscribe(db, memory.number(db, account)?, node, who, *state),
        _ => unreachable!("called with operations on nodes alone"),
    }
}

fn apply_presence(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    match op {
        Op::OfflinePut {
            account,
            id,
            message,
        } => {
            memory.free.offline_id = memory.free.offline_id.max(id.saturating_add(1));
            offline::put(db, memory.number(db, account)?, *id, message)
        }
        Op::OfflineRemove { account, ids } => {
            let account = memory.number(db, account)?;
            ids.iter()
                .try_for_each(|id| offline::remove(db, account, *id))
        }
        Op::OfflineArchived {
            account,
            from,
            below,
        } => offline::remove_archived(db, memory.number(db, account)?, *from, *below),
        Op::PublicationPut {
            account,
            publication,
        } => publications::put(db, memory.number(db, account)?, publication),
        Op::PublicationRemove { account, resource } => {
            publications::remove(db, memory.number(db, account)?, resource)
        }
        Op::BindingPut { account, binding } => {
            bindings::put(db, memory.number(db, account)?, binding)
        }
        Op::BindingRemove { account, contact } => {
            bindings::remove(db, memory.number(db, account)?, contact)
        }
        Op::WatchPut(watch) => {
            let new = watch.id.0 >= memory.free.watch_id;
            memory.free.watch_id = memory.free.watch_id.max(watch.id.0.saturating_add(1));
            watches::put(db, memory.number(db, &watch.presentity)?, watch, new)
        }
        Op::WatchHead { id, head } => watches::put_head(db, *id, head),
        Op::WatchRemove { id } => watches::remove(db, *id),
        Op::LastKnownPut {
            account,
            publication,
        } => last_known::put(db, memory.number(db, account)?, publication),
        Op::LastKnownRemove { account, resource } => {
            last_known::remove(db, memory.number(db, account)?, resource)
        }
        Op::LastSeen {
            account,
            at,
            status,
        } => last_seen::put(db, memory.number(db, account)?, *at, status.as_deref()),
        Op::MetaPut { key, value } => meta::put(db, key, value),
        _ => apply_person(db, memory, op),
    }
}

fn apply_person(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    match op {
        Op::VcardPut {
            account,
            card: Some(card),
        } => vcards::put(db, memory.number(db, account)?, card),
        Op::VcardPut {
            account,
            card: None,
        } => vcards::remove(db, memory.number(db, account)?),
        Op::PrivatePut {
            account,
            kept,
            most,
        } => {
            let number = memory.number(db, account)?;
            kept.iter()
                .try_for_each(|kept| private::put(db, number, kept))?;
            let (elements, bytes) = private::total(db, number)?;
            if elements > most.elements || bytes > most.bytes {
                return Err(StoreError::Full(account.clone()));
            }
            Ok(())
        }
        Op::MotdTold { account, number } => {
            accounts::set_motd(db, memory.number(db, account)?, *number)
        }
        _ => apply_archive(db, memory, op),
    }
}

fn apply_archive(db: &Connection, memory: &mut Memory, op: &Op) -> Result<(), StoreError> {
    match op {
        Op::ArchivePut {
            id,
            sender,
            recipient,
            message,
        } => {
            memory.free.archive_id = memory.free.archive_id.max(id.0.saturating_add(1));
            let sides = (
                memory.number_or_none(db, *sender, &message.from.bare)?,
                memory.number_or_none(db, *recipient, &message.to.bare)?,
            );
            if sides == (0, 0) {
                return Ok(());
            }
            let Memory {
                backlog,
                buffer,
                tail,
                ..
            } = memory;
            let indexed = id.0.cast_signed() <= backlog.collected;
            backlog.waiting += usize::from(!indexed);
            archive_log::put(db, *id, sides, message, buffer, indexed, tail)
        }
        Op::ArchivePrune { below, most } => {
            let last = archive_log::prune(db, *below, *most)?;
            let backlog = &mut memory.backlog;
            backlog.disturbed |= last.is_some_and(|last| last > backlog.indexed);
            Ok(())
        }
        Op::ArchivePreferencesPut {
            account,
            preferences,
        } => archive_preferences::put(db, memory.number(db, account)?, preferences),
        Op::ArchiveRead { account, at } => {
            archive_readers::put(db, memory.number(db, account)?, *at)
        }
        _ => unreachable!("the other operations are applied above"),
    }
}
