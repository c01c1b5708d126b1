//! Which pages of other servers may call.

use super::wire::{Wire, get};
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
