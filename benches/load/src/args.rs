//! What the scenarios have in common on the command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use clap::Args;

use crate::failure::{Failure, Result};
use crate::procfs;
use crate::sip::SipSite;
use crate::xmpp::{Site, Tls, Way};

/// How to report.
#[derive(Args, Clone)]
pub(crate) struct Output {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Add the JSON object to this file too
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,
    /// Call the scenario this in the report
    #[arg(long)]
    pub(crate) label: Option<String>,
}

/// The server, its accounts and how to report.
#[derive(Args, Clone)]
pub(crate) struct Target {
    /// Address of the server
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Port of the server: XMPP over TCP, HTTP, or SIP over UDP
    #[arg(long)]
    pub(crate) port: u16,
    /// Domain of the accounts
    #[arg(long, default_value = "localhost")]
    pub(crate) domain: String,
    /// What the names of the accounts start with; numbers from 0 follow
    #[arg(long, default_value = "u")]
    pub(crate) prefix: String,
    /// Number of the first account to use
    #[arg(long, default_value_t = 0)]
    pub(crate) first: usize,
    /// Password of all accounts
    #[arg(long, default_value = crate::scenario::accounts::PASSWORD)]
    pub(crate) password: String,
    /// Process of the server, whose CPU and memory are reported with its children's; may be repeated
    #[arg(long)]
    pub(crate) pid: Vec<u32>,
    /// How XMPP travels: over TCP, or on the server's HTTP listener
    #[arg(long, value_enum, default_value = "tcp")]
    pub(crate) over: Way,
    /// Where on the HTTP listener; /http-bind or /xmpp-websocket where it is not named
    #[arg(long)]
    pub(crate) path: Option<String>,
    /// XMPP over TLS: from the first byte (the default where the option is given alone) or by STARTTLS (over TCP only);
    /// every certificate is accepted, no session is resumed
    #[arg(long, value_enum, num_args = 0..=1, default_missing_value = "direct")]
    pub(crate) tls: Option<Tls>,
    #[command(flatten)]
    pub(crate) output: Output,
    /// Seconds that are measured
    #[arg(long, default_value_t = 5.0)]
    pub(crate) seconds: f64,
}

impl Target {
    /// The server as XMPP clients see it.
    pub(crate) fn site(&self) -> Rc<Site> {
        let address = SocketAddr::new(self.host, self.port);
        Site::new(address, &self.domain, &self.prefix, &self.password)
            .with_tls(self.tls)
            .with_way(self.over, self.path.as_deref())
            .shared()
    }

    /// The server as phones see it, at a port.
    pub(crate) fn sip_site(&self, port: u16) -> Rc<SipSite> {
        Rc::new(SipSite {
            address: SocketAddr::new(self.host, port),
            domain: self.domain.clone(),
            prefix: self.prefix.clone(),
            password: self.password.clone(),
        })
    }

    /// The processes of the server with their children.
    pub(crate) fn pids(&self) -> Vec<u32> {
        procfs::with_children(&self.pid)
    }

    /// The processes of the server, for scenarios that have nothing to say without them.
    pub(crate) fn known_pids(&self) -> Result<Vec<u32>> {
        let pids = self.pids();
        if pids.is_empty() {
            return Err(Failure::Peer(
                "the server's process is needed: --pid".to_owned(),
            ));
        }
        Ok(pids)
    }
}

/// Whether rosters are made, used or both.
#[derive(Args, Clone, Copy)]
pub(crate) struct Rosters {
    /// Only make the rosters, through the protocol; what is there already stays
    #[arg(long, conflicts_with = "prepared")]
    pub(crate) prepare: bool,
    /// Take the rosters for made
    #[arg(long)]
    pub(crate) prepared: bool,
}
