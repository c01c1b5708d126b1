//! XMPP services that own state, as pure rules: what a request means, who may do what, and how answers are printed. No storage, sockets,
//! clocks or randomness.
//!
//! | module | is |
//! |---|---|
//! | [`avatar`] | pictures of people, in nodes and in cards (XEP-0084, XEP-0054, XEP-0398) |
//! | [`bookmarks`] | bookmarks of rooms, one by one and all together (XEP-0402, XEP-0048) |
//! | [`caps`] | what a client can, known by a hash (XEP-0115, XEP-0390) |
//! | [`disco`] | answers of service discovery, read (XEP-0030, XEP-0128) |
//! | [`form`] | data forms (XEP-0004, XEP-0068) |
//! | [`pubsub`] | nodes of an account: PEP and publish-subscribe (XEP-0163, XEP-0060) |

pub mod avatar;
pub mod bookmarks;
pub mod caps;
pub mod disco;
pub mod form;
pub mod pubsub;
