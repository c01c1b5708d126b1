//! Stanza forwarding (XEP-0297): the form of what is in a copy or comes from an archive.

use super::Extension;

pub(super) const EXTENSION: Extension = Extension::new("Stanza forwarding", "XEP-0297", "1.0", &[]);
