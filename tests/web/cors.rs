//! Which pages of other servers may call.

use super::wire::{Heard, Wire, get};
use crate::support::Server;

const ELSEWHERE: &str = "Origin: https://elsewhere.example\r\n";

#[test]
fn what_the_program_says_of_itself_is_for_nobody_elsewhere() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    for path in ["/healthz", "/metrics", "/ca.pem", "/nothing"] {
        let heard = wire.ask(&get(path, ELSEWHERE));
        assert!(
            !heard.head.to_ascii_lowercase().contains("access-control"),
            "{}",
            heard.head
        );
    }
    let before = "OPTIONS /metrics HTTP/1.1\r\nHost: x\r\nOrigin: https://elsewhere.example\r\nAccess-Control-Request-Method: GET\r\n\r\n";
    let heard = wire.ask(before);
    assert_eq!(heard.status, 204);
    assert!(
        !heard.head.to_ascii_lowercase().contains("access-control"),
        "{}",
        heard.head
    );
}

#[test]
fn where_to_connect_is_for_everybody() {
    let server = Server::with("[http]\ncors = []", &[]);
    let mut wire = Wire::plain(&server);
    for path in ["/.well-known/host-meta", "/.well-known/host-meta.json"] {
        let heard = wire.ask(&get(path, ELSEWHERE));
        assert_eq!(heard.header("access-control-allow-origin"), Some("*"));
        let heard = wire.ask(&format!("OPTIONS {path} HTTP/1.1\r\nHost: x\r\n{ELSEWHERE}Access-Control-Request-Method: GET\r\n\r\n"));
        assert_eq!(heard.status, 204);
        assert_eq!(heard.header("access-control-allow-origin"), Some("*"));
        assert_eq!(
            heard.header("access-control-allow-methods"),
            Some("GET, HEAD, OPTIONS")
        );
        assert!(heard.header("access-control-max-age").is_some());
    }
}

/// What an answer says to the page of another server: whether it may read it, and what else.
fn to_page(server: &Server, request: &str) -> (u16, Option<String>, Heard) {
    let heard = Wire::plain(server).ask(request);
    let allowed = heard
        .header("access-control-allow-origin")
        .map(str::to_owned);
    assert!(heard.header("access-control-allow-credentials").is_none());
    (heard.status, allowed, heard)
}

fn before(origin: &str) -> String {
    format!(
        "OPTIONS /http-bind HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"
    )
}

fn post(origin: &str) -> String {
    let body = "<body xmlns='http://jabber.org/protocol/httpbind' sid='nobodys' rid='1'/>";
    let length = body.len();
    format!(
        "POST /http-bind HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

#[test]
fn services_are_for_whom_the_configuration_says() {
    let anybody = Server::start(&[]);
    let (status, allowed, heard) = to_page(&anybody, &before("https://elsewhere.example"));
    assert_eq!((status, allowed.as_deref()), (204, Some("*")));
    let methods = heard.header("access-control-allow-methods").unwrap();
    assert!(methods.contains("POST"), "{methods}");
    let headers = heard.header("access-control-allow-headers").unwrap();
    assert!(
        headers.to_ascii_lowercase().contains("content-type"),
        "{headers}"
    );
    assert_eq!(to_page(&anybody, &post("null")).1.as_deref(), Some("*"));

    let listed = "[http]\ncors = [\"https://www.office.example\"]";
    let listed = Server::with(listed, &[]);
    let known = "https://www.office.example";
    for request in [before(known), post(known)] {
        let (_, allowed, heard) = to_page(&listed, &request);
        assert_eq!(allowed.as_deref(), Some(known));
        assert_eq!(heard.header("vary"), Some("Origin"));
    }
    for other in [
        "https://elsewhere.example",
        "http://www.office.example",
        "null",
        "*",
    ] {
        for request in [before(other), post(other)] {
            let (_, allowed, heard) = to_page(&listed, &request);
            assert_eq!(allowed, None, "{other}");
            assert_eq!(heard.header("vary"), Some("Origin"));
            assert!(heard.header("access-control-allow-methods").is_none());
        }
    }
}

#[test]
fn origins_are_checked_when_the_configuration_is_read() {
    let server = Server::prepared("[http]\ncors = [\"https://www.office.example/app\"]");
    let said = server.run(&["check", "config"]);
    assert_eq!(said.status.code(), Some(1));
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(
        said.contains("http.cors must hold \"*\" or origins"),
        "{said}"
    );
}
