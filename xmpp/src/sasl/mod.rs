//! SASL without sockets (RFC 4422, RFC 6120 §6): SCRAM and PLAIN, from the offer to the verdict.
//!
//! [`Exchange`] drives one negotiation; [`Channel`] says what may be offered. [`Attempts`] slows guessing down,
//! [`Remembered`] spares a client of PLAIN the slow check. Passwords are never kept, only [`Credentials`].

mod attempts;
mod base64;
mod client;
mod decoy;
mod downgrade;
mod exchange;
mod failure;
mod hash;
mod keys;
mod mechanism;
mod message;
mod plain;
mod prep;
mod remembered;
mod scram;
mod server_error;
#[cfg(test)]
mod tests;
mod token;

pub use attempts::{Attempts, Limits, Verdict};
pub use base64::{decode_data, decode_payload, encode_optional_payload, encode_payload};
pub use client::{AwaitServerFinal, ClientBinding, ClientError, ScramClient, plain_message};
pub use decoy::Decoy;
pub use downgrade::OfferDigests;
pub use exchange::{Exchange, Step, Subject};
pub use failure::Failure;
pub use hash::{Hash, Key};
pub use keys::{Credentials, Fingerprint, KeyError, Password, ScramKeys, StoredError};
pub use mechanism::{Binding, Channel, ChannelBindings, Mechanism};
pub use message::Nonce;
pub use plain::PlainLogin;
pub use prep::{PrepError, prepare};
pub use remembered::{Recollection, Remembered, Ticket};
pub use scram::{AwaitFinal, NeedKeys, ScramServer, Verified};
pub use server_error::ServerError;
pub use token::{
    ClientId, IssuedToken, Token, TokenAttempt, TokenFinding, TokenKey, TokenMechanism,
    TokenMessage,
};
