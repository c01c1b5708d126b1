//! Dialogs of subscriptions, on both sides, small enough to be kept by the hundred thousand and written to
//! disk (RFC 3261 §12, RFC 6665 §4.4).

mod bytes;
mod create;
mod state;
#[cfg(test)]
mod tests;

pub use {
    bytes::DialogBytesError,
    state::{Dialog, DialogError, NextHop, RESERVED_AT_ONCE},
};
