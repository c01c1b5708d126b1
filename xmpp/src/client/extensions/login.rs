//! Logging in: specifications of the stream before it is bound (see [`crate::sasl`] and [`crate::session`]).

use super::Extension;

pub(super) const CHANNEL_BINDING: Extension = Extension::new(
    "Channel binding types told to clients",
    "XEP-0440",
    "1.0.0",
    &[],
);

pub(super) const BIND2: Extension = Extension::new("Bind 2", "XEP-0386", "1.1.0", &[]).partly(
    "Offline messages that stand in the archive are dropped when a client binds so; those that do not are delivered.",
);

pub(super) const SASL2: Extension =
    Extension::new("Extensible SASL profile", "XEP-0388", "1.0.4", &[]);

pub(super) const TOKENS: Extension =
    Extension::new("Fast authentication by token", "XEP-0484", "0.2.0", &[]);

pub(super) const DOWNGRADE: Extension =
    Extension::new("Downgrade protection of SCRAM", "XEP-0474", "0.5.0", &[]);

pub(super) const LIMITS: Extension = Extension::new("Stream limits", "XEP-0478", "0.2.0", &[]);
