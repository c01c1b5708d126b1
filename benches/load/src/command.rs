//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::args::{Output, Rosters, Target};
use crate::bare::Kind;
use crate::xmpp::{Mechanism, Way};

/// Drives a presence server and measures what each operation costs it.
#[derive(Parser)]
#[command(name = "adsum-load", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
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
        /// Sessions online in all, those people and their contacts among them
        #[arg(long)]
        sessions: Option<usize>,
        /// Changes a second in all (open loop) instead of as many as go
        #[arg(long)]
        rate: Option<f64>,
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
    /// Memory and CPU of sessions that come online with rosters of contacts who are online too
    Online {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rosters: Rosters,
        /// Sessions, rounded up to whole circles in which all know each other
        #[arg(long, default_value_t = 2010)]
        sessions: usize,
        /// Contacts of each: the size of a circle, less one
        #[arg(long, default_value_t = 200)]
        contacts: usize,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "scram-sha-1")]
        mechanism: Mechanism,
    },
    /// People who know each other and log in all at once
    Storm {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rosters: Rosters,
        /// People, one for each account
        #[arg(long, default_value_t = 1000)]
        people: usize,
        /// How many of them know each other: the size of a circle
        #[arg(long, default_value_t = 1000)]
        known: usize,
        /// Seconds within which everybody must have seen everybody
        #[arg(long, default_value_t = 600.0)]
        patience: f64,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "scram-sha-1")]
        mechanism: Mechanism,
    },
    /// Logins with rosters of several sizes, and changes of presence by people of whose contacts few are online
    Roster {
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        rosters: Rosters,
        /// Sizes of rosters; needs --people accounts for each and one for nobody, and as many more as the largest size
        #[arg(long, value_delimiter = ',', default_value = "100,500,1000,2000")]
        contacts: Vec<usize>,
        /// People for each size
        #[arg(long, default_value_t = 4)]
        people: usize,
        /// Contacts who are online while presence is changed
        #[arg(long, default_value_t = 5)]
        online: usize,
        /// How the sessions log in
        #[arg(long, value_enum, default_value = "scram-sha-1")]
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
        /// Changes a second in all (open loop) instead of as many as go
        #[arg(long)]
        rate: Option<f64>,
    },
    /// A SIP request over UDP that is sent again after its answer
    Retransmit {
        #[command(flatten)]
        target: Target,
        /// Phones that do so
        #[arg(long, default_value_t = 50)]
        phones: usize,
    },
    /// SIP requests without credentials, each answered with 401 or 407
    Unauthorized {
        #[command(flatten)]
        target: Target,
        /// Phones that ask
        #[arg(long, default_value_t = 50)]
        phones: usize,
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
    /// What the machine itself takes: the same exchanges with a server that does nothing
    Floor {
        #[command(flatten)]
        output: Output,
        /// Seconds that are measured, for each exchange
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// Threads of that server
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
    /// Is that server
    #[command(hide = true)]
    Bare {
        /// What it does
        #[arg(value_enum)]
        kind: Kind,
        /// Its threads
        threads: usize,
    },
    /// Holds the JSON objects of a file against the limits
    Summary {
        /// One JSON object a line
        file: PathBuf,
    },
}

impl Command {
    /// What the scenario is called in its report.
    pub(crate) fn name(&self) -> String {
        let text = match self {
            Self::Messages { target, rate, .. } => {
                let open = if rate.is_some() { "-open" } else { "" };
                return match target.over {
                    Way::Tcp => format!("messages{open}"),
                    way => format!("{}{open}{}", way.name(), secured(target)),
                };
            }
            Self::Presence {
                target,
                sessions: Some(sessions),
                rate: None,
                ..
            } => return format!("{}presence-among-{sessions}", over(target)),
            Self::Presence { target, rate, .. } => {
                let open = if rate.is_some() { "-open" } else { "" };
                return format!("{}presence{open}", over(target));
            }
            Self::Idle { target, .. } => return format!("{}idle{}", over(target), secured(target)),
            Self::Login {
                target, mechanism, ..
            } => {
                let mechanism = mechanism.name().to_ascii_lowercase();
                return format!("{}login-{mechanism}{}", over(target), secured(target));
            }
            Self::PlainAttack { .. } => "plain-attack",
            Self::Cross { .. } => "cross",
            Self::Publish { .. } => "publish",
            Self::Subscribe { .. } => "subscribe",
            Self::Notify { rate: Some(_), .. } => "notify-open",
            Self::Notify { .. } => "notify",
            Self::Retransmit { .. } => "retransmit",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Online { rosters, .. } if rosters.prepare => "prepare-online",
            Self::Online { .. } => "online",
            Self::Storm { rosters, .. } if rosters.prepare => "prepare-storm",
            Self::Storm { .. } => "storm",
            Self::Roster { rosters, .. } if rosters.prepare => "prepare-roster",
            Self::Roster { .. } => "roster",
            Self::Accounts { .. } => "accounts",
            Self::Start { .. } => "start",
            Self::Floor { .. } => "floor",
            Self::Bare { .. } => "bare",
            Self::Summary { .. } => "summary",
        };
        text.to_owned()
    }
}

/// What stands before the name of a scenario on another way than TCP.
fn over(target: &Target) -> String {
    match target.over {
        Way::Tcp => String::new(),
        way => format!("{}-", way.name()),
    }
}

/// What stands behind it over TLS.
fn secured(target: &Target) -> &'static str {
    if target.tls.is_some() { "-tls" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_is_done_and_how() {
        for (expected, options) in [
            ("messages", "messages"),
            ("messages-open", "messages --rate 5"),
            ("bosh", "messages --over bosh"),
            (
                "websocket-open-tls",
                "messages --over websocket --rate 5 --tls",
            ),
            ("bosh-presence", "presence --over bosh"),
            ("presence-among-9", "presence --sessions 9"),
            ("presence-open", "presence --sessions 9 --rate 5"),
            ("idle-tls", "idle --tls"),
            ("websocket-idle", "idle --over websocket"),
            ("login-plain", "login --mechanism plain"),
        ] {
            let line = format!("adsum-load {options} --port 1");
            let cli = Cli::try_parse_from(line.split(' ')).expect("options");
            assert_eq!(cli.command.name(), expected);
        }
    }
}
