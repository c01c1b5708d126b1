//! The sections that may be repeated.

use super::{Effect, List, key};

/// Every section that may be repeated.
pub(crate) const LISTS: &[List] = &[
    List {
        name: "groups",
        doc: "Members are in each other's rosters without asking.",
        keys: &[
            key("name", "\"Sales\"", "Name of the group."),
            key(
                "members",
                "[\"ann@office.example\", \"bob@office.example\"]",
                "Accounts, or \"all\".",
            ),
        ],
        effect: Effect::Now,
    },
    List {
        name: "aliases",
        doc: "Many addresses, one account.",
        keys: &[
            key(
                "account",
                "\"ann@office.example\"",
                "The account, of a served domain.",
            ),
            key(
                "addresses",
                "[\"101\", \"tel:+4930123456\", \"sip:ann@old.example\"]",
                "What leads to it: an extension or user name of the account's domain, a tel: number, a sip: or plain user@domain address.",
            ),
        ],
        effect: Effect::Now,
    },
    List {
        name: "external_services",
        doc: "STUN and TURN servers that clients are told of, for calls (XEP-0215).",
        keys: &[
            key(
                "type",
                "\"turn\"",
                "\"stun\", \"stuns\", \"turn\" or \"turns\".",
            ),
            key("host", "\"turn.office.example\"", "Its name or IP address."),
            key("port", "3478", "Its port. Default 3478, with TLS 5349."),
            key(
                "transport",
                "\"udp\"",
                "\"udp\" or \"tcp\". Default udp, with TLS tcp.",
            ),
            key(
                "secret",
                "\"change this\"",
                "Secret shared with the TURN server (static-auth-secret of coturn): clients get credentials made from it. Default: none are needed.",
            ),
            key(
                "lifetime",
                "\"12h\"",
                "How long such credentials are good. Default 12h.",
            ),
        ],
        effect: Effect::Now,
    },
    List {
        name: "peers",
        doc: "Other domains reached in a fixed way; for all others DNS decides.",
        keys: &[
            key("domain", "\"sip.example\"", "The other domain."),
            key("protocol", "\"sip\"", "\"sip\" or \"xmpp\"."),
            key(
                "address",
                "\"udp:192.0.2.7:5060\"",
                "udp, tcp or tls : host : port.",
            ),
            key(
                "trusted",
                "true",
                "From this address: requests are not challenged, P-Asserted-Identity is believed. Default false.",
            ),
        ],
        effect: Effect::Later(""),
    },
    List {
        name: "sources",
        doc: "Presence reported by others.",
        keys: &[
            key(
                "kind",
                "\"registrar\"",
                "\"registrar\", \"pbx\", \"sip\", \"xmpp\", \"http\" or \"calendar\".",
            ),
            key("address", "\"udp:192.0.2.8:5060\"", "Where it is."),
            key(
                "identity",
                "\"sip:watcher@office.example\"",
                "Who we are there.",
            ),
            key(
                "accounts",
                "\"{user}@office.example\"",
                "How its addresses map to accounts.",
            ),
            key(
                "only_when_watched",
                "true",
                "Ask only while somebody watches. Default true.",
            ),
        ],
        effect: Effect::Later(""),
    },
];
