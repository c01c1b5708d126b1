//! The sockets of all listeners, bound before anything is made or changed.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use crate::cli::ports::{self, Port, Transport};
use crate::config::Config;

/// A bound socket with the key that asked for it.
pub(crate) struct Bound {
    pub(crate) key: &'static str,
    pub(crate) socket: Socket,
    pub(crate) address: SocketAddr,
}

/// Binds every address of the configuration, or says in a sentence why one cannot be had.
pub(crate) fn all(config: &Config) -> Result<Vec<Bound>, String> {
    let mut bound: Vec<Bound> = Vec::new();
    for mut port in ports::of(config) {
        // With port 0, UDP and TCP of SIP share the number that was chosen first, as phones expect.
        if port.key == "sip.tcp" && port.address.port() == 0 {
            let udp = bound
                .iter()
                .find(|b| b.key == "sip.udp" && b.address.ip() == port.address.ip());
            if let Some(udp) = udp {
                let same = SocketAddr::new(port.address.ip(), udp.address.port());
                if let Ok(socket) = one(&Port {
                    address: same,
                    ..port
                }) {
                    bound.push(Bound {
                        key: port.key,
                        socket,
                        address: same,
                    });
                    continue;
                }
            }
        }
        let socket = match one(&port) {
            Ok(socket) => socket,
            Err(error) if no_ipv6(&error) && port.address.ip().is_unspecified() => {
                // A machine without IPv6: "all addresses" are those of IPv4.
                port.address = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port.address.port());
                one(&port).map_err(|error| port.explain(&error))?
            }
            Err(error) => return Err(port.explain(&error)),
        };
        let address = socket
            .local_addr()
            .ok()
            .and_then(|a| a.as_socket())
            .unwrap_or(port.address);
        bound.push(Bound {
            key: port.key,
            socket,
            address,
        });
    }
    Ok(bound)
}

fn no_ipv6(error: &io::Error) -> bool {
    // EAFNOSUPPORT, EADDRNOTAVAIL
    matches!(error.raw_os_error(), Some(97 | 99))
}

fn one(port: &Port) -> io::Result<Socket> {
    let domain = Domain::for_address(port.address);
    let socket = match port.transport {
        Transport::Udp => Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?,
        Transport::Tcp => Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?,
    };
    if port.address.is_ipv6() {
        socket.set_only_v6(!port.address.ip().is_unspecified())?;
    }
    if port.transport == Transport::Tcp {
        socket.set_reuse_address(true)?;
    } else {
        // A burst of datagrams waits here, not in the network.
        let _ = socket.set_recv_buffer_size(4 << 20);
        let _ = socket.set_send_buffer_size(4 << 20);
    }
    socket.bind(&port.address.into())?;
    if port.transport == Transport::Tcp {
        socket.listen(1024)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket)
}
