//! A phone's registration (RFC 3261 §10).

use std::sync::Arc;

use crate::time::Utc;

/// One contact that a phone registered for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The contact URI as given.
    pub contact: Arc<str>,
    /// `+sip.instance` when given: names the device (RFC 5626 §4.1).
    pub instance: Option<Arc<str>>,
    /// Call-ID of the REGISTER.
    pub call_id: Arc<str>,
    /// CSeq of the REGISTER.
    pub cseq: u32,
    /// When it ends.
    pub expires: Utc,
    /// `q`, in thousandths.
    pub q: u16,
    /// Path (RFC 3327), first hop first, as header values.
    pub path: Vec<Arc<str>>,
    /// Takes MESSAGE: what `methods` or `Allow` of the REGISTER said; true when neither was there.
    pub takes_message: bool,
    /// Where the REGISTER came from, for connection reuse and NAT: opaque to the rules ("udp:192.0.2.1:5060").
    pub flow: Arc<str>,
    /// User-Agent, for the admin.
    pub user_agent: Option<Arc<str>>,
}
