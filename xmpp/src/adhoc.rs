//! Ad-hoc commands (XEP-0050): what can be done by filling in forms, one stage after the other.
//!
//! [`Commands`] keeps the sessions of all who execute something. What a command does in the end is an [`Order`], done by whoever drives this;
//! who is allowed to do what, and what stands in forms already, is given in.

mod admin;
mod answer;
mod machine;
mod office;
#[cfg(test)]
mod tests;

use presence::{Address, Bare, Facts};

use crate::action::IqContext;
use crate::form::{Form, Submitted};
use crate::print::Condition;
use crate::sasl::Password;

pub use admin::{ADMIN, TABLE};
pub use answer::{answer, finished};
pub use machine::{Commands, Limits};
pub use office::OFFICE;

/// The namespace of XEP-0050.
pub const COMMANDS: &str = "http://jabber.org/protocol/commands";

/// Something that can be executed.
#[derive(Debug)]
pub struct Command {
    /// Its node: how it is called by programs.
    pub node: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Who may execute it. Nobody else learns of it.
    pub who: Who,
    /// Forms to be filled in, in turn; with none it is done at once.
    pub stages: &'static [Stage],
    /// What is to be done when all are filled in, or a sentence that says what is wrong with what was filled in last.
    pub order: fn(&[Submitted]) -> Result<Order, &'static str>,
}

/// Makes the form of one stage.
pub type Stage = fn(&Known) -> Form;

/// Who may execute a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Administrators.
    Admins,
    /// Every account.
    Everybody,
}

/// What forms say that is known already, and who asks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// The one who asks is an administrator.
    pub admin: bool,
    /// The message of the day.
    pub motd: Option<String>,
}

/// What is done with a command (XEP-0050 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Begin, or whatever is usual at this stage.
    Execute,
    /// On to the next stage.
    Next,
    /// Back to the stage before.
    Prev,
    /// All is filled in.
    Complete,
    /// Leave it.
    Cancel,
}

impl Verb {
    /// Reads `action`; without one it is to be executed.
    pub fn parse(action: Option<&str>) -> Option<Self> {
        match action {
            None | Some("execute") => Some(Self::Execute),
            Some("next") => Some(Self::Next),
            Some("prev") => Some(Self::Prev),
            Some("complete") => Some(Self::Complete),
            Some("cancel") => Some(Self::Cancel),
            Some(_) => None,
        }
    }
}

/// One `<command/>`.
#[derive(Debug)]
pub struct Request {
    /// The request.
    pub iq: IqContext,
    /// Which command.
    pub node: String,
    /// Which execution of it, after the first stage.
    pub session: Option<String>,
    /// What to do; `None`: something that nobody understands.
    pub verb: Option<Verb>,
    /// What was filled in.
    pub form: Option<Submitted>,
}

/// What an execution leads to in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A new account, with what is known of its person.
    AddUser {
        /// Its address.
        account: Bare,
        /// Its password.
        password: Password,
        /// What its card is to say.
        facts: Facts,
    },
    /// Accounts and all their data go.
    DeleteUsers(Vec<Bare>),
    /// Accounts are closed, or opened again.
    DisableUsers {
        /// Which.
        accounts: Vec<Bare>,
        /// Closed.
        disabled: bool,
    },
    /// A new password.
    ChangePassword {
        /// Whose.
        account: Bare,
        /// Which.
        password: Password,
    },
    /// Who is online, so many of them.
    OnlineUsers(usize),
    /// How many are online.
    OnlineCount,
    /// Sessions end: one, or all of an account.
    EndSessions(Vec<Address>),
    /// A message to all who are online.
    Announce(String),
    /// A message for everybody, once: now or at the next login.
    SetMotd(String),
    /// It says something else; who has seen it does not see it again.
    EditMotd(String),
    /// There is none any more.
    DeleteMotd,
    /// A status of the one who orders it, which outlives his sessions; `None` takes it back.
    Status(Option<StatusOrder>),
    /// Accounts come into a shared group.
    AddToGroup(GroupOrder),
    /// Accounts leave one, or it is removed.
    RemoveFromGroup(GroupOrder),
    /// Which groups there are.
    ListGroups,
}

/// A status that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusOrder {
    /// `away`, `xa`, `dnd` or `chat`; none: available.
    pub show: Option<String>,
    /// In words.
    pub text: Option<String>,
    /// A time of RFC 3339, or how long.
    pub until: Option<String>,
}

/// Who is meant in which group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupOrder {
    /// The group.
    pub name: String,
    /// These accounts.
    pub members: Vec<Bare>,
    /// Every account.
    pub everybody: bool,
}

impl Order {
    /// What it is about, for a log.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::AddUser { .. } => "add user",
            Self::DeleteUsers(_) => "delete users",
            Self::DisableUsers { disabled: true, .. } => "disable users",
            Self::DisableUsers { .. } => "enable users",
            Self::ChangePassword { .. } => "change password",
            Self::OnlineUsers(_) => "list online users",
            Self::OnlineCount => "count online users",
            Self::EndSessions(_) => "end sessions",
            Self::Announce(_) => "announce",
            Self::SetMotd(_) => "set message of the day",
            Self::EditMotd(_) => "edit message of the day",
            Self::DeleteMotd => "delete message of the day",
            Self::Status(_) => "set status",
            Self::AddToGroup(_) => "add to group",
            Self::RemoveFromGroup(_) => "remove from group",
            Self::ListGroups => "list groups",
        }
    }
}

/// How an order ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done {
        /// What people are told.
        note: Option<String>,
        /// What was found out.
        form: Option<Form>,
    },
    /// It could not be done: a sentence that says why, and what to do.
    Failed(String),
    /// What is to be made is there already.
    Conflict(String),
}

impl Outcome {
    /// Done, and nothing to tell.
    pub const DONE: Self = Self::Done {
        note: None,
        form: None,
    };
}

/// Which execution an answer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// The request that is answered.
    pub iq: IqContext,
    node: &'static str,
    session: String,
}

/// What follows from a request.
#[derive(Debug)]
pub enum Handled {
    /// The answer is known.
    Answer(Execution, Answered),
    /// It is refused.
    Refused(IqContext, Wrong),
    /// This is to be done, and then [`finished`].
    Run(Execution, Order),
}

/// An answer that ends nothing, or ends it without an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answered {
    /// The next form.
    Ask {
        /// The form.
        form: Form,
        /// There is a stage before.
        prev: bool,
        /// There is a stage behind.
        next: bool,
    },
    /// It is cancelled.
    Canceled,
}

/// Why a request is refused: a condition with the one of XEP-0050 §4.4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The general condition.
    pub condition: Condition,
    /// The one of XEP-0050.
    pub specific: Option<&'static str>,
    /// A sentence.
    pub text: Option<&'static str>,
}

impl Wrong {
    const fn new(condition: Condition, specific: Option<&'static str>) -> Self {
        Self {
            condition,
            specific,
            text: None,
        }
    }
}
