//! The second step: from raw values to the decided configuration, with every mistake noted.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::domain::Domain;
use super::read::{self, Read, Reader};
use super::tree::{Node, Place, Value};
use super::types::{
    AuthFailures, Backup, CertificateFiles, Config, Contact, DigestAlgorithm, Expires, Http,
    Limits, Log, LogFormat, LoginTokens, Network, Presence, Register, Registration, SameDomain,
    Sip, Tls, Xmpp,
};
use super::{Mistake, keys, lists, unknown};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const INSTANT: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Decides a configuration. `folder` is where relative paths of the file count from.
pub(crate) fn decide(root: &Node, file: &str, folder: &Path) -> (Config, Vec<Mistake>) {
    let mut reader = Reader::new(root, file);
    unknown::check(&mut reader);
    let r = &mut reader;
    let domains = domains(r);
    let config = Config {
        data: path(r, "data", folder).unwrap_or_else(|| folder.join("adsum-data")),
        tls: tls(r, folder),
        xmpp: xmpp(r),
        http: http(r, folder),
        sip: sip(r),
        presence: presence(r),
        limits: limits(r),
        backup: backup(r),
        log: log(r),
        groups: lists::groups(r),
        aliases: lists::aliases(r, &domains),
        external_services: lists::external_services(r),
        peers: lists::peers(r),
        sources: lists::sources(r),
        domains,
    };
    across(r, &config);
    (config, reader.into_mistakes())
}

fn domains(r: &mut Reader<'_>) -> Vec<Domain> {
    r.take("domains", |value| {
        let texts = read::texts(value)?;
        if texts.is_empty() {
            return Err("must name at least one domain such as [\"office.example\"]".to_owned());
        }
        let mut domains = Vec::with_capacity(texts.len());
        for text in texts {
            let domain =
                Domain::parse(&text).map_err(|wrong| format!("holds \"{text}\", which {wrong}"))?;
            if domains.contains(&domain) {
                return Err(format!("holds \"{domain}\" twice; remove one"));
            }
            domains.push(domain);
        }
        Ok(domains)
    })
}

fn path(r: &mut Reader<'_>, key: &str, folder: &Path) -> Option<PathBuf> {
    let from_environment = matches!(r.place(key), Some(Place::Environment(_)));
    let path = PathBuf::from(r.take(key, read::optional)?);
    Some(if from_environment {
        path
    } else {
        folder.join(path)
    })
}

fn tls(r: &mut Reader<'_>, folder: &Path) -> Tls {
    let certificates = r.take("tls.certificate", read::one_or_more);
    let keys = r.take("tls.key", read::one_or_more);
    if certificates.len() != keys.len() {
        let place = r.place("tls.certificate").or(r.place("tls.key"));
        let message = "tls.certificate and tls.key must name as many files each; name the key of every certificate.";
        r.mistake(place, message.to_owned());
    }
    let pair = |(certificate, key): (String, String)| CertificateFiles {
        certificate: folder.join(certificate),
        key: folder.join(key),
    };
    Tls {
        files: certificates.into_iter().zip(keys).map(pair).collect(),
    }
}

fn xmpp(r: &mut Reader<'_>) -> Xmpp {
    use Registration::{Closed, Invite, Open};
    Xmpp {
        client: r.take("xmpp.client", read::listen),
        client_tls: r.take("xmpp.client_tls", read::listen),
        server: r.take("xmpp.server", read::listen),
        components: r.take("xmpp.components", read::listen),
        component_secrets: r.take("xmpp.component_secrets", component_secrets),
        contact: contact(r),
        require_tls: r.take("xmpp.require_tls", read::boolean),
        registration: r.take(
            "xmpp.registration",
            read::choice(&[("closed", Closed), ("invite", Invite), ("open", Open)]),
        ),
        scram_iterations: r.take("xmpp.scram_iterations", read::number(4096..=10_000_000)),
        archive: r.take("xmpp.archive", read::duration_or_off(MINUTE)),
        ping_after: r.take("xmpp.ping_after", read::duration_or_off(SECOND)),
        rooms: r.take("xmpp.rooms", service_name),
        upload: r.take("xmpp.upload", service_name),
        upload_quota: r.take("xmpp.upload_quota", read::size(0..=u64::MAX)),
    }
}

fn component_secrets(value: &Value) -> Read<BTreeMap<String, String>> {
    let secrets = read::table_of_texts(value)?;
    for (domain, secret) in &secrets {
        if let Err(wrong) = Domain::parse(domain) {
            return Err(format!("names \"{domain}\", which {wrong}"));
        }
        if secret.is_empty() {
            return Err(format!("must have a secret for \"{domain}\""));
        }
    }
    Ok(secrets)
}

fn contact(r: &mut Reader<'_>) -> Contact {
    let mut role = |name: &str| r.take(&format!("xmpp.contact.{name}"), uris);
    Contact {
        abuse: role("abuse"),
        admin: role("admin"),
        feedback: role("feedback"),
        sales: role("sales"),
        security: role("security"),
        status: role("status"),
        support: role("support"),
    }
}

/// RFC 3986 §3: a scheme, and something behind it.
fn uris(value: &Value) -> Read<Vec<String>> {
    let all = read::texts(value)?;
    let is_uri = |text: &str| {
        text.split_once(':').is_some_and(|(scheme, rest)| {
            let mut letters = scheme.bytes();
            letters
                .next()
                .is_some_and(|first| first.is_ascii_alphabetic())
                && letters.all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
                && !rest.is_empty()
                && !rest.contains(|c: char| c.is_whitespace() || "<>\"".contains(c))
        })
    };
    match all.iter().find(|text| !is_uri(text)) {
        None => Ok(all),
        Some(text) => Err(format!(
            "must hold URIs such as \"xmpp:ann@office.example\", not \"{text}\""
        )),
    }
}

fn service_name(value: &Value) -> Read<String> {
    let name = read::text(value)?;
    let example = name.replace("{domain}", "office.example");
    if name.is_empty() || Domain::parse(&example).is_ok() {
        return Ok(name);
    }
    Err(format!(
        "must be a name such as \"rooms.{{domain}}\", or \"\", not \"{name}\""
    ))
}

fn http(r: &mut Reader<'_>, folder: &Path) -> Http {
    Http {
        listen: r.take("http.listen", read::listen),
        listen_tls: r.take("http.listen_tls", read::listen),
        public_url: r.take("http.public_url", url),
        trusted_proxies: r.take("http.trusted_proxies", networks),
        cors: r.take("http.cors", origins),
        presence_prefix: r.take("http.presence_prefix", prefix),
        app: path(r, "http.app", folder),
        platform: r.take("http.platform", read::boolean),
    }
}

fn url(value: &Value) -> Read<Option<String>> {
    let Some(text) = read::optional(value)? else {
        return Ok(None);
    };
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(rest)
            if !rest.is_empty() && !rest.starts_with('/') && !rest.contains([' ', '?', '#']) =>
        {
            Ok(Some(text.trim_end_matches('/').to_owned()))
        }
        _ => Err(format!(
            "must be a URL such as \"https://im.office.example\", not \"{text}\""
        )),
    }
}

/// RFC 6454 §6.1: scheme, host and port as browsers write them.
fn origins(value: &Value) -> Read<Vec<String>> {
    let all = read::texts(value)?;
    let is_origin = |text: &str| {
        let host = text
            .split_once("://")
            .filter(|(scheme, _)| !scheme.is_empty())
            .map_or("", |(_, host)| host);
        text == "*" || !host.is_empty() && !host.contains(['/', ' ', '?', '#', '*', ','])
    };
    match all.iter().find(|text| !is_origin(text)) {
        None => Ok(all),
        Some(text) => Err(format!(
            "must hold \"*\" or origins such as \"https://www.office.example\", without a path, not \"{text}\""
        )),
    }
}

fn prefix(value: &Value) -> Read<String> {
    let text = read::text(value)?;
    let fine = text.len() > 1
        && text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains([' ', '?', '#']);
    if fine {
        Ok(text)
    } else {
        Err(format!(
            "must be a path such as \"/presence\", not \"{text}\""
        ))
    }
}

fn networks(value: &Value) -> Read<Vec<Network>> {
    read::texts(value)?
        .iter()
        .map(|text| network(text))
        .collect()
}

fn network(text: &str) -> Read<Network> {
    let must = || {
        format!(
            "holds \"{text}\", which is no block of addresses; write \"10.0.0.0/8\" or \"192.0.2.1\""
        )
    };
    let (address, prefix) = text
        .split_once('/')
        .map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    let address: IpAddr = address.parse().map_err(|_| must())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.map_or(Ok(most), |prefix| prefix.parse().map_err(|_| must()))?;
    if prefix > most {
        Err(must())
    } else {
        Ok(Network { address, prefix })
    }
}

fn sip(r: &mut Reader<'_>) -> Sip {
    Sip {
        udp: r.take("sip.udp", read::listen),
        tcp: r.take("sip.tcp", read::listen),
        tls: r.take("sip.tls", read::listen),
        public_host: r.take("sip.public_host", host),
        require_auth: r.take("sip.require_auth", read::boolean),
        digest: r.take("sip.digest", digest),
        digest_legacy: r.take("sip.digest_legacy", read::boolean),
        register: r.take(
            "sip.register",
            read::choice(&[("local", Register::Local), ("pbx", Register::Pbx)]),
        ),
        pbx: r.take("sip.pbx", sip_uri),
        indirect_over: r.take("sip.indirect_over", read::size(0..=GIB)),
    }
}

fn host(value: &Value) -> Read<Option<String>> {
    let Some(text) = read::optional(value)? else {
        return Ok(None);
    };
    if let Ok(address) = text.trim_matches(['[', ']']).parse::<IpAddr>() {
        return Ok(Some(address.to_string()));
    }
    match Domain::parse(&text) {
        Ok(domain) => Ok(Some(domain.ascii)),
        Err(wrong) => Err(format!(
            "must be a host name or IP address, but \"{text}\" {wrong}"
        )),
    }
}

fn digest(value: &Value) -> Read<Vec<DigestAlgorithm>> {
    const MUST: &str = "must be [\"md5\"], [\"sha-256\"] or [\"sha-256\", \"md5\"]";
    let texts = read::texts(value).map_err(|_| MUST.to_owned())?;
    let one = |text: &String| match text.to_ascii_lowercase().as_str() {
        "md5" => Ok(DigestAlgorithm::Md5),
        "sha-256" => Ok(DigestAlgorithm::Sha256),
        _ => Err(format!("{MUST}, not \"{text}\"")),
    };
    let mut all = texts.iter().map(one).collect::<Read<Vec<_>>>()?;
    all.sort_unstable();
    all.dedup();
    if all.is_empty() {
        Err(MUST.to_owned())
    } else {
        Ok(all)
    }
}

fn sip_uri(value: &Value) -> Read<Option<String>> {
    let Some(text) = read::optional(value)? else {
        return Ok(None);
    };
    let rest = text
        .strip_prefix("sip:")
        .or_else(|| text.strip_prefix("sips:"));
    let fine = rest.is_some_and(|rest| !rest.is_empty() && !rest.contains([' ', '<', '>', '"']));
    if fine {
        Ok(Some(text))
    } else {
        Err(format!(
            "must be a SIP URI such as \"sip:pbx.example:5060\", not \"{text}\""
        ))
    }
}

fn presence(r: &mut Reader<'_>) -> Presence {
    Presence {
        same_domain: r.take(
            "presence.same_domain",
            read::choice(&[("allow", SameDomain::Allow), ("ask", SameDomain::Ask)]),
        ),
        registered_is_open: r.take("presence.registered_is_open", read::boolean),
    }
}

fn limits(r: &mut Reader<'_>) -> Limits {
    let bytes = |r: &mut Reader<'_>, key: &str, low: u64, high: u64| {
        r.take(key, read::size(low..=high)) as usize
    };
    Limits {
        stanza_size: bytes(r, "limits.stanza_size", KIB, 16 * MIB),
        stanza_depth: r.take("limits.stanza_depth", read::number(8..=256)) as usize,
        unauthenticated_bytes: bytes(r, "limits.unauthenticated_bytes", KIB, MIB),
        unauthenticated_elements: r.take("limits.unauthenticated_elements", read::number(4..=1024))
            as usize,
        unauthenticated_time: r.take("limits.unauthenticated_time", between(SECOND, 10 * MINUTE)),
        connections: r.take("limits.connections", read::count_or_unlimited),
        connections_per_address: r.take("limits.connections_per_address", read::count_or_unlimited),
        sessions_per_account: r.take("limits.sessions_per_account", read::count_or_unlimited),
        out_queue: bytes(r, "limits.out_queue", 64 * KIB, GIB),
        password_checks: r.take("limits.password_checks", read::count(1)),
        roster_items: r.take("limits.roster_items", read::count_or_unlimited),
        pending_requests: r.take("limits.pending_requests", read::count_or_unlimited),
        blocked_addresses: r.take("limits.blocked_addresses", read::count(1)),
        reports: r.take("limits.reports", read::count(0)),
        directed_presence: r.take("limits.directed_presence", read::count(1)),
        offline_messages: r.take("limits.offline_messages", read::count(0)),
        offline_bytes: bytes(r, "limits.offline_bytes", KIB, u64::MAX >> 1),
        offline_expires: r.take("limits.offline_expires", read::duration_or_unlimited),
        vcard_size: bytes(r, "limits.vcard_size", KIB, 16 * MIB),
        search_results: r.take("limits.search_results", read::count(1)),
        private_elements: r.take("limits.private_elements", read::count(1)),
        private_bytes: bytes(r, "limits.private_bytes", KIB, u64::MAX >> 1),
        archive_page: r.take("limits.archive_page", read::number(10..=10_000)) as usize,
        archive_preferences: r.take("limits.archive_preferences", read::count(1)),
        command_sessions: r.take("limits.command_sessions", read::count(1)),
        command_timeout: r.take("limits.command_timeout", read::duration(SECOND)),
        publications_per_account: r.take("limits.publications_per_account", read::count(1)),
        subscriptions_per_account: r
            .take("limits.subscriptions_per_account", read::count_or_unlimited),
        registrations_per_account: r.take("limits.registrations_per_account", read::count(1)),
        pubsub_nodes: r.take("limits.pubsub_nodes", read::count_or_unlimited),
        pubsub_items: r.take("limits.pubsub_items", read::count(1)),
        pubsub_item_size: bytes(r, "limits.pubsub_item_size", KIB, 16 * MIB),
        pubsub_bytes: bytes(r, "limits.pubsub_bytes", KIB, u64::MAX >> 1),
        pubsub_subscriptions: r.take("limits.pubsub_subscriptions", read::count(1)),
        caps_cache: r.take("limits.caps_cache", read::count(16)),
        sip_message_size: bytes(r, "limits.sip_message_size", 2 * KIB, 16 * MIB),
        sip_connections: r.take("limits.sip_connections", read::count_or_unlimited),
        sip_transactions: r.take("limits.sip_transactions", read::count(16)),
        write_queue: r.take("limits.write_queue", read::count(16)),
        publish_expires: expires(r, "limits.publish_expires"),
        subscribe_expires: expires(r, "limits.subscribe_expires"),
        register_expires: expires(r, "limits.register_expires"),
        notify_pace: r.take("limits.notify_pace", between(Duration::ZERO, 60 * MINUTE)),
        auth_failures: auth_failures(r),
        login_tokens: login_tokens(r),
        restart_grace: r.take("limits.restart_grace", between(Duration::ZERO, 60 * MINUTE)),
        http_idle_time: r.take("limits.http_idle_time", between(INSTANT, HOUR)),
        http_request_time: r.take("limits.http_request_time", between(INSTANT, HOUR)),
        http_request_size: bytes(r, "limits.http_request_size", KIB, GIB),
        bosh_inactivity: r.take("limits.bosh_inactivity", in_seconds(SECOND, HOUR)),
        bosh_wait: r.take("limits.bosh_wait", in_seconds(SECOND, HOUR)),
        bosh_hold: r.take("limits.bosh_hold", read::number(0..=16)) as usize,
        bosh_requests: r.take("limits.bosh_requests", read::number(1..=17)) as usize,
        bosh_polling: r.take("limits.bosh_polling", in_seconds(Duration::ZERO, MINUTE)),
        bosh_pause: r.take("limits.bosh_pause", in_seconds(Duration::ZERO, HOUR)),
        resume_timeout: r.take("limits.resume_timeout", read::duration(Duration::ZERO)),
        resume_presence: r.take("limits.resume_presence", read::duration(Duration::ZERO)),
        resume_stanzas: r.take("limits.resume_stanzas", read::count(16)),
        resume_bytes: bytes(r, "limits.resume_bytes", 64 * KIB, GIB),
        inactive_stanzas: r.take("limits.inactive_stanzas", read::count(0)),
        inactive_bytes: bytes(r, "limits.inactive_bytes", KIB, GIB),
    }
}

fn between(low: Duration, high: Duration) -> impl Fn(&Value) -> Read<Duration> {
    move |value| {
        let read = read::duration(low)(value)?;
        if read <= high {
            Ok(read)
        } else {
            Err(format!(
                "must be at most {}",
                super::units::show_duration(high)
            ))
        }
    }
}

/// What is told to clients in seconds.
fn in_seconds(low: Duration, high: Duration) -> impl Fn(&Value) -> Read<Duration> {
    move |value| {
        let read = between(low, high)(value)?;
        if read.subsec_nanos() == 0 {
            Ok(read)
        } else {
            Err("must be whole seconds".to_owned())
        }
    }
}

fn expires(r: &mut Reader<'_>, key: &str) -> Expires {
    let mut part = |name: &str| r.take(&format!("{key}.{name}"), whole_seconds);
    let expires = Expires {
        min: part("min"),
        default: part("default"),
        max: part("max"),
    };
    if !(expires.min <= expires.default && expires.default <= expires.max) {
        let show = super::units::show_duration;
        let (min, default, max) = (show(expires.min), show(expires.default), show(expires.max));
        let message = format!(
            "{key} must have min <= default <= max, not {min}, {default}, {max}; write all three."
        );
        r.mistake(r.place(key), message);
    }
    expires
}

/// Lifetimes travel as delta-seconds of at most 2^32-1 (RFC 3261 §20.19).
fn whole_seconds(value: &Value) -> Read<Duration> {
    let read = read::duration(SECOND)(value)?;
    let fits = read.subsec_nanos() == 0 && u32::try_from(read.as_secs()).is_ok();
    if fits {
        Ok(read)
    } else {
        Err("must be whole seconds, at most 49710d".to_owned())
    }
}

fn auth_failures(r: &mut Reader<'_>) -> AuthFailures {
    let unlimited = |count: u32| if count == 0 { u32::MAX } else { count };
    let any = 0..=u32::MAX;
    AuthFailures {
        per_account_and_address: unlimited(r.take(
            "limits.auth_failures.per_account_and_address",
            read::number(any.clone()),
        )),
        per_address: unlimited(r.take("limits.auth_failures.per_address", read::number(any))),
        within: r.take(
            "limits.auth_failures.within",
            between(SECOND, 24 * 60 * MINUTE),
        ),
    }
}

fn login_tokens(r: &mut Reader<'_>) -> LoginTokens {
    LoginTokens {
        per_account: r.take("limits.login_tokens.per_account", read::number(1..=10_000)),
        lifetime: r.take(
            "limits.login_tokens.lifetime",
            between(MINUTE, 366 * 24 * 60 * MINUTE),
        ),
    }
}

fn backup(r: &mut Reader<'_>) -> Backup {
    Backup {
        every: r.take("backup.every", read::duration_or_off(MINUTE)),
        keep: r.take("backup.keep", read::count(1)),
    }
}

fn log(r: &mut Reader<'_>) -> Log {
    Log {
        level: r.take("log.level", |value| {
            let level = read::text(value)?;
            match crate::log::filter(&level) {
                Ok(_) => Ok(level),
                Err(_) => Err(format!(
                    "must be \"error\", \"warn\", \"info\", \"debug\" or \"trace\", not \"{level}\""
                )),
            }
        }),
        format: r.take(
            "log.format",
            read::choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)]),
        ),
    }
}

/// What depends on several keys.
fn across(r: &mut Reader<'_>, config: &Config) {
    let tcp: [(&str, &[std::net::SocketAddr]); 8] = [
        ("xmpp.client", &config.xmpp.client),
        ("xmpp.client_tls", &config.xmpp.client_tls),
        ("xmpp.server", &config.xmpp.server),
        ("xmpp.components", &config.xmpp.components),
        ("http.listen", &config.http.listen),
        ("http.listen_tls", &config.http.listen_tls),
        ("sip.tcp", &config.sip.tcp),
        ("sip.tls", &config.sip.tls),
    ];
    for (at, (later, addresses)) in tcp.iter().enumerate() {
        for (earlier, others) in tcp.iter().take(at) {
            let shared = addresses
                .iter()
                .find(|address| address.port() != 0 && others.contains(address));
            if let Some(address) = shared {
                let place = r.place(later).or(r.place(earlier));
                r.mistake(
                    place,
                    format!(
                        "{earlier} and {later} both name {address}; give one of them another port."
                    ),
                );
            }
        }
    }
    if config.sip.register == Register::Pbx && config.sip.pbx.is_none() {
        r.mistake(
            r.place("sip.register"),
            "sip.register \"pbx\" needs sip.pbx; name the PBX, e.g. \"sip:pbx.example:5060\"."
                .to_owned(),
        );
    }
}

/// The set keys that have no effect in this version, in the order of the table.
pub(crate) fn without_effect(root: &Node) -> Vec<String> {
    let mut found = Vec::new();
    for section in keys::SECTIONS {
        for key in section.keys {
            let keys::Effect::Later(honoured) = key.effect else {
                continue;
            };
            let path = if section.name.is_empty() {
                key.name.to_owned()
            } else {
                format!("{}.{}", section.name, key.name)
            };
            let Some(node) = root.get(path.split('.')) else {
                continue;
            };
            let fine = super::tree::value_of(honoured).is_some_and(|value| node.value.same(&value));
            if !fine {
                found.push(path);
            }
        }
    }
    let lists = keys::LISTS
        .iter()
        .filter(|list| list.effect != keys::Effect::Now && root.get([list.name]).is_some());
    found.extend(lists.map(|list| list.name.to_owned()));
    found
}
