//! Accepting connections, within the limits on their number.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};

use super::shared::Shared;

/// Open connections, in all and by address.
#[derive(Default)]
pub(crate) struct Census(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted while this lives.
pub(crate) struct Counting {
    census: Arc<Census>,
    address: IpAddr,
}

impl Census {
    /// Counts one more, unless that is too many.
    pub(crate) fn admit(
        self: &Arc<Self>,
        address: IpAddr,
        most: usize,
        most_of_one: usize,
    ) -> Option<Counting> {
        let mut counted = self.0.lock();
        let of_one = counted.by_address.get(&address).copied().unwrap_or(0);
        if counted.all >= most || of_one >= most_of_one {
            return None;
        }
        counted.all += 1;
        counted.by_address.insert(address, of_one + 1);
        Some(Counting {
            census: Arc::clone(self),
            address,
        })
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        let mut counted = self.census.0.lock();
        counted.all -= 1;
        if let Some(of_one) = counted.by_address.get_mut(&self.address) {
            *of_one -= 1;
            if *of_one == 0 {
                counted.by_address.remove(&self.address);
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
