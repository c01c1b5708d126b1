//! What browsers are told about the pages served here: nothing of others runs in them, and they run in nobody else's.

use std::fmt::Write as _;

use hyper::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, X_FRAME_OPTIONS,
};
use hyper::http::uri::Authority;

use super::host_meta::is_name;
use crate::config::Config;

/// Domains that are named; with more, the policy would be longer than some programs take.
const MOST: usize = 20;

/// Writes the headers of a page. It may connect to this server by the name that it was asked for, and by those of its domains.
pub(super) fn protect(config: &Config, host: Option<&Authority>, answer: &mut HeaderMap) {
    if let Ok(policy) = HeaderValue::try_from(policy(config, host)) {
        answer.insert(CONTENT_SECURITY_POLICY, policy);
    }
    let fixed = [
        (REFERRER_POLICY, "no-referrer"),
        (X_FRAME_OPTIONS, "DENY"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        answer.insert(name, HeaderValue::from_static(value));
    }
}

/// Content Security Policy, level 3. Styles may stand in the page: libraries of widgets put them there.
fn policy(config: &Config, host: Option<&Authority>) -> String {
    let mut policy = String::from(
        "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
         object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'",
    );
    let public = config.http.public_url.as_deref();
    let public = public.and_then(|url| url.split("://").nth(1)?.split('/').next());
    let public = public.and_then(|host| Authority::try_from(host).ok());
    let mut names: Vec<&str> = Vec::new();
    let asked = [host, public.as_ref()]
        .into_iter()
        .flatten()
        .map(Authority::host);
    let domains = config
        .domains
        .iter()
        .take(MOST)
        .map(|domain| domain.ascii.as_str());
    for name in asked.chain(domains) {
        // An IPv6 address cannot be said here; 'self' is good for it.
        if is_name(name) && !name.starts_with('[') && !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let _ = write!(
            policy,
            " http://{name}:* https://{name}:* ws://{name}:* wss://{name}:*"
        );
    }
    policy
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::config::parse;

    #[test]
    fn a_page_may_connect_to_its_server() {
        let text =
            "domains = [\"office.example\"]\n[http]\npublic_url = \"https://im.office.example/x\"";
        let config = parse(text, None, []).unwrap().config;
        let connect = |host: &str| {
            let host = Authority::try_from(host).unwrap();
            let policy = policy(&config, Some(&host));
            let (_, connect) = policy.split_once("connect-src 'self'").unwrap();
            connect.to_owned()
        };
        let of =
            |name: &str| format!(" http://{name}:* https://{name}:* ws://{name}:* wss://{name}:*");
        let always = of("im.office.example") + &of("office.example");
        assert_eq!(connect("192.0.2.1:5280"), of("192.0.2.1") + &always);
        assert_eq!(connect("[::1]:5280"), always);
        assert_eq!(connect("x;y"), always);
        assert_eq!(
            connect("office.example"),
            of("office.example") + &of("im.office.example")
        );
    }
}
