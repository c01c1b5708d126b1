//! Delayed delivery (XEP-0203), written on what was stored.

use super::Extension;

pub(super) const EXTENSION: Extension = Extension::new("Delayed delivery", "XEP-0203", "2.0", &[]);
