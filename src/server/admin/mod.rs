//! What the command line asks of a server, running or not.
//!
//! A running server answers on a socket in its data folder (mode 0600: the folder's owner alone), one JSON object a line each way.
//! When none runs, the command opens the database itself and does the same by the same functions.

mod everybody;
mod execute;
mod groups;
mod office;
mod orders;
mod socket;
mod status;

use serde::{Deserialize, Serialize};

pub use execute::{Executor, execute};
pub use orders::perform;
pub use socket::{ask, serve};

/// A wish of the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
#[expect(
    missing_docs,
    reason = "the variants are the commands of the same names, with their arguments"
)]
pub enum Wish {
    UserAdd {
        jid: String,
        password: String,
        admin: bool,
    },
    UserList,
    Reports,
    StatusShow {
        jid: String,
    },
    /// Without all of them it is taken back.
    StatusSet {
        jid: String,
        status: Option<StatusWish>,
    },
    GroupAdd {
        name: String,
        members: Vec<String>,
    },
    GroupRemove {
        name: String,
        members: Vec<String>,
    },
    GroupList,
    UserPassword {
        jid: String,
        password: String,
    },
    UserDisable {
        jid: String,
        disabled: bool,
    },
    UserDelete {
        jid: String,
    },
    AliasAdd {
        jid: String,
        address: String,
    },
    AliasRemove {
        jid: String,
        address: String,
    },
    Answer {
        jid: String,
        watcher: String,
        allow: bool,
    },
    EndSessions {
        jid: String,
    },
    Announce {
        text: String,
    },
    Motd {
        text: Option<String>,
        anew: bool,
    },
    Status,
    Backup {
        file: String,
        with_secret: bool,
    },
}

/// A status set by hand.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StatusWish {
    /// `away`, `xa`, `dnd`, `chat`; none: available.
    pub show: Option<String>,
    /// In words.
    pub text: Option<String>,
    /// Its end, by RFC 3339.
    pub until: Option<String>,
}

/// What is answered: something to show, or a sentence that says what went wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is done.
    Done(serde_json::Value),
    /// It is not.
    Failed(String),
}
