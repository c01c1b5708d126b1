//! Unique and stable stanza ids (XEP-0359): what claims to be one of ours is removed where a message is read.

use super::Extension;
use crate::stream::namespaces::STANZA_IDS;

pub(super) const EXTENSION: Extension =
    Extension::new("Unique and stable stanza ids", "XEP-0359", "0.7.0", &[])
        .on_server(&[STANZA_IDS])
        .on_account(&[STANZA_IDS]);
