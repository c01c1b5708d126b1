//! SCRAM as a client does it (RFC 5802 §3), with the costly part remembered.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::failure::{Failure, Result};

/// How to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, clap::ValueEnum)]
pub(crate) enum Mechanism {
    /// The password itself.
    Plain,
    /// SCRAM-SHA-1.
    #[value(name = "scram-sha-1")]
    ScramSha1,
    /// SCRAM-SHA-256.
    #[value(name = "scram-sha-256")]
    ScramSha256,
}

impl Mechanism {
    /// Its SASL name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
        }
    }
}

/// What a password gives with one salt.
#[derive(Clone)]
pub(crate) struct Keys {
    salt: Vec<u8>,
    rounds: u32,
    client: Vec<u8>,
    stored: Vec<u8>,
    server: Vec<u8>,
}

/// The client's last message, and what the server must answer to it.
pub(crate) struct Final {
    /// The message.
    pub(crate) message: String,
    /// The signature that proves the server, as `v=…`.
    pub(crate) proof: String,
}

/// Answers the server's challenge; `keys` is used where salt and rounds are the same, and renewed else.
pub(crate) fn answer(
    mechanism: Mechanism,
    password: &str,
    first_bare: &str,
    challenge: &str,
    keys: &mut Option<Keys>,
) -> Result<Final> {
    let field = |name: &str| {
        let mut parts = challenge.split(',');
        parts.find_map(|part| part.strip_prefix(name).map(str::to_owned))
    };
    let bad = || Failure::Peer(format!("SCRAM challenge not understood: {challenge}"));
    let nonce = field("r=").ok_or_else(bad)?;
    let salt = field("s=").and_then(|salt| STANDARD.decode(salt).ok());
    let salt = salt.ok_or_else(bad)?;
    let rounds = field("i=").and_then(|rounds| rounds.parse().ok());
    let rounds: u32 = rounds.ok_or_else(bad)?;
    let known = keys
        .take()
        .filter(|keys| keys.salt == salt && keys.rounds == rounds);
    let made = known.unwrap_or_else(|| derive(mechanism, password, &salt, rounds));
    let mut message = format!("c=biws,r={nonce}");
    let signed = format!("{first_bare},{challenge},{message}");
    let signature = hmac(mechanism, &made.stored, signed.as_bytes());
    let proof: Vec<u8> = made
        .client
        .iter()
        .zip(&signature)
        .map(|(key, mask)| key ^ mask)
        .collect();
    let _ = write!(message, ",p={}", STANDARD.encode(proof));
    let server = hmac(mechanism, &made.server, signed.as_bytes());
    *keys = Some(made);
    Ok(Final {
        message,
        proof: format!("v={}", STANDARD.encode(server)),
    })
}

fn derive(mechanism: Mechanism, password: &str, salt: &[u8], rounds: u32) -> Keys {
    let salted = if mechanism == Mechanism::ScramSha1 {
        pbkdf2::pbkdf2_hmac_array::<Sha1, 20>(password.as_bytes(), salt, rounds).to_vec()
    } else {
        pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password.as_bytes(), salt, rounds).to_vec()
    };
    let client = hmac(mechanism, &salted, b"Client Key");
    let stored = if mechanism == Mechanism::ScramSha1 {
        Sha1::digest(&client).to_vec()
    } else {
        Sha256::digest(&client).to_vec()
    };
    Keys {
        salt: salt.to_vec(),
        rounds,
        server: hmac(mechanism, &salted, b"Server Key"),
        client,
        stored,
    }
}

fn hmac(mechanism: Mechanism, key: &[u8], text: &[u8]) -> Vec<u8> {
    fn with<M: Mac + hmac::digest::KeyInit>(key: &[u8], text: &[u8]) -> Vec<u8> {
        // HMAC takes keys of every length.
        <M as Mac>::new_from_slice(key).map_or_else(
            |_| Vec::new(),
            |mut mac| {
                mac.update(text);
                mac.finalize().into_bytes().to_vec()
            },
        )
    }
    if mechanism == Mechanism::ScramSha1 {
        with::<Hmac<Sha1>>(key, text)
    } else {
        with::<Hmac<Sha256>>(key, text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exchanges_of_the_rfcs() {
        // RFC 5802 §5 and RFC 7677 §3.
        let mut keys = None;
        let done = answer(
            Mechanism::ScramSha1,
            "pencil",
            "n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            &mut keys,
        )
        .expect("challenge");
        assert!(done.message.ends_with(",p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="));
        assert_eq!(done.proof, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=");
        let done = answer(
            Mechanism::ScramSha256,
            "pencil",
            "n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            &mut keys,
        )
        .expect("challenge");
        assert!(
            done.message
                .ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
        );
        assert_eq!(done.proof, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }
}
