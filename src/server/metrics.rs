//! `/metrics`: the Prometheus text format, written from the counters of the moment.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use super::shared::Shared;

/// The whole page.
pub(crate) fn page(shared: &Shared) -> String {
    let counts = shared.model.counts();
    let gauges = &shared.gauges;
    let at = |counter: &std::sync::atomic::AtomicUsize| counter.load(Ordering::Relaxed);
    let rows: [(&str, &str, &str, usize); 17] = [
        (
            "adsum_xmpp_connections",
            "gauge",
            "Open XMPP client connections",
            at(&gauges.xmpp_connections),
        ),
        (
            "adsum_xmpp_waiting",
            "gauge",
            "XMPP streams without connection that can be resumed",
            at(&gauges.xmpp_waiting),
        ),
        (
            "adsum_bosh_sessions",
            "gauge",
            "Sessions of BOSH",
            super::http::bosh::sessions(shared),
        ),
        (
            "adsum_sessions",
            "gauge",
            "Bound XMPP sessions",
            counts.sessions,
        ),
        (
            "adsum_publications",
            "gauge",
            "Live publications of all kinds",
            counts.publications,
        ),
        (
            "adsum_registrations",
            "gauge",
            "Registered SIP contacts",
            counts.registrations,
        ),
        (
            "adsum_watches",
            "gauge",
            "SIP subscriptions",
            counts.watches,
        ),
        (
            "adsum_accounts_in_memory",
            "gauge",
            "Accounts held in memory",
            counts.accounts_in_memory,
        ),
        (
            "adsum_write_queue",
            "gauge",
            "Durable changes that are not on the disk yet",
            counts.write_queue,
        ),
        (
            "adsum_sip_transactions",
            "gauge",
            "SIP transactions alive",
            shared.sip_transactions(),
        ),
        (
            "adsum_logins_total",
            "counter",
            "Logins",
            at(&gauges.logins),
        ),
        (
            "adsum_login_failures_total",
            "counter",
            "Failed logins",
            at(&gauges.login_failures),
        ),
        (
            "adsum_messages_total",
            "counter",
            "Messages taken from XMPP clients",
            at(&gauges.messages),
        ),
        (
            "adsum_presences_total",
            "counter",
            "Presence stanzas taken from XMPP clients",
            at(&gauges.presences),
        ),
        (
            "adsum_sip_requests_total",
            "counter",
            "SIP requests taken",
            at(&gauges.sip_requests),
        ),
        (
            "adsum_notifies_total",
            "counter",
            "NOTIFY requests sent",
            at(&gauges.notifies),
        ),
        (
            "adsum_last_backup_timestamp_seconds",
            "gauge",
            "When the last backup was made, seconds since 1970; 0 for never",
            at(&gauges.last_backup),
        ),
    ];
    let mut page = String::new();
    for (name, kind, help, value) in rows {
        let _ = writeln!(
            page,
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}"
        );
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = writeln!(
        page,
        "# HELP adsum_info Version of the server\n# TYPE adsum_info gauge\nadsum_info{{version=\"{version}\"}} 1"
    );
    page
}
