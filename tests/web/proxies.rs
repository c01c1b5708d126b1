//! Requests that come through a proxy.

use super::wire::{Wire, get, get_from};
use crate::support::Server;

#[test]
fn a_proxy_on_this_machine_does_not_open_the_inside() {
    for trusted in ["", "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]"] {
        let server = Server::with(trusted, &[]);
        let mut wire = Wire::plain(&server);
        assert_eq!(wire.ask(&get("/metrics", "")).status, 200);
        // One that says nothing of itself passes on what host its clients name.
        for path in ["/metrics", "/healthz", "/readyz"] {
            let heard = wire.ask(&get_from("chat.office.example", path, ""));
            assert_eq!(heard.status, 403, "{path}");
            let page = "Origin: http://chat.office.example\r\n";
            assert_eq!(wire.ask(&get(path, page)).status, 403, "{path}");
        }
        let by_nginx = "GET /metrics HTTP/1.0\r\nHost: 127.0.0.1:5280\r\n\r\n";
        assert_eq!(Wire::plain(&server).ask(by_nginx).status, 403);
        for sign in [
            "X-Forwarded-For: 203.0.113.9",
            "X-Forwarded-For: 127.0.0.1",
            "X-Forwarded-For: garbage",
            "X-Forwarded-Proto: https",
            "Forwarded: for=127.0.0.1",
            "Via: 1.1 proxy",
        ] {
            for path in ["/metrics", "/healthz", "/readyz"] {
                let heard = wire.ask(&get(path, &format!("{sign}\r\n")));
                assert_eq!(heard.status, 403, "{path} {sign}");
            }
            let heard = wire.ask(&get("/ca.pem", &format!("{sign}\r\n")));
            assert_eq!(heard.status, 200);
        }
    }
}

#[test]
fn only_a_trusted_proxy_says_who_its_client_is() {
    let trusting = Server::with("[http]\ntrusted_proxies = [\"127.0.0.0/8\"]", &[]);
    let chain = "X-Forwarded-For: 192.0.2.66, 203.0.113.9, 127.0.0.7\r\n";
    Wire::plain(&trusting).ask(&get("/ca.pem", chain));
    trusting.wait_for_log("client=203.0.113.9 confidential=false");
    let proto = "X-Forwarded-For: [2001:db8::9]:443\r\nX-Forwarded-Proto: https\r\n";
    Wire::plain(&trusting).ask(&get("/ca.pem", proto));
    trusting.wait_for_log("client=2001:db8::9 confidential=true");
    let other = Server::with("[http]\ntrusted_proxies = [\"10.0.0.0/8\"]", &[]);
    Wire::plain(&other).ask(&get(
        "/ca.pem",
        &format!("{chain}X-Forwarded-Proto: https\r\n"),
    ));
    other.wait_for_log("client=127.0.0.1 confidential=false");
    assert!(!other.log().contains("203.0.113.9"));
}
