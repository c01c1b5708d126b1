//! Requests that come through a proxy.

use super::wire::{Wire, get};
use crate::support::Server;

#[test]
fn a_proxy_on_this_machine_does_not_open_the_inside() {
    for trusted in ["", "[http]\ntrusted_proxies = [\"127.0.0.0/8\"]"] {
        let server = Server::with(trusted, &[]);
        let mut wire = Wire::plain(&server);
        assert_eq!(wire.ask(&get("/metrics", "")).status, 200);
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
