//! From a configuration to a running server, and its end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::Model;
use parking_lot::Mutex;
use rand::TryRngCore as _;
use serde_json::Value;
use store::Store;
use tokio::sync::{Semaphore, mpsc, watch};
use xmpp::sasl::{Attempts, Decoy, Limits as AttemptLimits, Remembered};

use super::admin::{self, Executor};
use super::bind;
use super::http::{self, Kept};
use super::shared::{Clock, Gauges, Shared, Stage};
use super::sip::Sip;
use super::turn::turn;
use super::xmpp::Resumable;
use super::{configured, listen};
use crate::certificates::Certificates;
use crate::config::Config;
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

pub(super) fn failed(error: &dyn std::fmt::Display) -> StartError {
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
    let (store, _) = Store::open_tool(&folder.database(), configured::options(config))
        .map_err(|e| failed(&e))?;
    let clock = Clock::start();
    let model = Model::new(
        store,
        configured::rules(config),
        Box::new(move || clock.now()),
        Box::new(random),
    );
    configured::load_aliases(&model, config).map_err(|e| failed(&e))?;
    configured::load_groups(&model, config).map_err(|e| failed(&e))?;
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

/// Random octets of the operating system, some at a time for each thread: one of them is never given out twice.
struct Pool {
    octets: [u8; 512],
    used: usize,
}

impl Pool {
    fn next(&mut self) -> u8 {
        if self.used >= self.octets.len() {
            if rand::rngs::OsRng.try_fill_bytes(&mut self.octets).is_err() {
                // Without randomness nothing here is safe.
                tracing::error!("the operating system gives no random numbers; stopping");
                std::process::abort();
            }
            self.used = 0;
        }
        let octet = std::mem::take(&mut self.octets[self.used]);
        self.used += 1;
        octet
    }
}

thread_local! {
    static RANDOM: RefCell<Pool> = const { RefCell::new(Pool { octets: [0; 512], used: 512 }) };
}

fn random(octets: &mut [u8]) {
    RANDOM.with_borrow_mut(|pool| {
        for octet in octets {
            *octet = pool.next();
        }
    });
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
        let (store, start) = Store::open(&folder.database(), configured::options(&config))
            .map_err(|e| failed(&e))?;
        let clock = Clock::start();
        let model = Model::new(
            store,
            configured::rules(&config),
            Box::new(move || clock.now()),
            Box::new(random),
        );
        configured::load_aliases(&model, &config).map_err(|e| failed(&e))?;
        configured::load_groups(&model, &config).map_err(|e| failed(&e))?;
        let (stop, stopping) = watch::channel(Stage::Serving);
        let sha512 = configured::offers_sha512(&model).map_err(|e| failed(&e))?;
        let decoy = Decoy::new(derived(&key, b"decoy"), 16, config.xmpp.scram_iterations);
        let shared = Arc::new(Shared {
            xmpp: Arc::new(configured::settings(&config, decoy.clone(), clock, sha512)),
            attempts: Mutex::new(Attempts::new(AttemptLimits {
                per_account_and_address: config.limits.auth_failures.per_account_and_address
                    as usize,
                per_address: config.limits.auth_failures.per_address as usize,
                within: config.limits.auth_failures.within,
                capacity: 100_000,
            })),
            remembered: Mutex::new(Remembered::new(rand::random(), 100_000)),
            derivations: Arc::new(Semaphore::new(configured::derivations())),
            chores: Arc::new(Semaphore::new(2)),
            component_secrets: watch::Sender::new(Arc::new(configured::component_secrets(&config))),
            commands: Mutex::new(configured::commands(&config)),
            vault: Vault::new(&key),
            decoy,
            clock,
            certificates,
            model: Arc::clone(&model),
            gauges: Gauges::default(),
            resumable: Resumable::default(),
            sip: OnceLock::new(),
            web_ports: OnceLock::new(),
            files: Kept::default(),
            bosh: Arc::default(),
            loaded: Mutex::new(Arc::new(config.clone())),
            ended_secrets: AtomicU64::new(0),
            stop: stopping,
            folder,
            config,
        });
        complete_on_runtime(&shared);
        let watching = Arc::downgrade(&shared);
        model.watch_secrets(move |account| {
            if let Some(shared) = watching.upgrade() {
                shared.forget(account);
            }
        });
        let (sockets, listeners) = listen::sort(bound)?;
        let port = sockets
            .first()
            .and_then(|s| s.local_addr().ok())
            .map_or(5060, |a| a.port());
        let sip = Sip::new(
            configured::layer(&shared.config),
            configured::bridge(&shared.config, port),
            sockets,
            clock.now().utc,
        );
        model.set_phones(Arc::clone(&sip) as Arc<dyn model::Route>);
        for problem in http::problems(&shared.config) {
            tracing::warn!("{problem}");
        }
        if start.unclean {
            tracing::warn!(
                kept_for = ?shared.config.limits.restart_grace,
                "the server did not end cleanly; presence of connections is kept as last known for a while"
            );
        }
        let watches = turn(|| model.restore(start.unclean)).map_err(|e| failed(&e))?;
        let _ = shared.sip.set(Arc::downgrade(&sip));
        sip.begin(&shared, watches);
        let listening = listen::listen(&shared, &sip, listeners);
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
        let gauges = &self.shared.gauges;
        let left = || {
            gauges.xmpp_connections.load(Ordering::Relaxed)
                + gauges.xmpp_waiting.load(Ordering::Relaxed)
                + gauges.http_connections.load(Ordering::Relaxed)
        };
        let gone = async {
            while left() > 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(patience, gone).await.is_err() {
            tracing::warn!(left = left(), "connections did not end in time");
        }
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

    /// Takes certificates, aliases, groups and the secrets of components from the configuration again. Nobody loses a connection but components
    /// whose secret is another or gone.
    pub fn reload(&self, config: &Config) -> Result<(), StartError> {
        let now = time::OffsetDateTime::now_utc();
        self.shared
            .certificates
            .reload(config, &self.shared.folder, now)
            .map_err(|e| failed(&e))?;
        configured::load_aliases(&self.shared.model, config).map_err(|e| failed(&e))?;
        turn(|| configured::load_groups(&self.shared.model, config)).map_err(|e| failed(&e))?;
        self.shared
            .change_component_secrets(configured::component_secrets(config));
        self.sip.keys_changed();
        *self.shared.loaded.lock() = Arc::new(config.clone());
        Ok(())
    }
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
