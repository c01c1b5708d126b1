//! A client of SCRAM (RFC 5802 §5), for tests, load programs and streams towards other servers.

use super::base64;
use super::hash::{Hash, Key};
use super::message::{Nonce, ServerFirst, escape, parse_server_final};
use super::prep::{PrepError, prepare};
use super::server_error::ServerError;
use subtle::ConstantTimeEq;
use thiserror::Error;

/// How the client treats channel binding: the flag of its first message (RFC 5802 §6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientBinding {
    /// `n`: cannot.
    Unsupported,
    /// `y`: can, but the server did not offer it.
    NotOffered,
    /// `p=name`: bound with this data; for the -PLUS mechanisms.
    Bound {
        /// Registered name, such as `tls-exporter`.
        name: String,
        /// Data of the channel.
        data: Vec<u8>,
    },
}

/// Why the client gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ClientError {
    /// SASLprep refuses the password.
    #[error("the password cannot be used: {0}")]
    Password(#[from] PrepError),
    /// The server's message breaks the grammar.
    #[error("malformed message from the server: {0}")]
    Malformed(ServerError),
    /// The server's nonce does not continue the client's.
    #[error("the server answered another exchange")]
    Nonce,
    /// More rounds than the client is ready to compute.
    #[error("the server asks for {0} iterations")]
    TooManyIterations(u32),
    /// The server says no.
    #[error("the server refuses: {0}")]
    Refused(ServerError),
    /// The server does not know the password either: it is not who it claims to be.
    #[error("the server could not prove that it knows the account")]
    Signature,
}

/// Most iterations that a server may ask for; above it a hostile server would burn the client's processor.
const MOST_ITERATIONS: u32 = 1_000_000;

/// Has sent its first message and waits for the challenge.
#[derive(Debug)]
pub struct ScramClient {
    hash: Hash,
    header: String,
    binding: Vec<u8>,
    nonce: String,
    first_bare: String,
}

/// Has sent its proof and waits for the server's.
#[derive(Debug)]
pub struct AwaitServerFinal {
    signature: Key,
}

impl ScramClient {
    /// Begins a negotiation; returns `client-first-message` too. The nonce is fresh.
    pub fn start(
        hash: Hash,
        username: &str,
        authzid: Option<&str>,
        binding: ClientBinding,
        nonce: &Nonce,
    ) -> (Vec<u8>, Self) {
        let (flag, data) = match binding {
            ClientBinding::Unsupported => ("n".to_owned(), Vec::new()),
            ClientBinding::NotOffered => ("y".to_owned(), Vec::new()),
            ClientBinding::Bound { name, data } => (format!("p={name}"), data),
        };
        let authzid = authzid
            .map(|identity| format!("a={}", escape(identity)))
            .unwrap_or_default();
        let header = format!("{flag},{authzid},");
        let first_bare = format!("n={},r={}", escape(username), nonce.as_str());
        let message = format!("{header}{first_bare}").into_bytes();
        (
            message,
            Self {
                hash,
                header,
                binding: data,
                nonce: nonce.as_str().to_owned(),
                first_bare,
            },
        )
    }

    /// Takes the challenge, `server-first-message`; returns `client-final-message`. Slow by design.
    pub fn handle_challenge(
        self,
        message: &[u8],
        password: &str,
    ) -> Result<(Vec<u8>, AwaitServerFinal), ClientError> {
        let first = ServerFirst::parse(message).map_err(ClientError::Malformed)?;
        if !first.nonce.starts_with(&self.nonce) || first.nonce.len() == self.nonce.len() {
            return Err(ClientError::Nonce);
        }
        if first.iterations > MOST_ITERATIONS {
            return Err(ClientError::TooManyIterations(first.iterations));
        }
        let salted =
            self.hash
                .stretch(prepare(password)?.as_bytes(), &first.salt, first.iterations);
        let binding = base64::encode(&[self.header.as_bytes(), &self.binding].concat());
        let without_proof = format!("c={binding},r={}", first.nonce);
        let auth_message: [&[u8]; 5] = [
            self.first_bare.as_bytes(),
            b",",
            message,
            b",",
            without_proof.as_bytes(),
        ];
        let client_key = self.hash.hmac(salted.as_bytes(), &[b"Client Key"]);
        let stored_key = self.hash.digest(client_key.as_bytes());
        let proof = self
            .hash
            .hmac(stored_key.as_bytes(), &auth_message)
            .xor(client_key.as_bytes());
        let server_key = self.hash.hmac(salted.as_bytes(), &[b"Server Key"]);
        let signature = self.hash.hmac(server_key.as_bytes(), &auth_message);
        let last = format!("{without_proof},p={}", base64::encode(proof.as_bytes()));
        Ok((last.into_bytes(), AwaitServerFinal { signature }))
    }
}

impl AwaitServerFinal {
    /// Takes the additional data of success, `server-final-message`: only now the client knows whom it talks to.
    pub fn handle_success(self, message: &[u8]) -> Result<(), ClientError> {
        let signature = parse_server_final(message)
            .map_err(ClientError::Malformed)?
            .map_err(ClientError::Refused)?;
        if bool::from(signature.as_slice().ct_eq(self.signature.as_bytes())) {
            Ok(())
        } else {
            Err(ClientError::Signature)
        }
    }
}

/// The message of PLAIN (RFC 4616 §2).
pub fn plain_message(authzid: Option<&str>, username: &str, password: &str) -> Vec<u8> {
    [authzid.unwrap_or_default(), username, password]
        .join("\0")
        .into_bytes()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_client_is_not_fooled() {
        let nonce = Nonce::from_text("client").unwrap();
        let start =
            || ScramClient::start(Hash::Sha256, "ann", None, ClientBinding::NotOffered, &nonce).1;
        let challenge = |message: &str| {
            start()
                .handle_challenge(message.as_bytes(), "pencil")
                .map(|_| ())
        };
        assert_eq!(challenge("r=clientserver,s=AAAA,i=1"), Ok(()));
        assert_eq!(challenge("r=client,s=AAAA,i=1"), Err(ClientError::Nonce));
        assert_eq!(
            challenge("r=otherserver,s=AAAA,i=1"),
            Err(ClientError::Nonce)
        );
        assert_eq!(
            challenge("r=clientserver,s=AAAA,i=4000000"),
            Err(ClientError::TooManyIterations(4_000_000))
        );
        assert_eq!(
            challenge("m=1,r=clientserver,s=AAAA,i=1"),
            Err(ClientError::Malformed(ServerError::ExtensionsNotSupported))
        );
        let success = |message: &[u8]| {
            let (_, client) = start()
                .handle_challenge(b"r=clientserver,s=AAAA,i=1", "pencil")
                .unwrap();
            client.handle_success(message)
        };
        assert_eq!(success(b"v=AAAA"), Err(ClientError::Signature));
        assert_eq!(
            success(b"e=invalid-proof"),
            Err(ClientError::Refused(ServerError::InvalidProof))
        );
        assert_eq!(
            success(b"v=A"),
            Err(ClientError::Malformed(ServerError::InvalidEncoding))
        );
        let empty = start()
            .handle_challenge(b"r=clientserver,s=AAAA,i=1", "")
            .map(|_| ());
        assert_eq!(empty, Err(ClientError::Password(PrepError::Empty)));
    }
}
