//! Approval of a subscription before it is asked for (RFC 6121 §3.4). A stream feature tells of it, not service discovery.

use super::Extension;

pub(super) const EXTENSION: Extension =
    Extension::new("Subscription pre-approval", "RFC 6121", "", &[]);
