//! The stage: a running server with two accounts, and where it is reached.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::certificates::AUTHORITY;
use crate::cli::Failure;
use crate::data_folder::DataFolder;
use crate::server::Server;
use crate::server::admin::{self, Outcome, Wish};

/// An account of the demo.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The local part.
    pub(super) name: &'static str,
    /// `name@domain`
    pub(super) address: String,
    /// Its password, made for this demo.
    pub(super) password: String,
}

/// Where the scene is played, and by whom.
pub(super) struct Stage {
    pub(super) ann: Account,
    pub(super) bob: Account,
    pub(super) xmpp: Option<SocketAddr>,
    pub(super) xmpp_tls: SocketAddr,
    pub(super) sip_udp: SocketAddr,
    pub(super) sip_tls: Option<SocketAddr>,
    pub(super) http: Option<SocketAddr>,
    pub(super) authority: PathBuf,
    folder: DataFolder,
}

impl Stage {
    /// Makes the accounts and notes where the server listens.
    pub(super) async fn set(server: &Server) -> Result<Self, Failure> {
        let shared = server.shared();
        let domain = &shared.config.domains[0].unicode;
        let deaf = || Failure::failed("The demo's server does not listen; try again.");
        let stage = Self {
            ann: Account::new("ann", domain),
            bob: Account::new("bob", domain),
            xmpp: reachable(server, "xmpp.client"),
            xmpp_tls: reachable(server, "xmpp.client_tls").ok_or_else(deaf)?,
            sip_udp: reachable(server, "sip.udp").ok_or_else(deaf)?,
            sip_tls: reachable(server, "sip.tls"),
            http: reachable(server, "http.listen"),
            authority: shared.folder.file(AUTHORITY),
            folder: shared.folder.clone(),
        };
        for account in [&stage.ann, &stage.bob] {
            let wish = Wish::UserAdd {
                jid: account.address.clone(),
                password: account.password.clone(),
                admin: false,
            };
            stage.ask(wish).await.map_err(Failure::failed)?;
        }
        Ok(stage)
    }

    /// Has a wish done by the running server, as the commands of the program have.
    pub(super) async fn ask(&self, wish: Wish) -> Result<(), String> {
        let folder = self.folder.clone();
        let asked = tokio::task::spawn_blocking(move || admin::ask(&folder, &wish)).await;
        match asked.ok().flatten() {
            Some(Ok(Outcome::Done(_))) => Ok(()),
            Some(Ok(Outcome::Failed(sentence)) | Err(sentence)) => Err(sentence),
            None => Err("the server does not run".to_owned()),
        }
    }
}

impl Account {
    fn new(name: &'static str, domain: &str) -> Self {
        Self {
            name,
            address: format!("{name}@{domain}"),
            password: format!("{:016x}", rand::random::<u64>()),
        }
    }
}

/// Where a listener can be reached from this machine.
fn reachable(server: &Server, key: &str) -> Option<SocketAddr> {
    let mut address = *server.listening().get(key)?.first()?;
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    Some(address)
}
