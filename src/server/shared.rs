//! What every connection needs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use model::{Model, Now};
use parking_lot::Mutex;
use presence::{Timestamp, Utc};
use tokio::sync::{Semaphore, watch};
use xmpp::adhoc::Commands;
use xmpp::discovery::Item;
use xmpp::sasl::{Attempts, Decoy, Remembered};

use super::configured;
use super::http::{Kept, Ports};
use super::sip::Sip;
use super::xmpp::Resumable;
use crate::certificates::Certificates;
use crate::config::Config;
use crate::data_folder::DataFolder;
use crate::secrets::Vault;

/// The running server, as its parts see it.
pub struct Shared {
    /// The presence model.
    pub model: Arc<Model>,
    /// The configuration it was started with.
    pub config: Config,
    /// Where its data is.
    pub folder: DataFolder,
    /// Certificates, exchanged on reload.
    pub certificates: Certificates,
    /// Seals digest values.
    pub vault: Vault,
    pub(crate) decoy: Decoy,
    pub(crate) xmpp: Arc<xmpp::session::Settings>,
    pub(crate) attempts: Mutex<Attempts>,
    pub(crate) remembered: Mutex<Remembered>,
    /// Key derivations that may run at once.
    pub(crate) derivations: Arc<Semaphore>,
    /// Searches and commands that may run at once beside the threads that serve connections.
    pub(crate) chores: Arc<Semaphore>,
    /// Ad-hoc commands under way.
    pub(crate) commands: Mutex<Commands>,
    /// The secret of each component, by its domain, exchanged on reload.
    pub(crate) component_secrets: watch::Sender<Secrets>,
    pub(crate) clock: Clock,
    pub(crate) gauges: Gauges,
    /// Streams that can go on on another connection.
    pub(crate) resumable: Resumable,
    pub(crate) sip: OnceLock<Weak<Sip>>,
    /// Files of the web app that were read.
    pub(crate) files: Kept,
    /// Sessions of BOSH.
    pub(crate) bosh: Arc<super::http::bosh::Registry>,
    /// Where HTTP is spoken.
    pub(crate) web_ports: OnceLock<Ports>,
    /// The configuration as it was last loaded: what a reload may change is read from here.
    pub(crate) loaded: Mutex<Arc<Config>>,
    /// How often secrets of an account have become good for nothing.
    pub(crate) ended_secrets: AtomicU64,
    pub(crate) stop: watch::Receiver<Stage>,
}

/// Secrets of components by their domains.
pub(crate) type Secrets = Arc<BTreeMap<String, String>>;

/// How far the server is towards its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// It serves.
    Serving,
    /// It takes nothing new and closes streams.
    Closing,
    /// All is told.
    Ended,
}

/// Counts that are not in the model.
#[derive(Default)]
pub struct Gauges {
    /// Open XMPP connections.
    pub xmpp_connections: AtomicUsize,
    /// Open HTTP connections.
    pub http_connections: AtomicUsize,
    /// XMPP streams that have lost their connection and wait for another.
    pub xmpp_waiting: AtomicUsize,
    /// Logins since the start.
    pub logins: AtomicUsize,
    /// Failed logins since the start.
    pub login_failures: AtomicUsize,
    /// Messages taken from clients since the start.
    pub messages: AtomicUsize,
    /// Presence stanzas taken from clients since the start.
    pub presences: AtomicUsize,
    /// SIP requests taken since the start.
    pub sip_requests: AtomicUsize,
    /// NOTIFYs sent since the start.
    pub notifies: AtomicUsize,
    /// Password checks that wait for their turn.
    pub password_checks: AtomicUsize,
    /// When the last backup was made, in seconds since 1970; 0 for never.
    pub last_backup: AtomicUsize,
}

impl Gauges {
    pub(crate) fn count(counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The machine's two clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let at = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let utc = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Now {
            at: Timestamp(at),
            utc: Utc(i64::try_from(utc.as_millis()).unwrap_or(i64::MAX)),
        }
    }

    /// The moment at which a timer is due, for the runtime. A millisecond is added: what is rounded down here must be over there.
    pub(crate) fn instant(&self, at: Timestamp) -> tokio::time::Instant {
        let day = std::time::Duration::from_secs(86_400);
        let after = std::time::Duration::from_millis(at.0).min(self.origin.elapsed() + day);
        tokio::time::Instant::from_std(self.origin + after + std::time::Duration::from_millis(1))
    }
}

impl Shared {
    /// The moment.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// The services that have addresses of their own: the components that are connected.
    pub(crate) fn services(&self) -> Vec<Item> {
        let attached = self.model.attached().into_iter();
        attached.map(|jid| Item { jid, name: None }).collect()
    }

    /// Where HTTP is spoken.
    pub(crate) fn web_ports(&self) -> Ports {
        self.web_ports.get().copied().unwrap_or_default()
    }

    /// From now on these secrets count, of the components that there were at the start: their domains are known everywhere.
    pub(crate) fn change_component_secrets(&self, secrets: BTreeMap<String, String>) {
        let known = configured::component_secrets(&self.config);
        let (secrets, new): (BTreeMap<_, _>, BTreeMap<_, _>) = secrets
            .into_iter()
            .partition(|(domain, _)| known.contains_key(domain));
        for domain in new.keys() {
            tracing::warn!(%domain, "a component of a new domain can connect after the next start");
        }
        let secrets = Arc::new(secrets);
        self.component_secrets.send_replace(secrets);
    }

    /// Completes when the server is to end: nothing new is taken, XMPP streams are closed.
    pub(crate) async fn stopped(&self) {
        self.reached(Stage::Closing).await;
    }

    /// Completes when the last that SIP had to tell is told.
    pub(crate) async fn sip_stopped(&self) {
        self.reached(Stage::Ended).await;
    }

    async fn reached(&self, stage: Stage) {
        let mut stop = self.stop.clone();
        let _ = stop.wait_for(|now| *now >= stage).await;
    }

    /// The server is on its way out.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow() >= Stage::Closing
    }

    /// How often secrets of an account, whoever's, have become good for nothing. While this stays the same, what was proven still holds.
    pub(crate) fn secrets_ended(&self) -> u64 {
        self.ended_secrets.load(Ordering::SeqCst)
    }
}
