//! From a configuration to a running server, and its end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::{Model, Rules};
use parking_lot::Mutex;
use presence::Bare;
use rand::TryRngCore as _;
use serde_json::{Value, json};
use store::{Options, Store};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};
use xmpp::client::{Service, Software};
use xmpp::sasl::{Attempts, Decoy, Limits as AttemptLimits, Remembered};
use xmpp::session::Settings;

use super::accept::{Census, accept};
use super::admin::{self, Executor};
use super::bind::{self, Bound};
use super::link::Link;
use super::shared::{Clock, Gauges, Shared, Stage};
use super::sip::Sip;
use super::turn::turn;
use super::{backup, http, sip, xmpp as clients};
use crate::certificates::Certificates;
use crate::config::{AliasAddress, Config, DigestAlgorithm, SameDomain};
use crate::data_folder::{self, DataFolder, Lock};
use crate::secrets::Vault;

/// Why a server does not start: a sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StartError(pub String);

/// The server has ended, and not everything is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "The last changes were not written to the database (the log says why); the next start takes this end for a crash."
)]
pub struct StopError;

/// So long another program may hold the database when the server ends.
const DATABASE_HELD: Duration = Duration::from_secs(2);

fn failed(error: &dyn std::fmt::Display) -> StartError {
    StartError(error.to_string())
}

/// A running server.
pub struct Server {
    shared: Arc<Shared>,
    sip: Arc<Sip>,
    stop: watch::Sender<Stage>,
    listening: BTreeMap<&'static str, Vec<SocketAddr>>,
    _lock: Lock,
}

/// The data of a server that does not run, open for a command.
pub struct Offline {
    /// The model over the database.
    pub model: Arc<Model>,
    /// Seals digest values.
    pub vault: Vault,
    folder: DataFolder,
    _lock: Lock,
}

/// Opens the data for a command while no server runs.
pub fn offline(config: &Config, folder: DataFolder) -> Result<Offline, StartError> {
    let lock = folder.lock().map_err(|e| failed(&e))?;
    let vault = Vault::new(&folder.secret_key().map_err(|e| failed(&e))?);
    let (store, _) =
        Store::open_tool(&folder.database(), options(config)).map_err(|e| failed(&e))?;
    let clock = Clock::start();
    let model = Model::new(
        store,
        rules(config),
        Box::new(move || clock.now()),
        Box::new(random),
    );
    load_aliases(&model, config).map_err(|e| failed(&e))?;
    Ok(Offline {
        model,
        vault,
        folder,
        _lock: lock,
    })
}

impl Offline {
    /// What does commands on it.
    pub fn executor<'a>(&'a self, config: &'a Config) -> Executor<'a> {
        Executor {
            model: &self.model,
            config,
            folder: &self.folder,
            vault: &self.vault,
            status: None,
            forget: None,
        }
    }

    /// Waits until all is on disk, what follows from it included.
    pub fn close(self) {
        for _ in 0..8 {
            self.model.store().barrier();
        }
    }
}

fn random(octets: &mut [u8]) {
    if rand::rngs::OsRng.try_fill_bytes(octets).is_err() {
        // Without randomness nothing here is safe.
        tracing::error!("the operating system gives no random numbers; stopping");
        std::process::abort();
    }
}

fn options(config: &Config) -> Options {
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
        offline_messages: limits.offline_messages,
        offline_bytes: limits.offline_bytes as u64,
        offline_expires: limits.offline_expires,
        // What is stored may grow when it is printed; what else is told at the login needs room beside it.
        offline_portion: (limits.out_queue as u64 / 8).min(1 << 20),
        directed_presence: limits.directed_presence,
        publications_per_account: limits.publications_per_account,
        registrations_per_account: limits.registrations_per_account,
        subscriptions_per_account: limits.subscriptions_per_account,
    }
}

fn load_aliases(model: &Model, config: &Config) -> Result<(), store::StoreError> {
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

impl Server {
    /// Starts a server: binds its addresses, opens its data, brings back what was there, listens. Nothing is changed when an
    /// address cannot be had.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let bound = bind::all(&config).map_err(StartError)?;
        crate::certificates::usable(&config).map_err(|e| failed(&e))?;
        let folder = DataFolder::open(&config.data).map_err(|e| failed(&e))?;
        let lock = folder.lock().map_err(|e| failed(&e))?;
        let now = time::OffsetDateTime::now_utc();
        let certificates = Certificates::load(&config, &folder, now).map_err(|e| failed(&e))?;
        let key = folder.secret_key().map_err(|e| failed(&e))?;
        let (store, start) =
            Store::open(&folder.database(), options(&config)).map_err(|e| failed(&e))?;
        let clock = Clock::start();
        let model = Model::new(
            store,
            rules(&config),
            Box::new(move || clock.now()),
            Box::new(random),
        );
        load_aliases(&model, &config).map_err(|e| failed(&e))?;
        let (stop, stopping) = watch::channel(Stage::Serving);
        let decoy = Decoy::new(derived(&key, b"decoy"), 16, config.xmpp.scram_iterations);
        let shared = Arc::new(Shared {
            xmpp: Arc::new(settings(&config, decoy.clone(), clock)),
            attempts: Mutex::new(Attempts::new(AttemptLimits {
                per_account_and_address: config.limits.auth_failures.per_account_and_address
                    as usize,
                per_address: config.limits.auth_failures.per_address as usize,
                within: config.limits.auth_failures.within,
                capacity: 100_000,
            })),
            remembered: Mutex::new(Remembered::new(rand::random(), 100_000)),
            derivations: Arc::new(Semaphore::new(derivations())),
            vault: Vault::new(&key),
            decoy,
            clock,
            certificates,
            model: Arc::clone(&model),
            gauges: Gauges::default(),
            sip: OnceLock::new(),
            loaded: Mutex::new(Arc::new(config.clone())),
            changed: Mutex::default(),
            stop: stopping,
            folder,
            config,
        });
        complete_on_runtime(&shared);
        let (sockets, listeners) = sort(bound)?;
        let port = sockets
            .first()
            .and_then(|s| s.local_addr().ok())
            .map_or(5060, |a| a.port());
        let sip = Sip::new(
            layer(&shared.config),
            bridge(&shared.config, port),
            sockets,
            clock.now().utc,
        );
        model.set_phones(Arc::clone(&sip) as Arc<dyn model::Route>);
        if start.unclean {
            tracing::warn!(
                kept_for = ?shared.config.limits.restart_grace,
                "the server did not end cleanly; presence of connections is kept as last known for a while"
            );
        }
        let watches = turn(|| model.restore(start.unclean)).map_err(|e| failed(&e))?;
        let _ = shared.sip.set(Arc::downgrade(&sip));
        sip.begin(&shared, watches);
        let listening = listen(&shared, &sip, listeners);
        let server = Self {
            shared,
            sip,
            stop,
            listening,
            _lock: lock,
        };
        server.announce()?;
        Ok(server)
    }

    /// What its parts share.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Where it listens, by configuration key.
    pub fn listening(&self) -> &BTreeMap<&'static str, Vec<SocketAddr>> {
        &self.listening
    }

    fn announce(&self) -> Result<(), StartError> {
        admin::serve(&self.shared).map_err(|e| failed(&e))?;
        let mut document = serde_json::Map::new();
        for (key, addresses) in &self.listening {
            document.insert(
                (*key).to_owned(),
                addresses.iter().map(ToString::to_string).collect(),
            );
        }
        let text = serde_json::to_vec_pretty(&Value::Object(document)).unwrap_or_default();
        self.shared
            .folder
            .write(data_folder::LISTENING, &text, data_folder::PUBLIC)
            .map_err(|e| failed(&e))
    }

    /// Ends it: streams are closed, everybody is told, all data is on disk. Within 5 s, also when something hangs: another program
    /// that holds the database is waited for a moment, then what cannot be written is lost, and this says so.
    pub async fn stop(self) -> Result<(), StopError> {
        let _ = self.stop.send(Stage::Closing);
        self.shared.model.store().hurry(DATABASE_HELD);
        let patience = Duration::from_secs(3);
        let gone = async {
            while self.shared.gauges.xmpp_connections.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(patience, gone).await;
        let model = Arc::clone(&self.shared.model);
        let sip = Arc::clone(&self.sip);
        let told = tokio::task::spawn_blocking(move || {
            turn(|| model.shut_down());
            model.store().barrier();
            model
        });
        let mut clean = false;
        if let Ok(model) = told.await {
            // What follows from the last commits runs in another task: it is done when this is.
            let (done, completed) = tokio::sync::oneshot::channel();
            let last = move |_| {
                let _ = done.send(());
            };
            if model.store().submit(Vec::new(), Box::new(last)).is_ok() {
                let _ = tokio::time::timeout(Duration::from_secs(1), completed).await;
            }
            sip.work(|_| {});
            let _ = self.stop.send(Stage::Ended);
            let closed = tokio::task::spawn_blocking(move || model.store().clone().close_clean());
            clean = closed.await.unwrap_or(false);
        }
        let _ = std::fs::remove_file(self.shared.folder.listening());
        let _ = std::fs::remove_file(self.shared.folder.admin_socket());
        if clean { Ok(()) } else { Err(StopError) }
    }

    /// Takes certificates and aliases from the configuration again, without dropping a connection.
    pub fn reload(&self, config: &Config) -> Result<(), StartError> {
        let now = time::OffsetDateTime::now_utc();
        self.shared
            .certificates
            .reload(config, &self.shared.folder, now)
            .map_err(|e| failed(&e))?;
        load_aliases(&self.shared.model, config).map_err(|e| failed(&e))?;
        self.sip.keys_changed();
        *self.shared.loaded.lock() = Arc::new(config.clone());
        Ok(())
    }
}

/// Key derivations at once: half of the cores, so that guessing passwords leaves the other half to those who are in.
fn derivations() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

/// A key for another use, from the stored one.
fn derived(key: &[u8; 32], purpose: &[u8]) -> [u8; 32] {
    let mut context =
        ring::hmac::Context::with_key(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key));
    context.update(purpose);
    let tag = context.sign();
    let mut derived = [0; 32];
    derived.copy_from_slice(tag.as_ref());
    derived
}

fn settings(config: &Config, decoy: Decoy, clock: Clock) -> Settings {
    let software = Software {
        name: "Adsum".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        os: None,
    };
    let domains = config.domains.iter().map(|d| d.unicode.clone()).collect();
    let service = Arc::new(Service::new(domains, software, clock.now().at));
    Settings {
        require_tls: config.xmpp.require_tls,
        stanza_size: config.limits.stanza_size,
        stanza_depth: config.limits.stanza_depth,
        unauthenticated_bytes: config.limits.unauthenticated_bytes,
        unauthenticated_elements: config.limits.unauthenticated_elements,
        unauthenticated_time: config.limits.unauthenticated_time,
        ping_after: config.xmpp.ping_after.unwrap_or_default(),
        ..Settings::new(service, decoy)
    }
}

fn layer(config: &Config) -> ::sip::transaction::Layer {
    let settings = ::sip::transaction::Config {
        max_transactions: config.limits.sip_transactions,
        server: Some(format!("Adsum/{}", env!("CARGO_PKG_VERSION"))),
        ..::sip::transaction::Config::default()
    };
    ::sip::transaction::Layer::new(settings, rand::random())
}

/// Phones send refreshes to our Contact: with another port than the usual one it has to be named there.
fn bridge(config: &Config, port: u16) -> ::bridge::Bridge<::sip::transaction::ServerId> {
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

/// What follows from commits runs in a task of the runtime, in order, not on the writer's thread.
fn complete_on_runtime(shared: &Arc<Shared>) {
    let (send, mut completions) = mpsc::unbounded_channel::<Vec<store::Completion>>();
    shared
        .model
        .store()
        .set_completion_sink(Box::new(move |batch| {
            if let Err(mpsc::error::SendError(batch)) = send.send(batch) {
                // The runtime has ended: what is left is told here.
                for completion in batch {
                    completion.run();
                }
            }
        }));
    tokio::spawn(async move {
        while let Some(batch) = completions.recv().await {
            turn(|| {
                for completion in batch {
                    completion.run();
                }
            });
        }
    });
    let model = Arc::clone(&shared.model);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        loop {
            let due = shared.clock.instant(model.poll_timeout());
            // New endings may be nearer than the one waited for: a look each second is cheap.
            let latest = tokio::time::Instant::now() + Duration::from_secs(1);
            tokio::select! {
                () = tokio::time::sleep_until(due.min(latest)) => turn(|| model.handle_timeout()),
                () = shared.stopped() => return,
            }
        }
    });
}

fn sort(bound: Vec<Bound>) -> Result<(Vec<UdpSocket>, Vec<Bound>), StartError> {
    let mut sockets = Vec::new();
    let mut listeners = Vec::new();
    for one in bound {
        if one.key == "sip.udp" {
            sockets.push(UdpSocket::from_std(one.socket.into()).map_err(|e| failed(&e))?);
        } else {
            listeners.push(one);
        }
    }
    Ok((sockets, listeners))
}

fn listen(
    shared: &Arc<Shared>,
    sip: &Arc<Sip>,
    bound: Vec<Bound>,
) -> BTreeMap<&'static str, Vec<SocketAddr>> {
    let mut listening: BTreeMap<&'static str, Vec<SocketAddr>> = BTreeMap::new();
    for index in 0..sip.sockets() {
        if let Some(address) = sip.address(index) {
            listening.entry("sip.udp").or_default().push(address);
        }
        tokio::spawn(sip::receive(Arc::clone(shared), Arc::clone(sip), index));
    }
    tokio::spawn(sip::drive(Arc::clone(shared), Arc::clone(sip)));
    tokio::spawn(backup::keep_making(Arc::clone(shared)));
    tokio::spawn(renew(Arc::clone(shared)));
    let census = Arc::new(Census::default());
    let (phones, pages) = (Arc::new(Census::default()), Arc::new(Census::default()));
    for one in bound {
        let Ok(listener) = TcpListener::from_std(one.socket.into()) else {
            continue;
        };
        listening.entry(one.key).or_default().push(one.address);
        let (shared, sip) = (Arc::clone(shared), Arc::clone(sip));
        let most = shared.config.limits.connections;
        match one.key {
            "xmpp.client" | "xmpp.client_tls" => {
                let direct = one.key == "xmpp.client_tls";
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        let limit = shared.config.limits.out_queue;
                        let (link, reader) = Link::new(socket, peer, limit);
                        clients::serve(Arc::clone(&shared), link, reader, direct, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&census), most, serve));
            }
            "http.listen" | "http.listen_tls" => {
                let tls = one.key == "http.listen_tls";
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        http::serve(Arc::clone(&shared), socket, peer, tls, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&pages), most, serve));
            }
            _ => {
                let tls = one.key == "sip.tls";
                let most = shared.config.limits.sip_connections;
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        let (shared, sip) = (Arc::clone(&shared), Arc::clone(&sip));
                        sip::serve(shared, sip, socket, peer, tls, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&phones), most, serve));
            }
        }
    }
    listening
}

/// Local certificates are renewed before they end.
async fn renew(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(86_400)) => {}
            () = shared.stopped() => return,
        }
        let now = time::OffsetDateTime::now_utc();
        let config = Arc::clone(&shared.loaded.lock());
        if let Err(error) = shared.certificates.reload(&config, &shared.folder, now) {
            tracing::error!(%error, "the certificates could not be renewed");
        }
    }
}

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
            "connections": { "xmpp": at(&self.gauges.xmpp_connections) },
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
        self.remembered.lock().forget(account.as_str());
        let now = self.now().at;
        let mut changed = self.changed.lock();
        changed.retain(|_, at| now.since(*at) < Duration::from_secs(600));
        changed.insert(account.clone(), now);
        drop(changed);
        if let Some(sip) = self.sip.get().and_then(std::sync::Weak::upgrade) {
            sip.keys_changed();
        }
    }
}
