//! Idle time in presence (XEP-0319), read from clients and written for phones. Clients tell it in their own features.

use super::Extension;

pub(super) const EXTENSION: Extension = Extension::new("Idle time", "XEP-0319", "1.0.2", &[]);
