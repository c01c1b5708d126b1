//! Sockets into tasks: each listener with what serves its connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};

use super::accept::{Census, accept};
use super::bind::Bound;
use super::link::{Link, Source};
use super::shared::Shared;
use super::sip::Sip;
use super::start::{StartError, failed};
use super::{backup, component, http, sip, xmpp as clients};

pub(super) fn sort(bound: Vec<Bound>) -> Result<(Vec<UdpSocket>, Vec<Bound>), StartError> {
    let mut sockets = Vec::new();
    let mut listeners = Vec::new();
    for one in bound {
        if one.key == "sip.udp" {
            sockets.push(UdpSocket::from_std(one.socket.into()).map_err(|e| failed(&e))?);
        } else {
            listeners.push(one);
        }
    }
    Ok((sockets, listeners))
}

pub(super) fn listen(
    shared: &Arc<Shared>,
    sip: &Arc<Sip>,
    bound: Vec<Bound>,
) -> BTreeMap<&'static str, Vec<SocketAddr>> {
    let mut listening: BTreeMap<&'static str, Vec<SocketAddr>> = BTreeMap::new();
    for index in 0..sip.sockets() {
        if let Some(address) = sip.address(index) {
            listening.entry("sip.udp").or_default().push(address);
        }
        tokio::spawn(sip::receive(Arc::clone(shared), Arc::clone(sip), index));
    }
    tokio::spawn(sip::drive(Arc::clone(shared), Arc::clone(sip)));
    tokio::spawn(backup::keep_making(Arc::clone(shared)));
    tokio::spawn(renew(Arc::clone(shared)));
    tokio::spawn(http::bosh::keep_time(Arc::clone(shared)));
    let port_of = |key| {
        let of_key = bound.iter().find(|one| one.key == key);
        of_key.map(|one| one.address.port())
    };
    let _ = shared.web_ports.set(http::Ports {
        plain: port_of("http.listen"),
        tls: port_of("http.listen_tls"),
    });
    let census = Arc::new(Census::default());
    let phones = Arc::new(Census::default());
    let pages = Arc::new(Census::with_proxies(&shared.config.http.trusted_proxies));
    for one in bound {
        let Ok(listener) = TcpListener::from_std(one.socket.into()) else {
            continue;
        };
        listening.entry(one.key).or_default().push(one.address);
        let (shared, sip) = (Arc::clone(shared), Arc::clone(sip));
        let most = shared.config.limits.connections;
        match one.key {
            "xmpp.client" | "xmpp.client_tls" => {
                let direct = one.key == "xmpp.client_tls";
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        let limit = shared.config.limits.out_queue;
                        let (link, reader) = Link::new(socket, peer, limit);
                        let source = Source::Socket(reader, None);
                        clients::serve(Arc::clone(&shared), link, source, direct, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&census), most, serve));
            }
            "xmpp.components" => {
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        component::serve(Arc::clone(&shared), socket, peer, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&census), most, serve));
            }
            "http.listen" | "http.listen_tls" => {
                let side = if one.key == "http.listen" {
                    http::Side::Plain
                } else {
                    http::Side::Tls
                };
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        http::serve(Arc::clone(&shared), socket, peer, side, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&pages), most, serve));
            }
            _ => {
                let tls = one.key == "sip.tls";
                let most = shared.config.limits.sip_connections;
                let serve = {
                    let shared = Arc::clone(&shared);
                    move |socket, peer, counting| {
                        let (shared, sip) = (Arc::clone(&shared), Arc::clone(&sip));
                        sip::serve(shared, sip, socket, peer, tls, counting)
                    }
                };
                tokio::spawn(accept(shared, listener, Arc::clone(&phones), most, serve));
            }
        }
    }
    listening
}

/// Local certificates are renewed before they end.
async fn renew(shared: Arc<Shared>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(86_400)) => {}
            () = shared.stopped() => return,
        }
        let now = time::OffsetDateTime::now_utc();
        let config = Arc::clone(&shared.loaded.lock());
        if let Err(error) = shared.certificates.reload(&config, &shared.folder, now) {
            tracing::error!(%error, "the certificates could not be renewed");
        }
    }
}
