//! `adsum serve`: the server in the foreground.

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Context, Done, Failure, print};
use crate::config::{Config, Loaded};
use crate::log::LogHandle;
use crate::server::Server;

/// Runs until SIGTERM or SIGINT; SIGHUP takes certificates and configuration again.
pub(super) fn serve(context: &Context) -> Done {
    let loaded = context.load()?;
    let log = crate::log::start(&loaded.config.log, context.under_journald)?;
    let notice = loaded.notice();
    let runtime = runtime()?;
    let done = runtime.block_on(async {
        // Heard before anything says that the server is there: who reads that may end it at once.
        let mut signals = Signals::listen()?;
        let server = Server::start(loaded.config.clone()).map_err(|error| Failure::of(&error))?;
        if let Some(notice) = notice {
            tracing::warn!("{notice}");
        }
        print(&greeting(&loaded, &server))?;
        tracing::info!(version = env!("CARGO_PKG_VERSION"), "the server is ready");
        signals.until_end(|| reload(context, &server, &log)).await;
        tracing::info!("the server is stopping");
        server.stop().await.map_err(|error| Failure::of(&error))
    });
    // A look-up of a name or a backup that hangs does not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

/// The runtime of the server: a worker for each core.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("No threads can be started ({error}).")))
}

/// The signals that end the server or have it read its configuration again.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From now on they are kept for [`until_end`](Self::until_end); without this, SIGTERM ends the process where it stands.
    fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind)
                .map_err(|error| Failure::failed(format!("Signals cannot be received ({error}).")))
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT, and reloads at each SIGHUP.
    async fn until_end(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => reload(),
            }
        }
    }
}

fn reload(context: &Context, server: &Server, log: &LogHandle) {
    let loaded = match context.load() {
        Ok(loaded) => loaded,
        Err(mistakes) => {
            tracing::error!("the configuration has mistakes, nothing was changed: {mistakes}");
            return;
        }
    };
    if let Err(error) = server.reload(&loaded.config) {
        tracing::error!(%error, "the certificates could not be loaded, the old ones stay in use");
        return;
    }
    if let Err(error) = log.set_level(&loaded.config.log.level) {
        tracing::error!(%error, "the log level stays as it was");
        return;
    }
    tracing::info!(
        "certificates, aliases and log level were taken again; other changes need a restart"
    );
}

/// Where it listens and what to do next, in at most ten lines.
fn greeting(loaded: &Loaded, server: &Server) -> String {
    let config: &Config = &loaded.config;
    let domain = &config.domains[0].unicode;
    let at = |keys: &[&str]| -> String {
        let all = keys
            .iter()
            .filter_map(|key| server.listening().get(key))
            .flatten();
        let text: Vec<String> = all.map(ToString::to_string).collect();
        if text.is_empty() {
            "off".to_owned()
        } else {
            text.join(", ")
        }
    };
    let mut lines = vec![
        format!(
            "adsum {} serves {domain} from {}",
            env!("CARGO_PKG_VERSION"),
            config.data.display()
        ),
        format!(
            "  XMPP  {} (STARTTLS), {} (TLS)",
            at(&["xmpp.client"]),
            at(&["xmpp.client_tls"])
        ),
        format!(
            "  SIP   {} (UDP), {} (TCP), {} (TLS)",
            at(&["sip.udp"]),
            at(&["sip.tcp"]),
            at(&["sip.tls"])
        ),
        format!(
            "  HTTP  {} (plain), {} (TLS)",
            at(&["http.listen"]),
            at(&["http.listen_tls"])
        ),
    ];
    let accounts = server
        .shared()
        .model
        .store()
        .accounts()
        .map_or(0, |a| a.len());
    if accounts == 0 {
        lines.push(format!(
            "There are no accounts yet: adsum user add ann@{domain}"
        ));
    }
    if config.tls.files.is_empty() {
        lines.push("Clients trust the server with its authority: /ca.pem over HTTP".to_owned());
    }
    if std::io::stdout().is_terminal() {
        lines.push("Ctrl-C ends it".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}
