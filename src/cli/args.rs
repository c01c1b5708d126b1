//! Everything that may be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Adsum, a presence server for XMPP and SIP: "I am here".
#[derive(Debug, Clone, Parser)]
#[command(
    name = "adsum",
    version,
    about,
    disable_help_subcommand = true,
    max_term_width = 100
)]
pub struct Arguments {
    /// Configuration file [default: adsum.toml here, else /etc/adsum/adsum.toml, else built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Data folder, instead of the configured one
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What to do; nothing means `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Run the server in the foreground (the default)
    Serve,
    /// Run on throw-away data with two accounts and a phone that play a short scene
    Demo {
        /// End after the scene
        #[arg(long, hide = true)]
        once: bool,
        /// Take free ports also where the usual ones can be had
        #[arg(long, hide = true)]
        free_ports: bool,
    },
    /// Make, list and change accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Make, list and remove shared groups
    #[command(subcommand)]
    Group(GroupCommand),
    /// Make, list and revoke tokens for the HTTP services
    #[command(subcommand)]
    Token(TokenCommand),
    /// Explain every mistake of the configuration, certificates and ports
    Check {
        /// What to look at; everything if not given
        what: Option<CheckWhat>,
    },
    /// Say what the running server is doing
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say why a watcher sees what it sees of a presentity
    Explain {
        /// Who looks
        watcher: String,
        /// Whose presence it is
        presentity: String,
    },
    /// Copy all data to a file, also while the server runs
    Backup {
        /// File to write
        file: PathBuf,
        /// Add the key that seals SIP passwords; whoever has the file can then log in by SIP
        #[arg(long)]
        with_secret: bool,
    },
    /// Put the data of a backup in place
    Restore {
        /// File to read
        file: PathBuf,
        /// Overwrite the data that is there
        #[arg(long)]
        force: bool,
    },
    /// Write the data of one or all accounts (XEP-0227)
    Export {
        /// The account and the file, or the file alone for all accounts
        #[arg(value_names = ["JID", "FILE"], num_args = 1..=2, required = true)]
        account_and_file: Vec<String>,
    },
    /// Read data of XEP-0227, of a Prosody data folder or an ejabberd export
    Import {
        /// File or folder to read
        file: PathBuf,
    },
    /// Print the whole default configuration, commented
    Config,
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// `adsum user`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum UserCommand {
    /// Make an account; a password is made and printed once unless one is given
    Add {
        /// The account, user@domain
        #[arg(required_unless_present = "batch")]
        jid: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long, conflicts_with = "batch")]
        password_stdin: bool,
        /// The account may administer the server
        #[arg(long, conflicts_with = "batch")]
        admin: bool,
        /// Make many accounts: a line each with JID, one space, password
        #[arg(long, value_name = "FILE", conflicts_with = "jid")]
        batch: Option<PathBuf>,
    },
    /// List accounts
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Change a password; one is made and printed once unless it is given
    Password {
        /// The account
        jid: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Lock an account out, keeping its data
    Disable {
        /// The account
        jid: String,
    },
    /// Let a disabled account in again
    Enable {
        /// The account
        jid: String,
    },
    /// Remove an account and its data
    Delete {
        /// The account
        jid: String,
    },
    /// Add and remove further addresses of an account
    #[command(subcommand)]
    Alias(AliasCommand),
    /// Let a watcher see the presence of an account
    Approve {
        /// The account
        jid: String,
        /// Who asked
        watcher: String,
    },
    /// Refuse a watcher the presence of an account
    Deny {
        /// The account
        jid: String,
        /// Who asked
        watcher: String,
    },
    /// Set, show or clear a status that stays when nobody is logged in ("On leave till Monday")
    Status {
        /// The account
        jid: String,
        /// What to say; without it, and without the options below, the status is shown
        text: Option<String>,
        /// How available: away, xa (away for long), dnd (do not disturb), chat or available [default: away]
        #[arg(long, value_enum)]
        show: Option<ShowWord>,
        /// When it ends: a time such as 2026-11-23T08:00:00Z
        #[arg(long, value_name = "TIME", conflicts_with = "for_")]
        until: Option<String>,
        /// How long it lasts: 30m, 8h, 3d
        #[arg(long = "for", id = "for_", value_name = "DURATION")]
        for_: Option<String>,
        /// Take it back
        #[arg(long, conflicts_with_all = ["text", "show", "until", "for_"])]
        clear: bool,
    },
    /// List what was reported of addresses that were blocked (spam, abuse)
    Reports {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// How available somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShowWord {
    /// Available
    Available,
    /// Free for a chat
    Chat,
    /// Away
    Away,
    /// Away for long
    Xa,
    /// Do not disturb
    Dnd,
}

/// `adsum user alias`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum AliasCommand {
    /// Let an address lead to an account
    Add {
        /// The account
        jid: String,
        /// An extension, a tel: number, a sip: or plain address
        address: String,
    },
    /// Let an address lead nowhere
    Remove {
        /// The account
        jid: String,
        /// The address
        address: String,
    },
}

/// `adsum group`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum GroupCommand {
    /// Make a group, or add members to it
    Add {
        /// Name of the group
        name: String,
        /// Accounts to add; `all` is every account
        members: Vec<String>,
    },
    /// Remove a group, or members from it
    Remove {
        /// Name of the group
        name: String,
        /// Accounts to remove; none removes the group
        members: Vec<String>,
    },
    /// List groups and their members
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// `adsum token`
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum TokenCommand {
    /// Make a token
    Add {
        /// The account it stands for
        jid: String,
        /// What it may do
        #[arg(long, required = true)]
        scope: Vec<String>,
        /// How long it is good for, such as 30d
        #[arg(long)]
        expires: String,
    },
    /// List tokens
    List,
    /// End a token
    Revoke {
        /// Its name in the list
        token: String,
    },
}

/// What `adsum check` looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckWhat {
    /// The configuration
    Config,
    /// DNS records of the domains
    Dns,
    /// Certificates
    Certs,
    /// Ports
    Ports,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_tree_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_of_the_interface_is_understood() {
        let lines = [
            "",
            "serve",
            "demo",
            "user add ann@localhost",
            "user add ann@localhost --password-stdin --admin",
            "user add --batch users.txt",
            "user list --json",
            "user password ann@localhost --password-stdin",
            "user disable ann@localhost",
            "user enable ann@localhost",
            "user delete ann@localhost",
            "user alias add ann@localhost 101",
            "user alias remove ann@localhost tel:+4930",
            "user approve ann@localhost bob@localhost",
            "user deny ann@localhost bob@localhost",
            "user reports",
            "user status ann@localhost",
            "user status ann@localhost On-leave --show xa --for 3d",
            "user status ann@localhost --clear",
            "user reports --json",
            "group add Sales ann@localhost",
            "group remove Sales",
            "group list",
            "group list --json",
            "group add Everybody all",
            "token add ann@localhost --scope presence --expires 30d",
            "token list",
            "token revoke 1",
            "check",
            "check config",
            "check dns",
            "check certs",
            "check ports",
            "status",
            "status --json",
            "explain ann@localhost bob@localhost",
            "backup b.db",
            "restore b.db --force",
            "export all.xml",
            "export ann@localhost ann.xml",
            "import all.xml",
            "config",
            "completions bash",
            "--config a.toml --data d status",
            "user list --config a.toml --data d",
        ];
        for line in lines {
            let words = std::iter::once("adsum").chain(line.split_whitespace());
            assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
        }
    }

    #[test]
    fn there_is_help_at_every_level() {
        fn visit(command: &clap::Command, path: &[String]) {
            let mut words = path.to_vec();
            words.push("--help".to_owned());
            let help = Arguments::try_parse_from(&words).unwrap_err();
            assert_eq!(
                help.kind(),
                clap::error::ErrorKind::DisplayHelp,
                "{words:?}"
            );
            assert!(command.get_about().is_some(), "{path:?} has no description");
            for sub in command.get_subcommands() {
                visit(sub, &[path, &[sub.get_name().to_owned()]].concat());
            }
        }
        visit(&Arguments::command(), &["adsum".to_owned()]);
    }

    #[test]
    fn wrong_combinations_are_refused() {
        for line in [
            "user add",
            "user add a@b --batch f",
            "user add --batch f --admin",
            "token add a@b --expires 1d",
            "export",
            "export a b c",
            "check all",
            "user status a@b x --clear",
            "user status a@b x --until 2026-11-23T08:00:00Z --for 3d",
        ] {
            let words = std::iter::once("adsum").chain(line.split_whitespace());
            assert!(Arguments::try_parse_from(words).is_err(), "{line}");
        }
    }
}
