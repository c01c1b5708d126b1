//! Where a URI leads when no flow does: a contact that a phone gave, or a route.

use std::net::SocketAddr;
use std::time::Duration;

use sip::Uri;
use sip::header::Transport;
use sip::transaction::Flow;
use sip::uri::{Host, Scheme};

use super::Sip;

const PATIENCE: Duration = Duration::from_secs(5);

/// A target that is known, or one whose name has to be looked up first.
pub(super) enum Target {
    At(Flow),
    Named {
        name: String,
        port: u16,
        transport: Transport,
    },
}

/// Reads the target out of a URI (RFC 3263 §4.1 without the records of the DNS: phones give addresses).
pub(super) fn target(uri: &Uri) -> Option<Target> {
    let transport = match uri.transport() {
        Some(name) => Transport::from_token(name)?,
        None if uri.scheme() == Scheme::Sips => Transport::Tls,
        None => Transport::Udp,
    };
    let port = uri.port_or_default();
    match uri.host()? {
        Host::Ip(ip) => Some(Target::At(Flow::to(transport, SocketAddr::new(*ip, port)))),
        Host::Name(name) => Some(Target::Named {
            name: name.to_string(),
            port,
            transport,
        }),
    }
}

/// Looks the name up: the first address that can be reached from here. A slow name server is not waited for.
pub(super) async fn look_up(
    sip: &Sip,
    name: String,
    port: u16,
    transport: Transport,
) -> Option<Flow> {
    let looking = tokio::net::lookup_host((name, port));
    let mut found = tokio::time::timeout(PATIENCE, looking).await.ok()?.ok()?;
    found
        .find(|address| sip.reaches(*address))
        .map(|address| Flow::to(transport, address))
}
