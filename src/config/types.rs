//! The decided configuration: plain data, every value checked.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::domain::Domain;

/// Everything the server is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Domains served here, at least one. The first counts for SIP requests to an IP address.
    pub domains: Vec<Domain>,
    /// The data folder.
    pub data: PathBuf,
    /// `[tls]`
    pub tls: Tls,
    /// `[xmpp]`
    pub xmpp: Xmpp,
    /// `[http]`
    pub http: Http,
    /// `[sip]`
    pub sip: Sip,
    /// `[presence]`
    pub presence: Presence,
    /// `[limits]`
    pub limits: Limits,
    /// `[backup]`
    pub backup: Backup,
    /// `[log]`
    pub log: Log,
    /// `[[groups]]`
    pub groups: Vec<Group>,
    /// `[[aliases]]`
    pub aliases: Vec<Alias>,
    /// `[[external_services]]`
    pub external_services: Vec<ExternalService>,
    /// `[[peers]]`
    pub peers: Vec<Peer>,
    /// `[[sources]]`
    pub sources: Vec<Source>,
}

impl Config {
    /// The served domain of that name, in either form and any case.
    pub fn domain(&self, name: &str) -> Option<&Domain> {
        let wanted = Domain::parse(name).ok()?;
        self.domains.iter().find(|domain| **domain == wanted)
    }
}

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Certificates and their keys. Empty: the local authority's are used.
    pub files: Vec<CertificateFiles>,
}

/// A certificate chain and its key, as PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// Certificate first, then its intermediates.
    pub certificate: PathBuf,
    /// Private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
}

/// `[xmpp]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Xmpp {
    /// Addresses for STARTTLS.
    pub client: Vec<SocketAddr>,
    /// Addresses for direct TLS.
    pub client_tls: Vec<SocketAddr>,
    /// Addresses for federation.
    pub server: Vec<SocketAddr>,
    /// Addresses for components.
    pub components: Vec<SocketAddr>,
    /// Secret of each component, by its domain.
    pub component_secrets: BTreeMap<String, String>,
    /// Addresses of those who run the server.
    pub contact: Contact,
    /// Whether TLS comes before anything else.
    pub require_tls: bool,
    /// Who may make an account in band.
    pub registration: Registration,
    /// PBKDF2 rounds for new passwords.
    pub scram_iterations: u32,
    /// How long messages are archived; `None`: not at all.
    pub archive: Option<Duration>,
    /// Silence after which a client is asked; `None`: never.
    pub ping_after: Option<Duration>,
    /// Name of the rooms service with `{domain}`, or empty.
    pub rooms: String,
    /// Name of the upload service with `{domain}`, or empty.
    pub upload: String,
    /// Uploaded bytes per account.
    pub upload_quota: u64,
}

/// Addresses of those who run the server, as URIs (XEP-0157).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the role of that name")]
pub struct Contact {
    pub abuse: Vec<String>,
    pub admin: Vec<String>,
    pub feedback: Vec<String>,
    pub sales: Vec<String>,
    pub security: Vec<String>,
    pub status: Vec<String>,
    pub support: Vec<String>,
}

/// `[[external_services]]`
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalService {
    /// What it is: `stun`, `stuns`, `turn` or `turns`.
    pub kind: &'static str,
    /// Where it is.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `udp` or `tcp`.
    pub transport: &'static str,
    /// What it shares with us.
    pub secret: Option<String>,
    /// How long credentials are good.
    pub lifetime: Duration,
}

/// Without the secret.
impl std::fmt::Debug for ExternalService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.kind, self.host, self.port)
    }
}

/// Who may make an account in band (XEP-0077, XEP-0401).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Nobody.
    Closed,
    /// Who was invited.
    Invite,
    /// Everybody.
    Open,
}

/// `[http]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Addresses for plain HTTP.
    pub listen: Vec<SocketAddr>,
    /// Addresses for HTTPS.
    pub listen_tls: Vec<SocketAddr>,
    /// Base URL told to clients, without a slash at the end; `None`: derived from domain and port.
    pub public_url: Option<String>,
    /// Networks whose X-Forwarded-For is believed.
    pub trusted_proxies: Vec<Network>,
    /// Origins that browsers may call from.
    pub cors: Vec<String>,
    /// Path prefix of presence resources.
    pub presence_prefix: String,
    /// Folder of the web app.
    pub app: Option<PathBuf>,
    /// Whether the platform SOAP service runs.
    pub platform: bool,
}

/// A block of IP addresses (RFC 4632 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    /// An address of the block.
    pub address: IpAddr,
    /// Bits that all addresses of the block share.
    pub prefix: u8,
}

impl Network {
    /// Whether an address is of the block. IPv4 in IPv6 form counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let bits = |address: IpAddr| match address.to_canonical() {
            IpAddr::V4(four) => (u128::from(u32::from(four)) << 96, true),
            IpAddr::V6(six) => (u128::from(six), false),
        };
        let ((own, is_four), (other, other_is_four)) = (bits(self.address), bits(address));
        let mask = u32::from(self.prefix)
            .checked_sub(1)
            .map_or(0, |last| u128::MAX << (127 - last.min(127)));
        is_four == other_is_four && own & mask == other & mask
    }
}

/// `[sip]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sip {
    /// Addresses for UDP.
    pub udp: Vec<SocketAddr>,
    /// Addresses for TCP.
    pub tcp: Vec<SocketAddr>,
    /// Addresses for TLS.
    pub tls: Vec<SocketAddr>,
    /// Host of our Contact; `None`: the domain.
    pub public_host: Option<String>,
    /// Whether requests are challenged.
    pub require_auth: bool,
    /// Algorithms offered, strongest first, at least one.
    pub digest: Vec<DigestAlgorithm>,
    /// Whether answers without qop are accepted.
    pub digest_legacy: bool,
    /// Who answers REGISTER.
    pub register: Register,
    /// The PBX that REGISTER goes to.
    pub pbx: Option<String>,
    /// Size above which content is sent by reference, in bytes.
    pub indirect_over: u64,
}

/// Digest algorithms (RFC 7616, RFC 8760), the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// MD5.
    Md5,
}

/// Who answers REGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Register {
    /// This server.
    Local,
    /// A PBX behind it.
    Pbx,
}

/// `[presence]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// What accounts of one domain may see of each other unasked.
    pub same_domain: SameDomain,
    /// Whether a registered phone that publishes nothing counts as present.
    pub registered_is_open: bool,
}

/// What accounts of one domain may see of each other over SIP and HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameDomain {
    /// Everything that no block or rule forbids.
    Allow,
    /// Only what was granted.
    Ask,
}

/// `[limits]`. Counts that may be unlimited are then `usize::MAX`, durations `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest stanza, in bytes.
    pub stanza_size: usize,
    /// Deepest nesting in a stanza.
    pub stanza_depth: usize,
    /// Bytes outstanding before authentication.
    pub unauthenticated_bytes: usize,
    /// Elements outstanding before authentication.
    pub unauthenticated_elements: usize,
    /// Time to authenticate.
    pub unauthenticated_time: Duration,
    /// Open connections.
    pub connections: usize,
    /// Open connections from one address.
    pub connections_per_address: usize,
    /// XMPP sessions of an account.
    pub sessions_per_account: usize,
    /// Bytes waiting to be sent on one connection.
    pub out_queue: usize,
    /// Password checks waiting.
    pub password_checks: usize,
    /// Contacts of an account.
    pub roster_items: usize,
    /// Subscription requests kept for an account.
    pub pending_requests: usize,
    /// Addresses that an account may block.
    pub blocked_addresses: usize,
    /// Reports kept for the administrator; 0 keeps none.
    pub reports: usize,
    /// Addresses of directed presence of a session.
    pub directed_presence: usize,
    /// Messages kept for an account that is away; 0 keeps none.
    pub offline_messages: usize,
    /// Bytes of those messages.
    pub offline_bytes: usize,
    /// How long they wait; `None`: for ever.
    pub offline_expires: Option<Duration>,
    /// Most messages in a page of an archive.
    pub archive_page: usize,
    /// Most addresses that an account names in its wishes for its archive.
    pub archive_preferences: usize,
    /// Largest vCard, in bytes.
    pub vcard_size: usize,
    /// People found by one search of the directory.
    pub search_results: usize,
    /// Things in the private storage of an account.
    pub private_elements: usize,
    /// Bytes of them.
    pub private_bytes: usize,
    /// Ad-hoc commands of a session under way.
    pub command_sessions: usize,
    /// How long their forms wait.
    pub command_timeout: Duration,
    /// SIP publications of an account.
    pub publications_per_account: usize,
    /// SIP subscriptions held by an account.
    pub subscriptions_per_account: usize,
    /// SIP contacts of an account.
    pub registrations_per_account: usize,
    /// Nodes of an account.
    pub pubsub_nodes: usize,
    /// Items of a node.
    pub pubsub_items: usize,
    /// Largest item, in bytes.
    pub pubsub_item_size: usize,
    /// Bytes of all items of an account.
    pub pubsub_bytes: usize,
    /// Subscriptions to a node, and affiliations with it.
    pub pubsub_subscriptions: usize,
    /// Verified hashes of capabilities remembered.
    pub caps_cache: usize,
    /// Largest SIP message, in bytes.
    pub sip_message_size: usize,
    /// Open SIP connections over TCP and TLS.
    pub sip_connections: usize,
    /// SIP transactions alive.
    pub sip_transactions: usize,
    /// Durable changes waiting for the disk.
    pub write_queue: usize,
    /// Lifetime of SIP publications.
    pub publish_expires: Expires,
    /// Lifetime of SIP subscriptions.
    pub subscribe_expires: Expires,
    /// Lifetime of SIP registrations.
    pub register_expires: Expires,
    /// Least time between two NOTIFYs to a watcher; zero sends every change at once.
    pub notify_pace: Duration,
    /// Failed logins after which further ones are refused.
    pub auth_failures: AuthFailures,
    /// Tokens that clients log in with.
    pub login_tokens: LoginTokens,
    /// How long presence of connections outlives an unclean end; zero: not at all.
    pub restart_grace: Duration,
    /// Time without a request that closes an HTTP connection.
    pub http_idle_time: Duration,
    /// Time for the body of an HTTP request.
    pub http_request_time: Duration,
    /// Largest body of an HTTP request, in bytes, also inflated.
    pub http_request_size: usize,
    /// Silence that ends a BOSH session.
    pub bosh_inactivity: Duration,
    /// The longest that a BOSH request is held.
    pub bosh_wait: Duration,
    /// BOSH requests of a session that are held.
    pub bosh_hold: usize,
    /// BOSH requests of a session under way.
    pub bosh_requests: usize,
    /// The shortest time between BOSH requests that carry nothing; zero for no such rule.
    pub bosh_polling: Duration,
    /// The longest pause of a BOSH client; zero for none.
    pub bosh_pause: Duration,
    /// How long a broken session keeps its queue.
    pub resume_timeout: Duration,
    /// Time until the presence of a broken session is withdrawn.
    pub resume_presence: Duration,
    /// Stanzas that a client may leave unacknowledged.
    pub resume_stanzas: usize,
    /// Bytes of those stanzas.
    pub resume_bytes: usize,
    /// Stanzas that wait at most while nobody looks at a client.
    pub inactive_stanzas: usize,
    /// Bytes of those stanzas.
    pub inactive_bytes: usize,
}

/// Bounds of a lifetime: `min <= default <= max`, whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expires {
    /// Least granted; a request below it gets 423 (RFC 3261 §10.3).
    pub min: Duration,
    /// Granted where none is asked for.
    pub default: Duration,
    /// Most granted.
    pub max: Duration,
}

/// Failed logins after which further ones are refused unread. Counts without limit are `u32::MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuthFailures {
    /// Failures of one account from one address.
    pub per_account_and_address: u32,
    /// Failures from one address.
    pub per_address: u32,
    /// The time they are counted over.
    pub within: Duration,
}

/// What is granted to clients that log in by token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginTokens {
    /// Clients of one account that have some.
    pub per_account: u32,
    /// How long one is good.
    pub lifetime: Duration,
}

/// `[backup]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Time between backups; `None`: none are made.
    pub every: Option<Duration>,
    /// Backups kept.
    pub keep: usize,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// A level or a filter of levels.
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A sentence and fields.
    Text,
    /// A JSON object a line.
    Json,
}

/// `[[groups]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Name in the rosters.
    pub name: String,
    /// Who is in it.
    pub members: Members,
}

/// Members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// Every account.
    All,
    /// These accounts, as `user@domain`.
    Accounts(Vec<String>),
}

/// `[[aliases]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// `user@domain` of a served domain.
    pub account: String,
    /// What leads to it.
    pub addresses: Vec<AliasAddress>,
}

/// An address that leads to an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AliasAddress {
    /// A `tel:` number, digits with an optional `+` in front, separators removed (RFC 3966 §3).
    Tel(String),
    /// `user@domain`, from a bare extension (of the account's domain), a `sip:` address or a plain one.
    Address(String),
}

/// `[[peers]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The other domain.
    pub domain: Domain,
    /// What it speaks.
    pub protocol: PeerProtocol,
    /// Where it is.
    pub address: PeerAddress,
    /// Whether it vouches for its users.
    pub trusted: bool,
}

/// What a peer speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerProtocol {
    /// SIP.
    Sip,
    /// XMPP.
    Xmpp,
}

/// `transport:host:port`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerAddress {
    /// How it is reached.
    pub transport: PeerTransport,
    /// Name or IP address, IPv6 without brackets.
    pub host: String,
    /// Port, not 0.
    pub port: u16,
}

/// How a peer is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS over TCP.
    Tls,
}

/// `[[sources]]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// What reports.
    pub kind: SourceKind,
    /// Where it is.
    pub address: Option<String>,
    /// Who we are there.
    pub identity: Option<String>,
    /// How its addresses map to accounts.
    pub accounts: Option<String>,
    /// Whether it is asked only while somebody watches.
    pub only_when_watched: bool,
}

/// What reports presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// A SIP registrar.
    Registrar,
    /// A PBX.
    Pbx,
    /// A SIP presence server.
    Sip,
    /// An XMPP community.
    Xmpp,
    /// An HTTP service.
    Http,
    /// A calendar.
    Calendar,
}
