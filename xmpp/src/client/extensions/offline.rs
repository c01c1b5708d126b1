//! Offline storage (XEP-0160).

use super::Extension;

pub(super) const EXTENSION: Extension =
    Extension::new("Offline messages", "XEP-0160", "1.0.1", &[]).on_server(&["msgoffline"]);
