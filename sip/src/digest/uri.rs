//! Whether the `uri` of an answer names the resource of the request (RFC 7616 §3.4.6).

use crate::uri::Uri;

/// Compares `uri` of the credentials with the Request-URI (RFC 3261 §22.4 item 5).
///
/// User and host must be the same. Phones leave out the port, add or drop parameters, and say `sip:` where
/// the request says `sips:`; that is let through, but two different ports are not.
pub(super) fn same_resource(digest_uri: &str, request_uri: &Uri) -> bool {
    if digest_uri == request_uri.as_str() {
        return true;
    }
    let Ok(digest_uri) = Uri::parse(digest_uri) else {
        return false;
    };
    if !digest_uri.is_sip() || !request_uri.is_sip() {
        return digest_uri.equivalent(request_uri);
    }
    let ports = match (digest_uri.port(), request_uri.port()) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    };
    ports && digest_uri.same_user_host(request_uri)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn habits_of_phones_pass_and_other_resources_do_not() {
        let request = Uri::parse("sip:ann@example.com:5060;transport=udp").unwrap();
        for (uri, same) in [
            ("sip:ann@example.com:5060;transport=udp", true),
            ("sip:ann@example.com", true),
            ("sip:ann@EXAMPLE.com:5060", true),
            ("sips:%61nn@example.com", true),
            ("sip:Ann@example.com", false),
            ("sip:ann@example.com:5061", false),
            ("sip:bob@example.com", false),
            ("sip:example.com", false),
            ("", false),
            ("*", false),
        ] {
            assert_eq!(same_resource(uri, &request), same, "{uri}");
        }
    }
}
