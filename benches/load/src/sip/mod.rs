//! SIP phones over UDP that cost next to nothing.

mod digest;
mod line;
mod view;

pub(crate) use line::{Heard, Line, SipSite};
