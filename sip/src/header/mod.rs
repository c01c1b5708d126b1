//! Header fields as types, read on demand: one file a field.

mod auth;
mod contact;
mod cseq;
mod date;
mod event;
mod media;
mod name_addr;
mod retry_after;
pub(crate) mod via;

pub(crate) use auth::DigestWriter;
pub use {
    auth::{Authorization, Challenge},
    contact::{Contact, Contacts},
    cseq::CSeq,
    date::Date,
    event::{Event, SubscriptionState, SubscriptionStatus},
    media::{AcceptRange, MediaType, accepts, best_accepted},
    name_addr::NameAddr,
    retry_after::RetryAfter,
    via::{MAGIC_COOKIE, Transport, Via},
};
