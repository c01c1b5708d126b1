//! `adsum demo`: a server on throw-away data, and two clients that play a short scene through its real ports.
//!
//! What stands here is a client of the server and no way around it: the chat client (tokio-xmpp) and the phone (crate `sip`) know
//! an address, an account and a password, and the accounts are made as `adsum user add` makes them. The examples use the same
//! two clients against any server.
//!
//! | module | is |
//! |---|---|
//! | [`chat`] | a chat client, XMPP over TLS |
//! | [`phone`] | a desk phone, SIP over UDP |
//! | [`trust`] | how the chat client trusts the server's own authority |
//! | `pidf` | what the phone publishes, and how it shows what it is told |
//! | `stage` | the running server with two accounts |
//! | `scene` | what they do, step by step |
//! | `print` | how that looks in a terminal |

pub mod chat;
pub mod phone;
mod pidf;
mod print;
mod scene;
mod stage;
pub mod trust;

pub use pidf::shown;

use std::path::Path;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Done, Failure, ports};
use crate::config::{self, Config};
use crate::server::Server;

use print::Page;
use stage::Stage;

/// What may be said about a demo.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Ends after the scene.
    pub once: bool,
    /// Takes free ports also where the usual ones can be had.
    pub free_ports: bool,
    /// Writes colours.
    pub colours: bool,
}

/// Plays the scene and serves until SIGINT or SIGTERM. The data is gone afterwards.
pub fn demo(runtime: &Runtime, options: Options) -> Done {
    let folder = tempfile::Builder::new()
        .prefix("adsum-demo-")
        .tempdir()
        .map_err(|error| {
            Failure::failed(format!(
                "No folder for the demo's data can be made ({error}); set TMPDIR to a folder that takes one."
            ))
        })?;
    let (config, ports) = configuration(folder.path(), options.free_ports);
    let page = Page::new(options.colours);
    let done = runtime.block_on(serve(&page, config, ports, options.once));
    let removed = folder.close().map_err(|error| {
        Failure::failed(format!("The demo's data could not be removed ({error})."))
    });
    done.and(removed)
}

/// The default configuration on that folder; with free ports, and the sentence about them, where a usual one is taken.
fn configuration(folder: &Path, free_ports: bool) -> (Config, Option<&'static str>) {
    let mut config = config::defaults();
    folder.clone_into(&mut config.data);
    let said = if free_ports {
        Some("Ports: free ones, as was asked for.")
    } else if ports::problems(&config, None).is_empty() {
        None
    } else {
        Some("Ports: free ones, because some of the usual ones are taken.")
    };
    if said.is_some() {
        let every = [
            &mut config.xmpp.client,
            &mut config.xmpp.client_tls,
            &mut config.http.listen,
            &mut config.http.listen_tls,
            &mut config.sip.udp,
            &mut config.sip.tcp,
            &mut config.sip.tls,
        ];
        for address in every.into_iter().flatten() {
            address.set_port(0);
        }
    }
    (config, said)
}

async fn serve(page: &Page, config: Config, ports: Option<&'static str>, once: bool) -> Done {
    let unheard =
        |error| Failure::failed(format!("Signals cannot be received ({error}); try again."));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(unheard)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(unheard)?;
    let server = Server::start(config).map_err(|error| Failure::of(&error))?;
    let played = async {
        let stage = Stage::set(&server).await?;
        page.opening(&stage, ports)?;
        Box::pin(scene::play(page, &stage)).await?;
        if !once {
            page.invitation(&stage)?;
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    let done: Done = tokio::select! {
        done = played => done,
        _ = interrupt.recv() => Ok(()),
        _ = terminate.recv() => Ok(()),
    };
    let stopped = server.stop().await;
    done?;
    stopped.map_err(|error| Failure::of(&error))
}
