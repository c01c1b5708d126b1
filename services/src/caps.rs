//! What a client can, known by a hash: XEP-0115 and XEP-0390. Of all that, the server needs to know of which nodes a client wants to be
//! notified (`+notify`, XEP-0060 §9.2).

mod announced;
mod cache;
mod hash;
mod interests;

pub use announced::{Announced, CAPS, CAPS2};
pub use cache::Cache;
pub use hash::{Algorithm, Key, V1Form, V1Identity, plain_v1};
pub use interests::Interests;
