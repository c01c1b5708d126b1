//! Message processing hints (XEP-0334): followed where a message is read.

use super::Extension;
use crate::stream::namespaces::HINTS;

pub(super) const EXTENSION: Extension =
    Extension::new("Message processing hints", "XEP-0334", "1.0.0", &[]).on_server(&[HINTS]);
