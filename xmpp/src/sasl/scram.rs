//! The server's side of SCRAM (RFC 5802, RFC 7677) as states that are moved by value:
//! [`ScramServer`] → [`NeedKeys`] → [`AwaitFinal`] → [`Verified`].

use super::base64;
use super::hash::{Hash, Key};
use super::keys::ScramKeys;
use super::mechanism::ChannelBindings;
use super::message::{BindingFlag, ClientFinal, ClientFirst, Nonce};
use super::server_error::ServerError;
use subtle::{Choice, ConstantTimeEq};

/// Waits for the client's first message.
#[derive(Debug)]
pub struct ScramServer {
    hash: Hash,
    plus: bool,
    bindings: ChannelBindings,
    nonce: Nonce,
    offer: Option<Box<str>>,
}

/// Waits for the keys of the account that the client names.
#[derive(Debug)]
pub struct NeedKeys {
    /// The hash that the keys must be for.
    pub hash: Hash,
    /// The user name as received: unescaped, neither prepared nor looked up.
    pub username: String,
    /// The identity to act as, as received; `None` means the user's own.
    pub authzid: Option<String>,
    binding: Vec<u8>,
    nonce: String,
    offer: Option<Box<str>>,
    first_bare: String,
}

/// Waits for the client's proof.
#[derive(Debug)]
pub struct AwaitFinal {
    keys: ScramKeys,
    exists: Choice,
    binding: Vec<u8>,
    nonce: String,
    /// `client-first-message-bare "," server-first-message ","`.
    auth_message: String,
}

/// The client has proved that it knows the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// `server-final-message`, which proves the server to the client.
    pub server_final: Vec<u8>,
}

impl ScramServer {
    /// A negotiation with `hash`, `plus` for the variant that binds the channel. `bindings` are what was advertised, `nonce` is fresh.
    pub fn new(hash: Hash, plus: bool, bindings: ChannelBindings, nonce: Nonce) -> Self {
        Self {
            hash,
            plus,
            bindings,
            nonce,
            offer: None,
        }
    }

    /// Tells the client what it was offered: the attribute `h` (XEP-0474).
    #[must_use]
    pub fn telling(mut self, offer: Option<&str>) -> Self {
        self.offer = offer.map(Box::from);
        self
    }

    /// Takes `client-first-message`.
    ///
    /// # Errors
    /// Grammar, mandatory extensions, and every mismatch between mechanism, channel binding flag and what is supported (RFC 5802 §6).
    pub fn handle_first(self, message: &[u8]) -> Result<NeedKeys, ServerError> {
        let first = ClientFirst::parse(message)?;
        let data = self.binding_data(first.flag)?;
        Ok(NeedKeys {
            hash: self.hash,
            binding: [first.header.as_bytes(), data].concat(),
            nonce: [first.nonce, self.nonce.as_str()].concat(),
            offer: self.offer,
            first_bare: first.bare.to_owned(),
            username: first.username,
            authzid: first.authzid,
        })
    }

    fn binding_data(&self, flag: BindingFlag<'_>) -> Result<&[u8], ServerError> {
        match flag {
            BindingFlag::Bound(_) if !self.plus => Err(ServerError::ChannelBindingNotSupported),
            BindingFlag::Bound(name) => self
                .bindings
                .data(name)
                .ok_or(ServerError::UnsupportedChannelBindingType),
            // The client did not see what was advertised: somebody took it out.
            BindingFlag::BelievedUnsupported if self.bindings.any() => {
                Err(ServerError::ServerDoesSupportChannelBinding)
            }
            BindingFlag::Unsupported | BindingFlag::BelievedUnsupported if self.plus => {
                Err(ServerError::InvalidEncoding)
            }
            BindingFlag::Unsupported | BindingFlag::BelievedUnsupported => Ok(&[]),
        }
    }
}

impl NeedKeys {
    /// Goes on with the keys of an account that exists, or with a [`Decoy`](super::Decoy)'s for one that does not.
    /// Returns the challenge, `server-first-message`.
    ///
    /// # Errors
    /// `other-error` when the keys are for another hash.
    pub fn with_keys(
        self,
        keys: ScramKeys,
        exists: bool,
    ) -> Result<(Vec<u8>, AwaitFinal), ServerError> {
        if keys.hash() != self.hash {
            return Err(ServerError::OtherError);
        }
        let mut server_first = format!(
            "r={},s={},i={}",
            self.nonce,
            base64::encode(keys.salt()),
            keys.iterations()
        );
        if let Some(offer) = self.offer {
            server_first.push_str(",h=");
            server_first.push_str(&offer);
        }
        let auth_message = format!("{},{server_first},", self.first_bare);
        let state = AwaitFinal {
            keys,
            exists: Choice::from(u8::from(exists)),
            binding: self.binding,
            nonce: self.nonce,
            auth_message,
        };
        Ok((server_first.into_bytes(), state))
    }
}

impl AwaitFinal {
    /// Takes `client-final-message`. The work is the same whether the account exists or not.
    ///
    /// # Errors
    /// Grammar, another nonce, another channel, a wrong proof.
    pub fn handle_final(self, message: &[u8]) -> Result<Verified, ServerError> {
        let last = ClientFinal::parse(message)?;
        if last.nonce != self.nonce {
            return Err(ServerError::OtherError);
        }
        if !bool::from(last.binding.as_slice().ct_eq(&self.binding)) {
            return Err(ServerError::ChannelBindingsDontMatch);
        }
        let parts = [self.auth_message.as_bytes(), last.without_proof.as_bytes()];
        let proven = self.proves(&parts, &last.proof);
        let signature = self
            .keys
            .hash()
            .hmac(self.keys.server_key().as_bytes(), &parts);
        if !bool::from(proven & self.exists) {
            return Err(ServerError::InvalidProof);
        }
        let server_final = format!("v={}", base64::encode(signature.as_bytes()));
        Ok(Verified {
            server_final: server_final.into_bytes(),
        })
    }

    /// `H(ClientProof XOR ClientSignature) = StoredKey`.
    fn proves(&self, auth_message: &[&[u8]], proof: &[u8]) -> Choice {
        let hash = self.keys.hash();
        if proof.len() != hash.length() {
            return Choice::from(0);
        }
        let client_signature: Key = hash.hmac(self.keys.stored_key().as_bytes(), auth_message);
        let client_key = client_signature.xor(proof);
        hash.digest(client_key.as_bytes())
            .as_bytes()
            .ct_eq(self.keys.stored_key().as_bytes())
    }
}
