//! TLS and what is bound to it.

use crate::support::{Client, DOMAIN, Server};

#[test]
fn login_over_starttls() {
    let server = Server::start(&["ann"]);
    let ann = Client::online(&server, "ann", "desk");
    assert_eq!(ann.jid, format!("ann@{DOMAIN}/desk"));
    ann.close();
}
