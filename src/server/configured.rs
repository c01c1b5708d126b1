//! What each part is told of the configuration.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::groups::GroupPlan;
use model::{Model, Rules};
use presence::Bare;
use services::caps::Cache;
use store::{Options, StoreError};
use xmpp::adhoc::{self, Commands};
use xmpp::client::{ExternalService, Service, SharedSecret, Software};
use xmpp::sasl::{Credentials, Decoy};
use xmpp::session::Settings;

use super::shared::Clock;
use crate::config::{AliasAddress, Config, DigestAlgorithm, Members, SameDomain};

pub(super) fn options(config: &Config) -> Options {
    Options {
        queue: config.limits.write_queue,
        ..Options::default()
    }
}

/// The rules of the model, from the configuration.
pub(crate) fn rules(config: &Config) -> Rules {
    let limits = &config.limits;
    Rules {
        domains: config.domains.iter().map(|d| d.unicode.clone()).collect(),
        same_domain_allow: config.presence.same_domain == SameDomain::Allow,
        registered_is_open: config.presence.registered_is_open,
        restart_grace: limits.restart_grace,
        sessions_per_account: limits.sessions_per_account,
        roster_items: limits.roster_items,
        pending_requests: limits.pending_requests,
        blocked_addresses: limits.blocked_addresses,
        reports: limits.reports,
        offline_messages: limits.offline_messages,
        offline_bytes: limits.offline_bytes as u64,
        offline_expires: limits.offline_expires,
        // What is stored may grow when it is printed; what else is told at the login needs room beside it.
        offline_portion: (limits.out_queue as u64 / 8).min(1 << 20),
        archive: config.xmpp.archive,
        archive_page: limits.archive_page,
        archive_preferences: limits.archive_preferences,
        directed_presence: limits.directed_presence,
        publications_per_account: limits.publications_per_account,
        registrations_per_account: limits.registrations_per_account,
        subscriptions_per_account: limits.subscriptions_per_account,
        pubsub: model::pubsub::Limits {
            nodes: limits.pubsub_nodes,
            items: limits.pubsub_items,
            item_size: limits.pubsub_item_size,
            bytes: limits.pubsub_bytes as u64,
            subscriptions: limits.pubsub_subscriptions,
            // Beside the presence of all contacts and what waited.
            last_items: limits.out_queue / 4,
        },
        components: component_secrets(config).into_keys().collect(),
        vcard_size: limits.vcard_size,
        search_results: limits.search_results,
        private_elements: limits.private_elements,
        private_bytes: limits.private_bytes as u64,
    }
}

pub(super) fn load_aliases(model: &Model, config: &Config) -> Result<(), store::StoreError> {
    let configured = config.aliases.iter().flat_map(|alias| {
        let account = Bare::parse(&alias.account).ok();
        alias.addresses.iter().filter_map(move |address| {
            let form = match address {
                AliasAddress::Tel(number) => format!("tel:{number}"),
                AliasAddress::Address(address) => Bare::parse(address).ok()?.as_str().to_owned(),
            };
            Some((form, account.clone()?))
        })
    });
    model.set_aliases(configured)
}

/// The groups of the configuration. A member may be named by an alias.
pub(super) fn load_groups(model: &Arc<Model>, config: &Config) -> Result<(), store::StoreError> {
    let mut plans: BTreeMap<String, GroupPlan> = BTreeMap::new();
    for group in &config.groups {
        let plan = plans.entry(group.name.clone()).or_default();
        match &group.members {
            Members::All => plan.everybody = true,
            Members::Accounts(members) => {
                let account = |m: &String| model.alias(m).or_else(|| Bare::parse(m).ok());
                plan.members.extend(members.iter().filter_map(account));
            }
        }
    }
    model.set_groups(plans)
}

/// Key derivations at once: half of the cores, so that guessing passwords leaves the other half to those who are in.
pub(super) fn derivations() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

/// Whether SCRAM-SHA-512 can be offered: the offer comes before the user is known, so every account must have the keys. Accounts made
/// by earlier versions get them when their password is set or checked (PLAIN).
pub(super) fn offers_sha512(model: &Model) -> Result<bool, StoreError> {
    let lacking = model.store().count_scram(Credentials::INCOMPLETE)?;
    if lacking > 0 {
        tracing::info!(
            accounts = lacking,
            "SCRAM-SHA-512 is not offered until a start at which every account has keys for it: they are made when a password is set, \
             or checked for a client that uses PLAIN"
        );
    }
    Ok(lacking == 0)
}

pub(super) fn settings(config: &Config, decoy: Decoy, clock: Clock, sha512: bool) -> Settings {
    let software = Software {
        name: "Adsum".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        os: None,
    };
    let domains = config.domains.iter().map(|d| d.unicode.clone()).collect();
    let mut service =
        Service::new(domains, software, clock.now().at).with_contacts(contacts(config));
    service.external = external_services(config);
    service.archive = config.xmpp.archive.is_some();
    service.components = component_secrets(config).into_keys().collect();
    service.capabilities = Arc::new(Cache::new(config.limits.caps_cache));
    let service = Arc::new(service);
    Settings {
        require_tls: config.xmpp.require_tls,
        stanza_size: config.limits.stanza_size,
        stanza_depth: config.limits.stanza_depth,
        unauthenticated_bytes: config.limits.unauthenticated_bytes,
        unauthenticated_elements: config.limits.unauthenticated_elements,
        unauthenticated_time: config.limits.unauthenticated_time,
        ping_after: config.xmpp.ping_after.unwrap_or_default(),
        resume_timeout: config.limits.resume_timeout,
        sha512,
        ..Settings::new(service, decoy)
    }
}

/// The secret of each component, by its domain as it stands in addresses.
pub(super) fn component_secrets(config: &Config) -> BTreeMap<String, String> {
    let secrets = config.xmpp.component_secrets.iter();
    let prepared = secrets.filter_map(|(domain, secret)| {
        let domain = Bare::parse(domain).ok()?;
        Some((domain.domain().to_owned(), secret.clone()))
    });
    prepared.collect()
}

fn contacts(config: &Config) -> Vec<(&'static str, Vec<String>)> {
    let contact = &config.xmpp.contact;
    [
        ("abuse-addresses", &contact.abuse),
        ("admin-addresses", &contact.admin),
        ("feedback-addresses", &contact.feedback),
        ("sales-addresses", &contact.sales),
        ("security-addresses", &contact.security),
        ("status-addresses", &contact.status),
        ("support-addresses", &contact.support),
    ]
    .map(|(field, addresses)| (field, addresses.clone()))
    .into()
}

fn external_services(config: &Config) -> Vec<ExternalService> {
    let services = config.external_services.iter().map(|s| ExternalService {
        kind: s.kind,
        host: s.host.clone(),
        port: s.port,
        transport: s.transport,
        secret: s.secret.clone().map(|text| SharedSecret {
            text,
            lifetime: s.lifetime,
        }),
    });
    services.collect()
}

/// Ad-hoc commands, none under way.
pub(super) fn commands(config: &Config) -> Commands {
    let limits = adhoc::Limits {
        each: config.limits.command_sessions,
        lifetime: config.limits.command_timeout,
        ..adhoc::Limits::default()
    };
    Commands::new(adhoc::TABLE, limits, rand::random())
}

pub(super) fn layer(config: &Config) -> ::sip::transaction::Layer {
    let settings = ::sip::transaction::Config {
        max_transactions: config.limits.sip_transactions,
        server: Some(format!("Adsum/{}", env!("CARGO_PKG_VERSION"))),
        ..::sip::transaction::Config::default()
    };
    ::sip::transaction::Layer::new(settings, rand::random())
}

/// Phones send refreshes to our Contact: with another port than the usual one it has to be named there.
pub(super) fn bridge(config: &Config, port: u16) -> ::bridge::Bridge<::sip::transaction::ServerId> {
    let lifetimes = |e: &crate::config::Expires| ::bridge::Lifetimes {
        min: e.min,
        default: e.default,
        max: e.max,
    };
    let domains = config.domains.iter().map(|d| d.unicode.clone()).collect();
    let settings = ::bridge::Config {
        public_host: match (&config.sip.public_host, port) {
            (Some(host), _) => Some(host.clone()),
            (None, 5060) => None,
            (None, port) => Some(format!("{}:{port}", config.domains[0].ascii)),
        },
        require_auth: config.sip.require_auth,
        digest: config
            .sip
            .digest
            .iter()
            .map(|a| match a {
                DigestAlgorithm::Sha256 => ::sip::digest::Algorithm::Sha256,
                DigestAlgorithm::Md5 => ::sip::digest::Algorithm::Md5,
            })
            .collect(),
        digest_legacy: config.sip.digest_legacy,
        publish_expires: lifetimes(&config.limits.publish_expires),
        subscribe_expires: lifetimes(&config.limits.subscribe_expires),
        register_expires: lifetimes(&config.limits.register_expires),
        notify_pace: config.limits.notify_pace,
        ..::bridge::Config::new(domains)
    };
    ::bridge::Bridge::new(settings, rand::random(), rand::random())
}
