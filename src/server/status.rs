//! What the running server tells of itself, and what it does for commands.

use std::sync::atomic::Ordering;

use presence::Bare;
use serde_json::{Value, json};

use super::admin::Executor;
use super::shared::Shared;

impl Shared {
    /// What does commands on the running server.
    pub fn executor<'a>(
        &'a self,
        status: &'a dyn Fn() -> Value,
        forget: &'a dyn Fn(&Bare),
    ) -> Executor<'a> {
        Executor {
            model: &self.model,
            config: &self.config,
            folder: &self.folder,
            vault: &self.vault,
            status: Some(status),
            forget: Some(forget),
        }
    }

    /// What the server is doing.
    pub fn status(&self) -> Value {
        let counts = self.model.counts();
        let at = |counter: &std::sync::atomic::AtomicUsize| counter.load(Ordering::Relaxed);
        let listening = std::fs::read_to_string(self.folder.listening()).unwrap_or_default();
        let last_backup = at(&self.gauges.last_backup);
        json!({
            "running": true,
            "version": env!("CARGO_PKG_VERSION"),
            "process": std::process::id(),
            "uptime_seconds": self.now().at.0 / 1000,
            "domains": self.config.domains.iter().map(|d| d.unicode.clone()).collect::<Vec<_>>(),
            "listening": serde_json::from_str::<Value>(&listening).unwrap_or_default(),
            "sessions": { "xmpp": counts.sessions },
            "connections": { "xmpp": at(&self.gauges.xmpp_connections), "waiting": at(&self.gauges.xmpp_waiting) },
            "publications": counts.publications,
            "registrations": counts.registrations,
            "subscriptions": counts.watches,
            "accounts_in_memory": counts.accounts_in_memory,
            "queues": { "write": counts.write_queue, "sip_transactions": self.sip_transactions() },
            "storage": { "database_bytes": std::fs::metadata(self.folder.database()).map_or(0, |m| m.len()) },
            "peers": [],
            "sources": [],
            "last_backup": (last_backup > 0).then(|| presence::Utc(last_backup as i64 * 1000).to_rfc3339()),
        })
    }

    /// SIP transactions alive.
    pub(crate) fn sip_transactions(&self) -> usize {
        let sip = self.sip.get().and_then(std::sync::Weak::upgrade);
        sip.map_or(0, |sip| sip.transactions())
    }

    /// Something about an account has changed: what is remembered of its passwords is forgotten.
    pub fn forget(&self, account: &Bare) {
        // First what is remembered: a login that begins after the count has changed must find nothing old.
        self.remembered.lock().forget(account.as_str());
        self.ended_secrets.fetch_add(1, Ordering::SeqCst);
        if let Some(sip) = self.sip.get().and_then(std::sync::Weak::upgrade) {
            sip.keys_changed();
        }
    }
}
