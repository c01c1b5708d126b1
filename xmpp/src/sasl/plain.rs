//! PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`, UTF-8.

use super::failure::Failure;
use super::keys::Password;

/// What a client presents with PLAIN, as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainLogin {
    /// The identity to act as; `None` means the user's own.
    pub authzid: Option<String>,
    /// Whose password it is.
    pub username: String,
    /// The password.
    pub password: Password,
}

impl PlainLogin {
    /// Reads the one message of PLAIN.
    ///
    /// # Errors
    /// `malformed-request` unless there are exactly three parts of UTF-8, the last two not empty.
    pub fn parse(message: &[u8]) -> Result<Self, Failure> {
        let text = std::str::from_utf8(message).map_err(|_| Failure::MalformedRequest)?;
        let mut parts = text.split('\0');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(authzid), Some(username), Some(password), None)
                if !username.is_empty() && !password.is_empty() =>
            {
                Ok(Self {
                    authzid: Some(authzid)
                        .filter(|identity| !identity.is_empty())
                        .map(str::to_owned),
                    username: username.to_owned(),
                    password: Password::new(password),
                })
            }
            _ => Err(Failure::MalformedRequest),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::super::client::plain_message;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn examples_of_rfc_4616() {
        let tim = PlainLogin::parse(b"\0tim\0tanstaaftanstaaf").unwrap();
        assert_eq!(
            (tim.authzid, tim.username.as_str(), tim.password.reveal()),
            (None, "tim", "tanstaaftanstaaf")
        );
        let kurt = PlainLogin::parse(b"Ursel\0Kurt\0xipj3plmq").unwrap();
        assert_eq!(
            (kurt.authzid.as_deref(), kurt.username.as_str()),
            (Some("Ursel"), "Kurt")
        );
    }

    #[test]
    fn longest_parts_are_taken() {
        let part = "x".repeat(255);
        let login = PlainLogin::parse(
            [&part, &part, &part]
                .map(String::as_str)
                .join("\0")
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(login.password.reveal(), part);
    }

    #[test]
    fn malformed_messages() {
        let wrong: [&[u8]; 9] = [
            b"",
            b"\0",
            b"\0\0",
            b"a\0b",
            b"\0a\0",
            b"\0\0b",
            b"\0a\0b\0",
            b"\0a\0b\0c",
            b"\0a\0\xff",
        ];
        for message in wrong {
            assert_eq!(
                PlainLogin::parse(message),
                Err(Failure::MalformedRequest),
                "{message:?}"
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_bytes_are_read_or_refused(message in proptest::collection::vec(prop_oneof![Just(0_u8), any::<u8>(), 0x20..0x7f_u8], 0..12)) {
            if let Ok(login) = PlainLogin::parse(&message) {
                let again = plain_message(login.authzid.as_deref(), &login.username, login.password.reveal());
                prop_assert_eq!(again, message);
            }
        }
    }
}
