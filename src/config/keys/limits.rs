//! The keys of `[limits]`.

use super::{Key, key};

/// `[limits]`
pub(super) const LIMITS: &[Key] = &[
    key(
        "stanza_size",
        "\"256KiB\"",
        "Largest XMPP stanza after authentication (1KiB to 16MiB).",
    ),
    key(
        "stanza_depth",
        "64",
        "Deepest nesting of elements in a stanza (8 to 256).",
    ),
    key(
        "unauthenticated_bytes",
        "\"8KiB\"",
        "Bytes outstanding on a stream before authentication (1KiB to 1MiB).",
    ),
    key(
        "unauthenticated_elements",
        "32",
        "Elements outstanding on a stream before authentication (4 to 1024).",
    ),
    key(
        "unauthenticated_time",
        "\"30s\"",
        "Time from accepting a connection to authentication (1s to 10m).",
    ),
    key(
        "connections",
        "100000",
        "Open connections of all kinds. 0 means no limit.",
    ),
    key(
        "connections_per_address",
        "20000",
        "Open connections from one IP address. 0 means no limit.",
    ),
    key(
        "sessions_per_account",
        "50",
        "XMPP sessions of one account; one more is refused with resource-constraint. 0 means no limit.",
    ),
    key(
        "out_queue",
        "\"1MiB\"",
        "Bytes waiting to be sent on one connection; a reader slower than that is disconnected (64KiB to 1GiB).",
    ),
    key(
        "password_checks",
        "1000",
        "Password checks (PLAIN, Basic) waiting for a thread of the pool (at least 1).",
    ),
    key(
        "roster_items",
        "10000",
        "Contacts of one account. 0 means no limit.",
    ),
    key(
        "pending_requests",
        "1000",
        "Subscription requests kept for one account until it answers. 0 means no limit.",
    ),
    key(
        "blocked_addresses",
        "1000",
        "Addresses one account may block (at least 1).",
    ),
    key(
        "reports",
        "1000",
        "Reports of spam and abuse kept for the administrator; above it, whoever made the most of them loses his oldest. 0 keeps none.",
    ),
    key(
        "directed_presence",
        "1000",
        "Addresses one session may be directing presence to at a time (at least 1).",
    ),
    key(
        "offline_messages",
        "100",
        "Messages kept for one account while it is away. 0 keeps none.",
    ),
    key(
        "offline_bytes",
        "\"1MiB\"",
        "Bytes of messages kept for one account while it is away (at least 1KiB).",
    ),
    key(
        "offline_expires",
        "\"30d\"",
        "How long a message waits for its account. 0 means for ever.",
    ),
    key(
        "vcard_size",
        "\"192KiB\"",
        "Largest vCard of an account, its picture included (1KiB to 16MiB); stanza_size bounds it as well.",
    ),
    key(
        "search_results",
        "100",
        "People that one search of the directory finds at most (at least 1).",
    ),
    key(
        "private_elements",
        "100",
        "Things that one account keeps in private storage, each under a name of its own (at least 1).",
    ),
    key(
        "private_bytes",
        "\"1MiB\"",
        "Bytes that one account keeps in private storage (at least 1KiB).",
    ),
    key(
        "archive_page",
        "250",
        "Messages in one page of an archive; a page has about `out_queue` / 8 bytes at most (10 to 10000).",
    ),
    key(
        "archive_preferences",
        "1000",
        "Addresses that one account may name in its wishes for its archive (at least 1).",
    ),
    key(
        "command_sessions",
        "8",
        "Ad-hoc commands that one session has under way (at least 1).",
    ),
    key(
        "command_timeout",
        "\"10m\"",
        "Time after which a form of an ad-hoc command that nobody sends back has expired (at least 1s).",
    ),
    key(
        "publications_per_account",
        "50",
        "SIP publications of one account at a time (at least 1).",
    ),
    key(
        "subscriptions_per_account",
        "5000",
        "SIP subscriptions held by one account at a time. 0 means no limit.",
    ),
    key(
        "registrations_per_account",
        "20",
        "SIP contacts registered for one account at a time (at least 1).",
    ),
    key(
        "pubsub_nodes",
        "200",
        "Nodes of one account (PEP). 0 means no limit.",
    ),
    key(
        "pubsub_items",
        "1000",
        "Items kept of one node, whatever more its configuration says (at least 1).",
    ),
    key(
        "pubsub_item_size",
        "\"192KiB\"",
        "Largest item of a node (1KiB to 16MiB).",
    ),
    key(
        "pubsub_bytes",
        "\"16MiB\"",
        "Bytes of all items of one account (at least 1KiB).",
    ),
    key(
        "pubsub_subscriptions",
        "1000",
        "Explicit subscriptions to one node, and affiliations with it (at least 1).",
    ),
    key(
        "caps_cache",
        "1000",
        "Capabilities of client programs remembered by their verified hash, for all sessions (at least 16).",
    ),
    key(
        "sip_message_size",
        "\"64KiB\"",
        "Largest SIP message (2KiB to 16MiB).",
    ),
    key(
        "sip_connections",
        "50000",
        "Open SIP connections over TCP and TLS. 0 means no limit.",
    ),
    key(
        "sip_transactions",
        "100000",
        "SIP transactions alive at a time; above it requests get 503 (at least 16).",
    ),
    key(
        "write_queue",
        "10000",
        "Durable changes waiting for the disk (at least 16). From 3/8 of it on, clients and components that send what is to be kept are read no faster than the disk takes it; above it, when the disk hangs, publishers get 503 with Retry-After and sessions resource-constraint.",
    ),
    key(
        "publish_expires",
        "{ min = \"60s\", default = \"1h\", max = \"24h\" }",
        "Lifetime of a SIP publication: least and most granted, and what is granted where none is asked for.",
    ),
    key(
        "subscribe_expires",
        "{ min = \"60s\", default = \"1h\", max = \"24h\" }",
        "Lifetime of a SIP subscription, likewise.",
    ),
    key(
        "register_expires",
        "{ min = \"60s\", default = \"1h\", max = \"24h\" }",
        "Lifetime of a SIP registration, likewise.",
    ),
    key(
        "notify_pace",
        "\"1s\"",
        "Per watcher: the first change goes at once, later ones within this time are coalesced. 0 sends every change at once.",
    ),
    key(
        "auth_failures",
        "{ per_account_and_address = 10, per_address = 200, within = \"1m\" }",
        "Failed logins within that time after which further ones are refused unread. A count of 0 means no limit.",
    ),
    key(
        "login_tokens",
        "{ per_account = 32, lifetime = \"21d\" }",
        "Tokens that clients log in with instead of the password (XEP-0484): how many clients of an account may have one (at least 1; more, and those who got theirs longest ago lose it), and how long one is good. It is renewed when a quarter of that is over.",
    ),
    key(
        "restart_grace",
        "\"30s\"",
        "After an unclean start, presence that lived in connections is kept as last known this long. 0 forgets it at once.",
    ),
    key(
        "http_idle_time",
        "\"75s\"",
        "Time without a request after which an HTTP connection is closed; also the time in which the head of a request must arrive, and 64 KiB of an answer be taken (100ms to 1h). The first request must come within `unauthenticated_time`.",
    ),
    key(
        "http_request_time",
        "\"30s\"",
        "Time in which the body of an HTTP request must arrive (100ms to 1h); who is slower gets 408.",
    ),
    key(
        "http_request_size",
        "\"1MiB\"",
        "Largest body of an HTTP request, also after it is inflated (1KiB to 1GiB); what is larger gets 413.",
    ),
    key(
        "bosh_inactivity",
        "\"60s\"",
        "Time without a request after which a BOSH session ends (1s to 1h).",
    ),
    key(
        "bosh_wait",
        "\"60s\"",
        "Longest time that a BOSH request is held; clients may ask for less (1s to 1h). Proxies in front must be more patient.",
    ),
    key(
        "bosh_hold",
        "1",
        "Most BOSH requests of a session that are held at a time; clients may ask for fewer (0 to 16). Clients with two connections need one of them to speak: with 2 some of them wait until they hear something. 0 makes all clients poll, as `bosh_requests = 1` does.",
    ),
    key(
        "bosh_requests",
        "2",
        "Most BOSH requests of a session that may be under way (1 to 17); with fewer than one more than `bosh_hold`, fewer are held. 1 makes all clients poll, and then strophe.js, Converse.js and stanza cannot log in.",
    ),
    key(
        "bosh_polling",
        "\"2s\"",
        "Shortest time between BOSH requests that carry nothing (0 to 60s).",
    ),
    key(
        "bosh_pause",
        "\"2m\"",
        "Longest time that a BOSH client may ask to be silent, as for the load of another page (0 to 1h). 0 switches it off.",
    ),
    key(
        "resume_timeout",
        "\"10m\"",
        "How long a session whose connection broke can be resumed and keeps its queue (XEP-0198). 0 lets none be resumed.",
    ),
    key(
        "resume_presence",
        "\"60s\"",
        "Time since its last sign of life after which the presence of such a session is withdrawn all the same.",
    ),
    key(
        "resume_stanzas",
        "10000",
        "Stanzas that a client with stream management may leave unacknowledged before its session ends.",
    ),
    key("resume_bytes", "\"4MiB\"", "Bytes of those stanzas."),
    key(
        "inactive_stanzas",
        "1000",
        "Stanzas that wait at most for a client that says that nobody looks at it (XEP-0352): presence, chat states, notifications of nodes. Of more, all are told at once; 0 lets nothing wait.",
    ),
    key(
        "inactive_bytes",
        "\"128KiB\"",
        "Bytes of those stanzas (at least 1KiB).",
    ),
];
