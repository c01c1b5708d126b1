//! The way between a browser and the server: it can be lost, and comes back.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use socket2::{Domain, Socket, Type};

use crate::support::DEADLINE;

/// Passes TCP connections on to a server while it is there.
pub(super) struct Network {
    /// Where it listens.
    pub(super) address: SocketAddr,
    state: Arc<State>,
}

struct State {
    from: Ipv4Addr,
    to: SocketAddr,
    is: Mutex<Is>,
    changed: Condvar,
}

#[derive(Default)]
struct Is {
    lost: bool,
    ended: bool,
    /// Both ends of every connection.
    open: Vec<TcpStream>,
}

impl Network {
    /// Leads to `to`, where connections come from the address `from` of this machine.
    pub(super) fn new(from: Ipv4Addr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            from,
            to,
            is: Mutex::default(),
            changed: Condvar::new(),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if !serving.there() {
                    return;
                }
                serving.connect(client);
            }
        });
        Self { address, state }
    }

    /// Every connection breaks (RST), at both ends. A new one is taken, as a network does that drops packets: nothing comes of it until
    /// [`Network::restore`].
    pub(super) fn cut(&self) {
        let mut is = self.state.is.lock().unwrap();
        is.lost = true;
        for socket in is.open.drain(..) {
            let _ = socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO));
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// It is back.
    pub(super) fn restore(&self) {
        self.state.is.lock().unwrap().lost = false;
        self.state.changed.notify_all();
    }
}

impl State {
    /// Waits while the network is lost; false at the end of the test.
    fn there(&self) -> bool {
        let is = self.is.lock().unwrap();
        let is = self.changed.wait_while(is, |is| is.lost && !is.ended);
        !is.unwrap().ended
    }

    fn ahead(&self) -> io::Result<TcpStream> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((self.from, 0)).into())?;
        socket.connect_timeout(&self.to.into(), DEADLINE)?;
        Ok(socket.into())
    }

    fn connect(self: &Arc<Self>, client: TcpStream) {
        let Ok(server) = self.ahead() else {
            return;
        };
        for socket in [&client, &server] {
            let _ = socket.set_nodelay(true);
        }
        let mut is = self.is.lock().unwrap();
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            std::thread::spawn(move || copy(from, to));
        }
        is.open.extend([client, server]);
    }
}

/// Until an end closes; then the other is told.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl Drop for Network {
    fn drop(&mut self) {
        self.cut();
        self.state.is.lock().unwrap().ended = true;
        self.state.changed.notify_all();
        // Wakes the listener.
        let _ = TcpStream::connect_timeout(&self.address, DEADLINE);
    }
}
