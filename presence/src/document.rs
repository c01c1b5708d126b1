//! What a device says about its person, in terms that every protocol shares (RFC 3863, 4480, 6121 §4.7).

use crate::time::Utc;

/// RFC 3863 §4.1.4 `<basic/>`: whether the device takes communication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Basic {
    /// Available.
    #[default]
    Open,
    /// Not available.
    Closed,
}

/// RFC 6121 §4.7.2.1 `<show/>`. No show means plainly available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Show {
    /// Temporarily away.
    Away,
    /// Wants to chat.
    Chat,
    /// Busy; do not disturb.
    Dnd,
    /// Away for longer.
    Xa,
}

impl Show {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Chat => "chat",
            Self::Dnd => "dnd",
            Self::Xa => "xa",
        }
    }

    /// Read from the wire; exact, as the RFC's schema says.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "away" => Self::Away,
            "chat" => Self::Chat,
            "dnd" => Self::Dnd,
            "xa" => Self::Xa,
            _ => return None,
        })
    }
}

/// Text for people, in one language (`<status/>` in XMPP, `<note/>` in PIDF).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// BCP 47 tag; `None` when none was given.
    pub lang: Option<String>,
    /// The text.
    pub text: String,
}

/// RFC 6121 §4.7.2.3: −128 to 127; a negative one takes no messages to the bare address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Priority(pub i8);

/// RFC 4480 §3.2 activities that have a meaning for us; all others keep their element name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the field's, RFC 4480 §3.2")]
pub enum Activity {
    Appointment,
    Away,
    Breakfast,
    Busy,
    Dinner,
    Holiday,
    InTransit,
    LookingForWork,
    Lunch,
    Meal,
    Meeting,
    OnThePhone,
    Performance,
    PermanentAbsence,
    Playing,
    Presentation,
    Shopping,
    Sleeping,
    Spectator,
    Steering,
    Travel,
    Tv,
    Unknown,
    Vacation,
    Working,
    Worship,
    /// `<other>` with its text, or an element from elsewhere with its name.
    Other(String),
}

/// One device's presence, protocol-neutral. What it cannot express stays in the publication's native form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    /// Open or closed.
    pub basic: Basic,
    /// RFC 6121 show; from a phone it is derived from its person's activities unless it says it itself.
    pub show: Option<Show>,
    /// Status texts in the order given, at most one a language.
    pub notes: Vec<Note>,
    /// XMPP priority, or RFC 3863 contact priority mapped by RFC 8048 table 1. `None`: not said.
    pub priority: Option<Priority>,
    /// Activities of the person.
    pub activities: Vec<Activity>,
    /// Since when the person has not touched the device (XEP-0319; RPID user-idle).
    pub idle_since: Option<Utc>,
    /// When the state was made (PIDF timestamp, XEP-0203 stamp).
    pub timestamp: Option<Utc>,
}
