//! `/.well-known/host-meta` (XEP-0156).

use minidom::Element;

use super::wire::Wire;
use crate::support::Server;

const XRD: &str = "http://docs.oasis-open.org/ns/xri/xrd-1.0";

/// Both documents for a host say the same: relations and URLs.
fn links(wire: &mut Wire, host: &str, headers: &str) -> Vec<(String, String)> {
    let mut ask = |path: &str| {
        wire.ask(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n"
        ))
    };
    let heard = ask("/.well-known/host-meta");
    assert_eq!(heard.status, 200);
    assert_eq!(
        heard.header("content-type"),
        Some("application/xrd+xml; charset=utf-8")
    );
    assert_eq!(heard.header("access-control-allow-origin"), Some("*"));
    assert!(heard.header("access-control-allow-credentials").is_none());
    let document: Element = heard.text().parse().unwrap();
    assert!(document.is("XRD", XRD));
    let links: Vec<_> = document
        .children()
        .inspect(|link| assert!(link.is("Link", XRD)))
        .map(|link| {
            (
                link.attr("rel").unwrap().to_owned(),
                link.attr("href").unwrap().to_owned(),
            )
        })
        .collect();
    let json = ask("/.well-known/host-meta.json");
    assert_eq!(json.status, 200);
    assert_eq!(json.header("content-type"), Some("application/json"));
    assert_eq!(json.header("access-control-allow-origin"), Some("*"));
    let json: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    let same: Vec<_> = json["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(|link| {
            let text = |key: &str| link[key].as_str().unwrap().to_owned();
            (text("rel"), text("href"))
        })
        .collect();
    assert_eq!(same, links);
    links
}

/// The URLs of WebSocket and BOSH for a host.
fn told(wire: &mut Wire, host: &str, headers: &str) -> (String, String) {
    let links = links(wire, host, headers);
    let of = |relation: &str| {
        let relation = format!("urn:xmpp:alt-connections:{relation}");
        let mut found = links.iter().filter(|(rel, _)| *rel == relation);
        let (_, url) = found.next().unwrap();
        assert!(found.next().is_none());
        url.clone()
    };
    assert_eq!(links.len(), 2);
    (of("websocket"), of("xbosh"))
}

#[test]
fn each_domain_is_told_its_urls() {
    let server = Server::with("domains = [\"office.example\", \"büro.example\"]", &[]);
    let port = server.address("http.listen_tls").port();
    let (tls, _) = Wire::tls(&server, &[]);
    for mut wire in [Wire::plain(&server), tls] {
        for host in [
            "office.example",
            "office.example:5280",
            "xn--bro-hoa.example",
            "[::1]:1",
        ] {
            let name = host
                .strip_suffix(":5280")
                .or(host.strip_suffix(":1"))
                .unwrap_or(host);
            let (socket, bosh) = told(&mut wire, host, "");
            assert_eq!(socket, format!("wss://{name}:{port}/xmpp-websocket"));
            assert_eq!(bosh, format!("https://{name}:{port}/http-bind"));
        }
        let (socket, _) = told(&mut wire, "", "");
        assert_eq!(
            socket,
            format!("wss://office.example:{port}/xmpp-websocket")
        );
    }
}

#[test]
fn what_is_configured_or_spoken_is_told() {
    let server = Server::with(
        "[http]\npublic_url = \"https://im.office.example/chat/\"",
        &[],
    );
    let (socket, bosh) = told(&mut Wire::plain(&server), "office.example", "");
    assert_eq!(socket, "wss://im.office.example/chat/xmpp-websocket");
    assert_eq!(bosh, "https://im.office.example/chat/http-bind");
    let server = Server::with(
        "[http]\nlisten_tls = []\ntrusted_proxies = [\"127.0.0.0/8\"]",
        &[],
    );
    let port = server.address("http.listen").port();
    let mut wire = Wire::plain(&server);
    // Where there is no TLS nothing is told, but on this machine (XEP-0156 §4).
    for host in ["office.example", "", "192.0.2.1:5280"] {
        assert_eq!(links(&mut wire, host, ""), []);
    }
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let (socket, bosh) = told(&mut wire, &format!("{host}:{port}"), "");
        assert_eq!(socket, format!("ws://{host}:{port}/xmpp-websocket"));
        assert_eq!(bosh, format!("http://{host}:{port}/http-bind"));
    }
    let proxied = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\n";
    let (socket, _) = told(&mut wire, "im.office.example", proxied);
    assert_eq!(socket, "wss://im.office.example/xmpp-websocket");
    let without = "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: http\r\n";
    assert_eq!(links(&mut wire, "im.office.example", without), []);
    let server = Server::with("[http]\npublic_url = \"http://im.office.example\"", &[]);
    assert_eq!(links(&mut Wire::plain(&server), "office.example", ""), []);
}
