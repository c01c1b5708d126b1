//! The one table of every configuration key: its default, what it means, whether it has an effect in this version.
//!
//! The default file that `adsum config` prints, the reference in `docs/configuration.md`, the defaults themselves and the
//! check for unknown keys all derive from it.

mod limits;
mod repeated;

use limits::LIMITS;
pub(crate) use repeated::LISTS;

/// Whether setting a key changes anything in this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// The key works.
    Now,
    /// The key is accepted for later versions. A set value is mentioned at start, unless it is this one (as TOML), which
    /// asks for nothing that is missing. Empty: every set value is mentioned.
    Later(&'static str),
}

/// One key of a section.
#[derive(Debug)]
pub(crate) struct Key {
    /// Name inside the section.
    pub(crate) name: &'static str,
    /// Default value, as TOML.
    pub(crate) default: &'static str,
    /// What it means, in sentences.
    pub(crate) doc: &'static str,
    /// Whether it has an effect in this version.
    pub(crate) effect: Effect,
}

/// A section: `[name]`, or the top of the file where the name is empty.
#[derive(Debug)]
pub(crate) struct Section {
    /// Name, empty for the top of the file.
    pub(crate) name: &'static str,
    /// What the section is about.
    pub(crate) doc: &'static str,
    /// Its keys in the order they are printed.
    pub(crate) keys: &'static [Key],
}

/// A section that may be repeated: `[[name]]`. It has no defaults; the values are an example.
#[derive(Debug)]
pub(crate) struct List {
    /// Name.
    pub(crate) name: &'static str,
    /// What one entry is.
    pub(crate) doc: &'static str,
    /// Keys with an example value each.
    pub(crate) keys: &'static [Key],
    /// Whether it has an effect in this version.
    pub(crate) effect: Effect,
}

const fn key(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key {
        name,
        default,
        doc,
        effect: Effect::Now,
    }
}

const fn later(
    name: &'static str,
    default: &'static str,
    honoured: &'static str,
    doc: &'static str,
) -> Key {
    Key {
        name,
        default,
        doc,
        effect: Effect::Later(honoured),
    }
}

/// Every plain section, in the order of the file.
pub(crate) const SECTIONS: &[Section] = &[
    Section {
        name: "",
        doc: "",
        keys: TOP,
    },
    Section {
        name: "tls",
        doc: "Without a certificate here, a local authority and a server certificate (ECDSA P-256) are made at the first start; /ca.pem on the HTTP listener hands the authority out.",
        keys: TLS,
    },
    Section {
        name: "xmpp",
        doc: "XMPP clients and servers.",
        keys: XMPP,
    },
    Section {
        name: "http",
        doc: "HTTP: for browsers and programs; health, metrics, the authority's certificate.",
        keys: HTTP,
    },
    Section {
        name: "sip",
        doc: "SIP phones and gateways.",
        keys: SIP,
    },
    Section {
        name: "presence",
        doc: "Rules that hold for every protocol.",
        keys: PRESENCE,
    },
    Section {
        name: "limits",
        doc: "Every limit of the server. A count, size or duration of 0 means \"no limit\" where the text says so.",
        keys: LIMITS,
    },
    Section {
        name: "backup",
        doc: "Copies of the database, made while the server runs, in the folder `backups` of the data folder.",
        keys: BACKUP,
    },
    Section {
        name: "log",
        doc: "The log goes to standard error.",
        keys: LOG,
    },
];

const TOP: &[Key] = &[
    key(
        "domains",
        "[\"localhost\"]",
        "Domains served here. XMPP, SIP and pres: addresses are the same user@domain. A SIP request to an IP address of this machine counts as for the first one.",
    ),
    key(
        "data",
        "\"adsum-data\"",
        "Folder of the database, certificates and the admin socket (mode 0700). Relative paths in a file count from the folder of that file.",
    ),
];

const TLS: &[Key] = &[
    key(
        "certificate",
        "\"\"",
        "PEM file with the certificate and its intermediates (fullchain). A list of files, with as many keys, serves several domains by SNI; the first is for clients that name none.",
    ),
    key(
        "key",
        "\"\"",
        "PEM file with the private key, unencrypted; a list where `certificate` is one.",
    ),
];

const XMPP: &[Key] = &[
    key(
        "client",
        "[\"[::]:5222\"]",
        "Addresses for clients, with STARTTLS.",
    ),
    key(
        "client_tls",
        "[\"[::]:5223\"]",
        "Addresses for clients, with direct TLS (XEP-0368).",
    ),
    later(
        "server",
        "[\"[::]:5269\"]",
        "[]",
        "Addresses for other servers (federation); [] switches it off.",
    ),
    key(
        "components",
        "[]",
        "Addresses for external components (XEP-0114), e.g. [\"127.0.0.1:5347\"].",
    ),
    key(
        "component_secrets",
        "{}",
        "Secret of each component, e.g. { \"irc.office.example\" = \"...\" }.",
    ),
    key(
        "contact",
        "{ abuse = [], admin = [], feedback = [], sales = [], security = [], status = [], support = [] }",
        "Addresses of those who run the server, told in service discovery (XEP-0157): URIs such as \"xmpp:ann@office.example\" or \"mailto:it@office.example\".",
    ),
    key(
        "require_tls",
        "true",
        "false allows plaintext streams and PLAIN without TLS: for tests and benchmarks on loopback only.",
    ),
    later(
        "registration",
        "\"closed\"",
        "\"closed\"",
        "\"closed\", \"invite\" or \"open\" (XEP-0077, XEP-0401).",
    ),
    key(
        "scram_iterations",
        "10000",
        "Rounds of PBKDF2 for passwords set from now on, at least 4096 (RFC 7677).",
    ),
    key(
        "archive",
        "\"30d\"",
        "How long messages are archived (XEP-0313), at least a minute. \"off\" archives none; what was archived before stays unread.",
    ),
    key(
        "ping_after",
        "\"60s\"",
        "Silence of a client after which the server asks (XEP-0199); no answer in 30 s means unavailable. \"off\" never asks.",
    ),
    later(
        "rooms",
        "\"rooms.{domain}\"",
        "\"\"",
        "Name of the rooms service; \"\" switches it off.",
    ),
    later(
        "upload",
        "\"upload.{domain}\"",
        "\"\"",
        "Name of the upload service; \"\" switches it off.",
    ),
    later(
        "upload_quota",
        "\"1GiB\"",
        "",
        "Uploaded bytes kept per account.",
    ),
];

const HTTP: &[Key] = &[
    key(
        "listen",
        "[\"[::]:5280\"]",
        "Addresses for plain HTTP, for this machine and for a proxy that speaks TLS; [] switches it off.",
    ),
    key(
        "listen_tls",
        "[\"[::]:5281\"]",
        "Addresses for HTTPS; [] switches it off.",
    ),
    key(
        "public_url",
        "\"\"",
        "Where clients are told to go (XEP-0156), such as \"https://im.office.example\"; \"\" derives it from the name they came by and the port of listen_tls.",
    ),
    key(
        "trusted_proxies",
        "[]",
        "CIDR blocks whose X-Forwarded-For and X-Forwarded-Proto are believed. A proxy named here must set both and let none of a client's through.",
    ),
    key(
        "cors",
        "[\"*\"]",
        "Web sites whose pages may call BOSH, WebSocket and the HTTP services, such as [\"https://www.office.example\"]; \"*\" is any. Logins that the browser itself keeps are never sent along.",
    ),
    later(
        "presence_prefix",
        "\"/presence\"",
        "",
        "Path under which presence is a resource.",
    ),
    key(
        "app",
        "\"\"",
        "A folder with a built web app, served at /, with its index.html for every page of it; files of up to 32 MiB. Without one / is a page of the program.",
    ),
    later("platform", "false", "false", "The platform SOAP service."),
];

const SIP: &[Key] = &[
    key(
        "udp",
        "[\"[::]:5060\"]",
        "Addresses for SIP over UDP; [] switches it off.",
    ),
    key(
        "tcp",
        "[\"[::]:5060\"]",
        "Addresses for SIP over TCP; [] switches it off.",
    ),
    key(
        "tls",
        "[\"[::]:5061\"]",
        "Addresses for SIP over TLS; [] switches it off.",
    ),
    key(
        "public_host",
        "\"\"",
        "Host that our Contact names; \"\" is the domain.",
    ),
    key(
        "require_auth",
        "true",
        "Digest for PUBLISH, SUBSCRIBE, REGISTER and MESSAGE.",
    ),
    key(
        "digest",
        "[\"md5\"]",
        "Digest algorithms offered; add \"sha-256\" (then sent first, RFC 8760) where all phones know it: many break on it.",
    ),
    key(
        "digest_legacy",
        "true",
        "Answers without qop (RFC 2069) are accepted, each nonce for one request.",
    ),
    later(
        "register",
        "\"local\"",
        "\"local\"",
        "\"local\", or \"pbx\": REGISTER is forwarded (Path) and its answer observed.",
    ),
    later(
        "pbx",
        "\"\"",
        "\"\"",
        "The PBX that REGISTER is forwarded to, e.g. \"sip:pbx.example:5060\".",
    ),
    later(
        "indirect_over",
        "\"8KiB\"",
        "",
        "Size above which content is sent by reference (RFC 4483) where the watcher accepts it.",
    ),
];

const PRESENCE: &[Key] = &[
    key(
        "same_domain",
        "\"allow\"",
        "\"allow\": any account of a domain may watch any other of it over SIP and HTTP without being asked. \"ask\": only what was granted counts. XMPP rosters and subscriptions work unchanged either way; blocks and rules win over it.",
    ),
    key(
        "registered_is_open",
        "true",
        "A phone that registers and publishes nothing counts as present.",
    ),
];

const BACKUP: &[Key] = &[
    key(
        "every",
        "\"24h\"",
        "Time between backups (1m or more); \"off\" switches them off.",
    ),
    key(
        "keep",
        "7",
        "Backups kept; older ones are removed (at least 1).",
    ),
];

const LOG: &[Key] = &[
    key(
        "level",
        "\"info\"",
        "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"; or a filter such as \"info,adsum::sip=debug\".",
    ),
    key("format", "\"text\"", "\"text\" or \"json\"."),
];

/// Tables whose keys are chosen by the admin.
pub(crate) const FREE_TABLES: &[&str] = &["xmpp.component_secrets"];

/// The key at `section.name`, or at `name` for the top of the file.
pub(crate) fn find(path: &str) -> Option<&'static Key> {
    let (section, name) = path.split_once('.').unwrap_or(("", path));
    SECTIONS
        .iter()
        .find(|s| s.name == section)?
        .keys
        .iter()
        .find(|k| k.name == name)
}
