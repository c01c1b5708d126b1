//! Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760).

mod algorithm;
mod client;
mod ha1;
mod nonce;
mod response;
mod server;
mod table;
mod uri;

pub use {
    algorithm::Algorithm,
    client::{DigestSession, choose_challenge},
    ha1::{Ha1, Ha1Set, ha1},
    server::{Challenger, ChallengerConfig, Rejection, Verdict},
};
