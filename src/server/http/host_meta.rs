//! `/.well-known/host-meta` and its JSON form: where browsers find BOSH and WebSocket (XEP-0156, RFC 6415).

use std::net::IpAddr;

use hyper::body::Incoming;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use hyper::http::uri::Authority;
use hyper::{Request, StatusCode, Uri};
use xml::Writer;

use super::answer::{Answer, Content, typed};
use super::context::{Context, Side};
use super::host;
use crate::config::{Config, Domain};

/// RFC 6415 §2.
const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

/// The document in XML.
pub(super) async fn answer(context: &Context, request: Request<Incoming>) -> Answer {
    let mut document = b"<?xml version='1.0' encoding='UTF-8'?>\n".to_vec();
    let mut writer = Writer::new(&mut document);
    writer.start("XRD").attribute("xmlns", XRD);
    for (relation, url) in links(context, &request).into_iter().flatten() {
        let link = writer.start("Link").attribute("rel", relation);
        link.attribute("href", &url).end();
    }
    writer.end();
    document.push(b'\n');
    remembered("application/xrd+xml; charset=utf-8", document)
}

/// The document in JSON (RFC 6415 appendix A).
pub(super) async fn answer_json(context: &Context, request: Request<Incoming>) -> Answer {
    let links: Vec<_> = links(context, &request)
        .into_iter()
        .flatten()
        .map(|(relation, url)| serde_json::json!({ "rel": relation, "href": url }))
        .collect();
    let document = serde_json::json!({ "links": links });
    remembered("application/json", format!("{document:#}\n"))
}

fn remembered(kind: &'static str, content: impl Into<Content>) -> Answer {
    let mut answer = typed(StatusCode::OK, kind, content);
    let an_hour = HeaderValue::from_static("public, max-age=3600");
    answer.headers_mut().insert(CACHE_CONTROL, an_hour);
    answer
}

/// Where BOSH is spoken with TLS.
pub(super) fn bosh<B>(context: &Context, request: &Request<B>) -> Option<String> {
    let [_, (_, url)] = links(context, request)?;
    url.starts_with("https:").then_some(url)
}

/// `None` where there is no way that is private: none without TLS is told (XEP-0156 §4, `https` and `wss` only), but on the machine itself.
fn links<B>(context: &Context, request: &Request<B>) -> Option<[(&'static str, String); 2]> {
    let host = host::of(request).ok().flatten();
    let shared = context.shared();
    let base = base(
        &shared.config,
        host.as_ref(),
        shared.web_ports(),
        came_by_secure_proxy(context),
    );
    if !is_private(&base, host.as_ref()) {
        return None;
    }
    // http to ws, https to wss.
    let socket = format!("ws{}/xmpp-websocket", &base["http".len()..]);
    Some([
        ("urn:xmpp:alt-connections:websocket", socket),
        (
            "urn:xmpp:alt-connections:xbosh",
            format!("{base}/http-bind"),
        ),
    ])
}

/// Whether nobody listens in on the way to this URL for a client that named this host: it is TLS, or stays on the machine.
fn is_private(base: &str, asked: Option<&Authority>) -> bool {
    let is_here = |host: &Authority| host::is_loopback_name(host.host());
    let leads_here = || {
        let url = base.parse::<Uri>().ok();
        url.as_ref().and_then(Uri::authority).is_some_and(is_here)
    };
    base.starts_with("https:") || asked.is_some_and(is_here) && leads_here()
}

/// Where WebSocket is spoken over TLS, if anywhere: for a client that came without.
pub(super) fn secure_websocket(context: &Context, request: &Request<Incoming>) -> Option<String> {
    let [(_, url), _] = links(context, request)?;
    url.starts_with("wss:").then_some(url)
}

/// A proxy speaks TLS for us: its clients reach it as they named it.
fn came_by_secure_proxy(context: &Context) -> bool {
    context.connected.side == Side::Plain && context.secure
}

/// The ports of the listeners, where there are any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) plain: Option<u16>,
    pub(crate) tls: Option<u16>,
}

/// The URL that clients reach this server by, without a slash at the end: the configured one, or where they are already, with TLS where that is
/// spoken.
fn base(config: &Config, host: Option<&Authority>, ports: Ports, by_proxy: bool) -> String {
    if let Some(url) = &config.http.public_url {
        return url.clone();
    }
    let known = host.filter(|host| is_name(host.host()));
    if let (Some(host), true) = (known, by_proxy) {
        return format!("https://{host}");
    }
    let first = || {
        config
            .domains
            .first()
            .map_or("localhost", |domain| &domain.ascii)
    };
    let name = known.map_or_else(first, Authority::host);
    match (ports.tls, ports.plain) {
        (Some(443), _) => format!("https://{name}"),
        (Some(port), _) => format!("https://{name}:{port}"),
        (None, None | Some(80)) => format!("http://{name}"),
        (None, Some(port)) => format!("http://{name}:{port}"),
    }
}

/// Whether it is a name or an address that a client may be told.
pub(super) fn is_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok() || Domain::parse(host).is_ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::config::parse;

    #[test]
    fn where_clients_are_told_to_go() {
        let config = |text: &str| parse(text, None, []).unwrap().config;
        let several = config("domains = [\"office.example\", \"other.example\"]");
        let base = |host: &str, tls, plain, by_proxy| {
            let host = (!host.is_empty()).then(|| Authority::try_from(host).unwrap());
            super::base(&several, host.as_ref(), Ports { plain, tls }, by_proxy)
        };
        for (host, tls, plain, by_proxy, url) in [
            (
                "office.example:5280",
                Some(5281),
                Some(5280),
                false,
                "https://office.example:5281",
            ),
            (
                "other.example",
                Some(5281),
                Some(5280),
                false,
                "https://other.example:5281",
            ),
            (
                "[2001:db8::1]:5280",
                Some(5281),
                Some(5280),
                false,
                "https://[2001:db8::1]:5281",
            ),
            (
                "192.0.2.1",
                Some(5281),
                Some(5280),
                false,
                "https://192.0.2.1:5281",
            ),
            (
                "",
                Some(5281),
                Some(5280),
                false,
                "https://office.example:5281",
            ),
            (
                "no_name",
                Some(5281),
                Some(5280),
                false,
                "https://office.example:5281",
            ),
            (
                "office.example",
                Some(443),
                Some(80),
                false,
                "https://office.example",
            ),
            (
                "office.example",
                None,
                Some(5280),
                false,
                "http://office.example:5280",
            ),
            (
                "office.example",
                None,
                Some(80),
                false,
                "http://office.example",
            ),
            (
                "im.office.example:8443",
                Some(5281),
                Some(5280),
                true,
                "https://im.office.example:8443",
            ),
        ] {
            assert_eq!(base(host, tls, plain, by_proxy), url);
        }
        let told = config("[http]\npublic_url = \"https://im.office.example/chat/\"");
        let url = super::base(&told, None, Ports::default(), true);
        assert_eq!(url, "https://im.office.example/chat");
    }

    #[test]
    fn what_is_not_private_is_told_on_the_machine_alone() {
        for (base, asked, private) in [
            ("https://office.example:5281", "office.example", true),
            ("https://office.example", "", true),
            ("http://office.example:5280", "office.example:5280", false),
            ("http://office.example:5280", "localhost", false),
            ("http://localhost:5280", "", false),
            ("http://localhost:5280", "office.example", false),
            ("http://localhost:5280", "localhost:5280", true),
            ("http://127.0.0.1:5280", "127.0.0.1", true),
            ("http://[::1]:5280", "[::1]:5280", true),
            ("http://localhost:5280/chat", "127.0.0.1", true),
            ("http://192.0.2.1", "192.0.2.1", false),
        ] {
            let asked = (!asked.is_empty()).then(|| Authority::try_from(asked).unwrap());
            assert_eq!(
                is_private(base, asked.as_ref()),
                private,
                "{base} {asked:?}"
            );
        }
    }
}
