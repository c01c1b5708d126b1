//! Accepting connections, within the limits on their number.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};

use super::shared::Shared;
use crate::config::Network;

/// Open connections, in all and by address.
#[derive(Default)]
pub(crate) struct Census {
    /// Their connections are those of many: they count in all, and for an address when it is known whose they are.
    proxies: Vec<Network>,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted while this lives.
pub(crate) struct Counting {
    census: Arc<Census>,
    /// For whom.
    address: OnceLock<IpAddr>,
}

impl Counted {
    /// Counts one more of an address, unless that is too many.
    fn add(&mut self, address: IpAddr, most_of_one: usize) -> bool {
        let of_one = self.by_address.get(&address).copied().unwrap_or(0);
        if of_one >= most_of_one {
            return false;
        }
        self.by_address.insert(address, of_one + 1);
        true
    }
}

impl Census {
    /// A census of connections that come by these proxies as well.
    pub(crate) fn with_proxies(proxies: &[Network]) -> Self {
        Self {
            proxies: proxies.to_vec(),
            ..Self::default()
        }
    }

    /// Counts one more, unless that is too many.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        most: usize,
        most_of_one: usize,
    ) -> Option<Counting> {
        let is_proxy = self.proxies.iter().any(|proxy| proxy.contains(address));
        let mut counted = self.counted.lock();
        if counted.all >= most || !is_proxy && !counted.add(address, most_of_one) {
            return None;
        }
        counted.all += 1;
        let of = OnceLock::new();
        if !is_proxy {
            let _ = of.set(address);
        }
        Some(Counting {
            census: Arc::clone(self),
            address: of,
        })
    }
}

impl Counting {
    /// A connection of a proxy is this client's alone from now on, and counts for it. False when that has too many: then it counts for
    /// nobody as before. One that is no proxy's counts already.
    pub(crate) fn counts_for(&self, client: IpAddr, most_of_one: usize) -> bool {
        let mut counted = self.census.counted.lock();
        if self.address.get().is_some() {
            return true;
        }
        counted.add(client, most_of_one) && self.address.set(client).is_ok()
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let mut counted = self.census.counted.lock();
        counted.all -= 1;
        if let Some(address) = self.address.get()
            && let Some(of_one) = counted.by_address.get_mut(address)
        {
            *of_one -= 1;
            if *of_one == 0 {
                counted.by_address.remove(address);
            }
        }
    }
}

/// Accepts until the server ends; each connection is handed to `serve` in a task of its own. It holds what counts it: a future around
/// its future would have room for both.
pub(crate) async fn accept<F>(
    shared: Arc<Shared>,
    listener: TcpListener,
    census: Arc<Census>,
    most: usize,
    serve: impl Fn(TcpStream, SocketAddr, Counting) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let most_of_one = shared.config.limits.connections_per_address;
    let stop = shared.stopped();
    tokio::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return,
        };
        match accepted {
            Ok((socket, peer)) => {
                let peer = canonical(peer);
                // Too many: the connection is closed at once, which costs nothing to remember.
                let Some(counting) = census.admit(peer.ip(), most, most_of_one) else {
                    continue;
                };
                tokio::spawn(serve(socket, peer, counting));
            }
            Err(error) => {
                // Out of file descriptors: what is open goes on, new ones wait a little.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// An IPv4 address that came through an IPv6 socket, as IPv4.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn of(census: &Census) -> (usize, usize) {
        let counted = census.counted.lock();
        (counted.all, counted.by_address.values().sum())
    }

    #[test]
    fn in_all_and_by_address() {
        let census = Arc::new(Census::default());
        let admit = |last: u8| census.admit([192, 0, 2, last].into(), 3, 2);
        let (one, two) = (admit(1).unwrap(), admit(1).unwrap());
        assert!(admit(1).is_none());
        assert!(one.counts_for([192, 0, 2, 9].into(), 0));
        let other = admit(2).unwrap();
        assert!(admit(2).is_none());
        assert!(admit(3).is_none());
        assert_eq!(of(&census), (3, 3));
        drop((one, other));
        let again = admit(1).unwrap();
        drop((two, again));
        assert_eq!(of(&census), (0, 0));
    }

    #[test]
    fn connections_of_a_proxy_count_for_its_clients() {
        let network = Network {
            address: [10, 0, 0, 0].into(),
            prefix: 8,
        };
        let census = Arc::new(Census::with_proxies(&[network]));
        let admit = || census.admit([10, 0, 0, 1].into(), 5, 1);
        let all: Vec<_> = (0..5).map(|_| admit().unwrap()).collect();
        assert!(admit().is_none());
        assert_eq!(of(&census), (5, 0));
        let (one, other) = ([192, 0, 2, 1].into(), [192, 0, 2, 2].into());
        assert!(all[0].counts_for(one, 1));
        assert!(!all[1].counts_for(one, 1));
        assert!(all[1].counts_for(other, 1));
        assert_eq!(of(&census), (5, 2));
        drop(all);
        assert_eq!(of(&census), (0, 0));
    }
}
