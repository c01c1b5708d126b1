//! The grammar of SCRAM messages (RFC 5802 §7). Attribute order is fixed; optional extensions are checked and ignored.

use super::base64;
use super::server_error::ServerError;
use std::str::Split;

/// Random printable text that makes an exchange unique: a `c-nonce` or `s-nonce` (RFC 5802 §5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce(String);

impl Nonce {
    /// How many random bytes a nonce is made of.
    pub const RANDOM_BYTES: usize = 18;

    /// A nonce from random bytes.
    pub fn from_random(bytes: &[u8; Self::RANDOM_BYTES]) -> Self {
        Self(base64::encode(bytes))
    }

    /// A nonce from text; `None` unless it is printable ASCII without commas and not empty.
    pub fn from_text(text: &str) -> Option<Self> {
        is_nonce(text).then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_nonce(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
}

/// The flag that opens every client-first-message (RFC 5802 §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BindingFlag<'a> {
    /// `n`: the client cannot bind channels.
    Unsupported,
    /// `y`: the client can, and believes that the server cannot.
    BelievedUnsupported,
    /// `p=`: bound with this type.
    Bound(&'a str),
}

/// `client-first-message`.
#[derive(Debug)]
pub(super) struct ClientFirst<'a> {
    /// `gs2-header` as it was sent, with its last comma.
    pub(super) header: &'a str,
    pub(super) flag: BindingFlag<'a>,
    pub(super) authzid: Option<String>,
    /// `client-first-message-bare`.
    pub(super) bare: &'a str,
    pub(super) username: String,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ServerError> {
        let message = text(bytes)?;
        let (flag, rest) = message
            .split_once(',')
            .ok_or(ServerError::InvalidEncoding)?;
        let (authzid, bare) = rest.split_once(',').ok_or(ServerError::InvalidEncoding)?;
        let header = message
            .get(..message.len() - bare.len())
            .ok_or(ServerError::InvalidEncoding)?;
        let flag = parse_flag(flag)?;
        let authzid = match authzid {
            "" => None,
            given => Some(unescape(value(Some(given), 'a')?)?),
        };
        let mut parts = bare.split(',');
        let username = unescape(value(parts.next(), 'n')?)?;
        let nonce = nonce(parts.next())?;
        extensions(parts)?;
        Ok(Self {
            header,
            flag,
            authzid,
            bare,
            username,
            nonce,
        })
    }
}

fn parse_flag(flag: &str) -> Result<BindingFlag<'_>, ServerError> {
    match flag {
        "n" => Ok(BindingFlag::Unsupported),
        "y" => Ok(BindingFlag::BelievedUnsupported),
        _ => {
            let name = flag
                .strip_prefix("p=")
                .ok_or(ServerError::InvalidEncoding)?;
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
            if name.is_empty() || !name.bytes().all(legal) {
                return Err(ServerError::InvalidEncoding);
            }
            Ok(BindingFlag::Bound(name))
        }
    }
}

/// `server-first-message`.
#[derive(Debug)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ServerError> {
        let mut parts = text(bytes)?.split(',');
        let nonce = nonce(parts.next())?;
        let salt = base64_value(parts.next(), 's')?;
        let count = value(parts.next(), 'i')?;
        let is_number = !count.starts_with('0') && count.bytes().all(|byte| byte.is_ascii_digit());
        let iterations = count
            .parse()
            .ok()
            .filter(|_| is_number)
            .ok_or(ServerError::InvalidEncoding)?;
        extensions(parts)?;
        Ok(Self {
            nonce,
            salt,
            iterations,
        })
    }
}

/// `client-final-message`.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    /// `cbind-input`, decoded.
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    pub(super) proof: Vec<u8>,
    pub(super) without_proof: &'a str,
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, ServerError> {
        let (without_proof, proof) = text(bytes)?
            .rsplit_once(',')
            .ok_or(ServerError::InvalidEncoding)?;
        let proof = base64_value(Some(proof), 'p')?;
        let mut parts = without_proof.split(',');
        let binding = base64_value(parts.next(), 'c')?;
        let nonce = nonce(parts.next())?;
        extensions(parts)?;
        Ok(Self {
            binding,
            nonce,
            proof,
            without_proof,
        })
    }
}

/// `server-final-message`: the signature, or the error that the server tells.
pub(super) fn parse_server_final(
    bytes: &[u8],
) -> Result<Result<Vec<u8>, ServerError>, ServerError> {
    let mut parts = text(bytes)?.split(',');
    let first = parts.next();
    let result = match value(first, 'e') {
        Ok(error) => Err(ServerError::from_value(error)),
        Err(_) => Ok(base64_value(first, 'v')?),
    };
    extensions(parts)?;
    Ok(result)
}

/// UTF-8 without NUL, which no production of the grammar allows.
fn text(bytes: &[u8]) -> Result<&str, ServerError> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'))
        .ok_or(ServerError::InvalidEncoding)
}

/// The value of the attribute that must stand here.
fn value(part: Option<&str>, name: char) -> Result<&str, ServerError> {
    let (found, value) = part
        .and_then(|part| part.split_once('='))
        .ok_or(ServerError::InvalidEncoding)?;
    if found == "m" {
        return Err(ServerError::ExtensionsNotSupported);
    }
    let mut letters = found.chars();
    if letters.next() != Some(name) || letters.next().is_some() || value.is_empty() {
        return Err(ServerError::InvalidEncoding);
    }
    Ok(value)
}

fn base64_value(part: Option<&str>, name: char) -> Result<Vec<u8>, ServerError> {
    base64::decode(value(part, name)?).ok_or(ServerError::InvalidEncoding)
}

fn nonce(part: Option<&str>) -> Result<&str, ServerError> {
    let nonce = value(part, 'r')?;
    if is_nonce(nonce) {
        Ok(nonce)
    } else {
        Err(ServerError::InvalidEncoding)
    }
}

/// What may follow: optional extensions. An attribute that RFC 5802 gives a place of its own is out of order here.
fn extensions(parts: Split<'_, char>) -> Result<(), ServerError> {
    for part in parts {
        let (name, value) = part.split_once('=').ok_or(ServerError::InvalidEncoding)?;
        match name.as_bytes() {
            [b'm'] => return Err(ServerError::ExtensionsNotSupported),
            [letter]
                if letter.is_ascii_alphabetic()
                    && !b"anrcsipve".contains(letter)
                    && !value.is_empty() => {}
            _ => return Err(ServerError::InvalidEncoding),
        }
    }
    Ok(())
}

/// A `saslname` as it is meant: `=2C` is a comma, `=3D` an equals sign, no other `=` is allowed.
fn unescape(name: &str) -> Result<String, ServerError> {
    let mut plain = String::with_capacity(name.len());
    let mut pieces = name.split('=');
    plain.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (character, rest) = match piece.get(..2) {
            Some("2C") => (',', piece.get(2..)),
            Some("3D") => ('=', piece.get(2..)),
            _ => return Err(ServerError::InvalidUsernameEncoding),
        };
        plain.push(character);
        plain.push_str(rest.unwrap_or_default());
    }
    Ok(plain)
}

/// The reverse of [`unescape`].
pub(super) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use proptest::prelude::*;

    fn first(message: &str) -> Result<ClientFirst<'_>, ServerError> {
        ClientFirst::parse(message.as_bytes())
    }

    #[test]
    fn every_form_of_the_header() {
        let plain = first("n,,n=user,r=abc").unwrap();
        assert_eq!((plain.header, plain.bare), ("n,,", "n=user,r=abc"));
        assert_eq!(
            (plain.flag, plain.authzid),
            (BindingFlag::Unsupported, None)
        );
        let full = first("p=tls-exporter,a=x=2Cy=3D,n=u=3D=2Cv,r=abc,x=1,y=2=").unwrap();
        assert_eq!(
            (full.header, full.flag),
            (
                "p=tls-exporter,a=x=2Cy=3D,",
                BindingFlag::Bound("tls-exporter")
            )
        );
        assert_eq!(
            (full.authzid.as_deref(), full.username.as_str(), full.nonce),
            (Some("x,y="), "u=,v", "abc")
        );
        assert_eq!(
            first("y,,n=u,r=a").unwrap().flag,
            BindingFlag::BelievedUnsupported
        );
    }

    #[test]
    fn malformed_first_messages() {
        use ServerError::{ExtensionsNotSupported, InvalidEncoding, InvalidUsernameEncoding};
        for (message, error) in [
            ("", InvalidEncoding),
            ("n", InvalidEncoding),
            ("n,", InvalidEncoding),
            ("n,,", InvalidEncoding),
            ("x,,n=u,r=a", InvalidEncoding),
            ("N,,n=u,r=a", InvalidEncoding),
            ("F,n,,n=u,r=a", InvalidEncoding),
            ("p,,n=u,r=a", InvalidEncoding),
            ("p=,,n=u,r=a", InvalidEncoding),
            ("p=tls_x,,n=u,r=a", InvalidEncoding),
            ("n,b=x,n=u,r=a", InvalidEncoding),
            ("n,a=,n=u,r=a", InvalidEncoding),
            ("n,a=x=,n=u,r=a", InvalidUsernameEncoding),
            ("n,,n=,r=a", InvalidEncoding),
            ("n,,n=u", InvalidEncoding),
            ("n,,r=a,n=u", InvalidEncoding),
            ("n,,n=u,r=", InvalidEncoding),
            ("n,,n=u,r=a b", InvalidEncoding),
            ("n,,n=u,r=ä", InvalidEncoding),
            ("n,,n=u,r=a,", InvalidEncoding),
            ("n,,n=u,r=a,1=x", InvalidEncoding),
            ("n,,n=u,r=a,xx=x", InvalidEncoding),
            ("n,,n=u,r=a,x=", InvalidEncoding),
            ("n,,n=u,r=a,r=b", InvalidEncoding),
            ("n,,n=u,r=a,p=b", InvalidEncoding),
            ("n,,n=u\0,r=a", InvalidEncoding),
            ("n,,nn=u,r=a", InvalidEncoding),
            ("n,,m=x,n=u,r=a", ExtensionsNotSupported),
            ("n,,n=u,r=a,m=x", ExtensionsNotSupported),
            ("n,,n=u=,r=a", InvalidUsernameEncoding),
            ("n,,n=u=2,r=a", InvalidUsernameEncoding),
            ("n,,n=u=2c,r=a", InvalidUsernameEncoding),
            ("n,,n=u=41,r=a", InvalidUsernameEncoding),
            ("n,,n==ä,r=a", InvalidUsernameEncoding),
        ] {
            assert_eq!(first(message).map(|_| ()), Err(error), "{message:?}");
        }
        assert_eq!(
            ClientFirst::parse(b"n,,n=\xff,r=a").map(|_| ()),
            Err(InvalidEncoding)
        );
    }

    #[test]
    fn final_messages() {
        let parsed = ClientFinal::parse(b"c=biws,r=abc,x=1,p=AAAA").unwrap();
        assert_eq!(
            (parsed.binding.as_slice(), parsed.nonce, parsed.proof.len()),
            (b"n,,".as_slice(), "abc", 3)
        );
        assert_eq!(parsed.without_proof, "c=biws,r=abc,x=1");
        for wrong in [
            "",
            "c=biws",
            "c=biws,r=abc",
            "r=abc,c=biws,p=AAAA",
            "c=biws,r=abc,p=AAAA,x=1",
            "c=biw,r=abc,p=AAAA",
            "c=biws,r=abc,p=AAA",
            "c=biws,r=abc,p=",
            "c=,r=abc,p=AAAA",
            "c=biws,p=AAAA",
            "c=biws,r=abc,p=AAAA,p=AAAA",
        ] {
            assert_eq!(
                ClientFinal::parse(wrong.as_bytes()).map(|_| ()),
                Err(ServerError::InvalidEncoding),
                "{wrong:?}"
            );
        }
        let mandatory = ClientFinal::parse(b"c=biws,r=abc,m=1,p=AAAA").map(|_| ());
        assert_eq!(mandatory, Err(ServerError::ExtensionsNotSupported));
    }

    #[test]
    fn server_messages() {
        let parsed = ServerFirst::parse(b"r=abc,s=AAAA,i=4096,x=1").unwrap();
        assert_eq!(
            (parsed.nonce, parsed.salt.len(), parsed.iterations),
            ("abc", 3, 4096)
        );
        for wrong in [
            "r=a,s=AAAA,i=0",
            "r=a,s=AAAA,i=01",
            "r=a,s=AAAA,i=+1",
            "r=a,s=AAAA,i=99999999999",
            "r=a,i=1,s=AAAA",
            "r=a,s=A,i=1",
        ] {
            assert!(ServerFirst::parse(wrong.as_bytes()).is_err(), "{wrong:?}");
        }
        assert_eq!(parse_server_final(b"v=AAAA"), Ok(Ok(vec![0, 0, 0])));
        assert_eq!(
            parse_server_final(b"e=invalid-proof,x=1"),
            Ok(Err(ServerError::InvalidProof))
        );
        assert_eq!(
            parse_server_final(b"e=new"),
            Ok(Err(ServerError::OtherError))
        );
        assert_eq!(
            parse_server_final(b"x=1"),
            Err(ServerError::InvalidEncoding)
        );
    }

    #[test]
    fn nonces() {
        assert_eq!(Nonce::from_random(&[0; 18]).as_str().len(), 24);
        assert!(Nonce::from_text("abc").is_some());
        assert!(
            ["", "a,b", "a b", "ä"]
                .into_iter()
                .all(|text| Nonce::from_text(text).is_none())
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn names_survive_escaping(name in "[^\0]{1,20}") {
            prop_assert!(!escape(&name).contains(','));
            prop_assert_eq!(unescape(&escape(&name)), Ok(name));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80), text in "[nyp]?,?[acnrmpsiev=,A2CD3]{0,40}") {
            for message in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(first) = ClientFirst::parse(message) {
                    prop_assert!(message == [first.header, first.bare].concat().as_bytes());
                }
                if let Ok(last) = ClientFinal::parse(message) {
                    prop_assert!(message.starts_with(last.without_proof.as_bytes()));
                }
                let _ = ServerFirst::parse(message);
                let _ = parse_server_final(message);
            }
        }
    }
}
