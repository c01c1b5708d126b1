//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;

use clap::{Args, Parser, Subcommand};

use crate::procfs;
use crate::sip::SipSite;
use crate::xmpp::{Mechanism, Site};

/// Drives a presence server and measures what each operation costs it.
#[derive(Parser)]
#[command(name = "adsum-load", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to report.
#[derive(Args, Clone)]
pub(crate) struct Output {
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Add the JSON object to this file too
    #[arg(long)]
    pub(crate) record: Option<PathBuf>,
}

/// The server, its accounts and how to report.
#[derive(Args, Clone)]
pub(crate) struct Target {
    /// Address of the server
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,
    /// Port of the server: plaintext XMPP over TCP, or SIP over UDP
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
}

/// The scenarios.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Messages from one user to another, in many pairs
    Messages {
        #[command(flatten)]
        target: Target,
        /// Pairs of users; uses twice as many accounts
        #[arg(long, default_value_t = 200)]
        senders: usize,
        /// Messages under way at a time in each pair (closed loop)
        #[arg(long, default_value_t = 1)]
        window: usize,
        /// Messages a second in all (open loop) instead of as many as go
        #[arg(long)]
        rate: Option<f64>,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "scram-sha-1")]
        mechanism: Mechanism,
    },
    /// Changes of presence that each go to many contacts
    Presence {
        #[command(flatten)]
        target: Target,
        /// People who change their presence
        #[arg(long, default_value_t = 25)]
        groups: usize,
        /// Contacts of each, all online
        #[arg(long, default_value_t = 20)]
        contacts: usize,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "scram-sha-1")]
        mechanism: Mechanism,
    },
    /// Memory of the server for each session that does nothing
    Idle {
        #[command(flatten)]
        target: Target,
        /// Sessions, one for each account
        #[arg(long, default_value_t = 5000)]
        sessions: usize,
        /// Sessions opened before the memory is first looked at
        #[arg(long, default_value_t = 200)]
        before: usize,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "plain")]
        mechanism: Mechanism,
    },
    /// Logins one after the other
    Login {
        #[command(flatten)]
        target: Target,
        /// Accounts that take turns
        #[arg(long, default_value_t = 200)]
        users: usize,
        /// Logins at a time
        #[arg(long, default_value_t = 4)]
        width: usize,
        /// Measure from the first login of each account, not after one of each
        #[arg(long)]
        cold: bool,
        /// How they log in
        #[arg(long, value_enum, default_value = "scram-sha-256")]
        mechanism: Mechanism,
    },
    /// A good client's messages while wrong passwords are tried
    PlainAttack {
        #[command(flatten)]
        target: Target,
        /// Wrong passwords a second
        #[arg(long, default_value_t = 200.0)]
        attempts: f64,
        /// Good messages a second
        #[arg(long, default_value_t = 200.0)]
        rate: f64,
        /// Accounts whose passwords are tried; with no divisor in common with the 200 sources, no pair of both comes twice
        /// within minutes (it would be answered ever later)
        #[arg(long, default_value_t = 199)]
        victims: usize,
    },
    /// XMPP presence to SIP watchers and SIP publications to XMPP contacts
    Cross {
        #[command(flatten)]
        target: Target,
        /// Port of SIP over UDP
        #[arg(long)]
        sip_port: u16,
        /// People on each side; uses twice as many accounts
        #[arg(long, default_value_t = 500)]
        people: usize,
        /// Changes a second on each side
        #[arg(long, default_value_t = 100.0)]
        rate: f64,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "scram-sha-1")]
        mechanism: Mechanism,
    },
    /// SIP PUBLISH that changes a publication
    Publish {
        #[command(flatten)]
        target: Target,
        /// Phones that publish
        #[arg(long, default_value_t = 50)]
        phones: usize,
    },
    /// SIP SUBSCRIBE with its first NOTIFY
    Subscribe {
        #[command(flatten)]
        target: Target,
        /// Phones that subscribe again and again
        #[arg(long, default_value_t = 50)]
        phones: usize,
    },
    /// SIP NOTIFY to many watchers of one publication
    Notify {
        #[command(flatten)]
        target: Target,
        /// Phones that publish
        #[arg(long, default_value_t = 10)]
        groups: usize,
        /// Watchers of each
        #[arg(long, default_value_t = 20)]
        watchers: usize,
    },
    /// Writes accounts for `adsum user add --batch FILE`
    Accounts {
        /// How many
        #[arg(long)]
        count: usize,
        /// Their domain
        #[arg(long, default_value = "localhost")]
        domain: String,
        /// What their names start with
        #[arg(long, default_value = "u")]
        prefix: String,
        /// Where to
        #[arg(long)]
        out: PathBuf,
    },
    /// Time from starting a server to listening, and its memory at rest
    Start {
        /// TCP port of 127.0.0.1 on which it will listen
        #[arg(long)]
        port: u16,
        /// How often it is started
        #[arg(long, default_value_t = 5)]
        times: usize,
        /// Seconds after listening at which its memory is looked at
        #[arg(long, default_value_t = 1.0)]
        rest: f64,
        #[command(flatten)]
        output: Output,
        /// The server's command
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Holds the JSON objects of a file against the limits
    Summary {
        /// One JSON object a line
        file: PathBuf,
    },
}
