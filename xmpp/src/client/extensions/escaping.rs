//! JID escaping (XEP-0106), which the server uses where a SIP user name holds what a local part may not.

use super::Extension;

pub(super) const EXTENSION: Extension =
    Extension::new("JID escaping", "XEP-0106", "1.1.1", &[]).on_server(&["jid\\20escaping"]);
