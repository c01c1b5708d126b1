//! Requests that come through a proxy.

use super::front::{Program, Proxy};
use super::wire::{Wire, get, get_from};
use crate::support::{DOMAIN, Server, quick};

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

/// Set up with where to connect to and nothing else, before a server that knows nothing of them.
#[test]
fn proxies_that_are_told_nothing() {
    if quick() {
        return;
    }
    let bare = |lines: String| {
        let told = [
            "proxy_set_header",
            "proxy_http_version",
            "http-request set-header",
        ];
        let lines: Vec<_> = lines
            .lines()
            .filter(|line| !told.iter().any(|word| line.contains(word)))
            .map(|line| {
                if line.contains(" ssl crt ") {
                    line.split(" ssl crt ").next().unwrap()
                } else {
                    line
                }
            })
            .collect();
        lines.join("\n").replace(" ssl;", ";") + "\n"
    };
    for (program, hosts) in [
        // It names what it connects to.
        (Program::Nginx, &[DOMAIN, "localhost"][..]),
        // It names what its client does.
        (Program::Haproxy, &[DOMAIN]),
    ] {
        let server = Server::start(&[]);
        let proxy = Proxy::changed(program, &server, bare);
        for host in hosts {
            for path in ["/metrics", "/readyz"] {
                let heard = Wire::to(proxy.address).ask(&get_from(host, path, ""));
                assert_eq!(heard.status, 403, "{program:?} {host} {path}");
            }
        }
        server.wait_for_log("client=127.0.0.1 confidential=false");
        assert!(!server.log().contains("confidential=true"));
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
