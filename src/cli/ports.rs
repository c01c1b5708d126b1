//! The ports that the configuration names: which can be had, and who has the others.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;

use crate::config::Config;

/// UDP or TCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP, also under TLS.
    Tcp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
        })
    }
}

/// An address to listen on, with the key that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Port {
    /// Configuration key.
    pub key: &'static str,
    /// UDP or TCP.
    pub transport: Transport,
    /// The address.
    pub address: SocketAddr,
}

/// Every address that this version listens on.
pub fn of(config: &Config) -> Vec<Port> {
    use Transport::{Tcp, Udp};
    let all: [(&'static str, Transport, &[SocketAddr]); 8] = [
        ("xmpp.client", Tcp, &config.xmpp.client),
        ("xmpp.client_tls", Tcp, &config.xmpp.client_tls),
        ("xmpp.components", Tcp, &config.xmpp.components),
        ("http.listen", Tcp, &config.http.listen),
        ("http.listen_tls", Tcp, &config.http.listen_tls),
        ("sip.udp", Udp, &config.sip.udp),
        ("sip.tcp", Tcp, &config.sip.tcp),
        ("sip.tls", Tcp, &config.sip.tls),
    ];
    all.into_iter()
        .flat_map(|(key, transport, addresses)| {
            addresses.iter().map(move |address| Port {
                key,
                transport,
                address: *address,
            })
        })
        .collect()
}

impl Port {
    /// Why it cannot be listened on, as a sentence that says what to do.
    pub fn explain(&self, error: &io::Error) -> String {
        let Self {
            key,
            transport,
            address,
        } = self;
        match error.kind() {
            ErrorKind::AddrInUse => {
                let owner = owner(*transport, address.port()).map_or_else(
                    || "another program".to_owned(),
                    |(id, name)| format!("{name} (process {id})"),
                );
                format!(
                    "{transport} port {address} is in use by {owner}; stop that, or write another port into {key}."
                )
            }
            ErrorKind::PermissionDenied => {
                format!(
                    "{transport} port {address} may not be used by this user; write a port above 1023 into {key}, or give the program the right with `setcap cap_net_bind_service+ep`."
                )
            }
            ErrorKind::AddrNotAvailable => {
                format!(
                    "{} is not an address of this machine; write one that is, or \"[::]:{}\" for all, into {key}.",
                    address.ip(),
                    address.port()
                )
            }
            _ => format!(
                "{transport} port {address} cannot be listened on ({error}); write another address into {key}."
            ),
        }
    }

    fn try_bind(&self) -> io::Result<()> {
        match self.transport {
            Transport::Udp => UdpSocket::bind(self.address).map(drop),
            Transport::Tcp => TcpListener::bind(self.address).map(drop),
        }
    }
}

/// What is wrong with the ports of a configuration. Those of process `own`, the running server, are right.
pub fn problems(config: &Config, own: Option<u32>) -> Vec<String> {
    let wrong = |port: Port| {
        let error = port.try_bind().err()?;
        let is_own =
            own.is_some() && owner(port.transport, port.address.port()).map(|(id, _)| id) == own;
        let taken = error.kind() == ErrorKind::AddrInUse;
        (!(taken && is_own)).then(|| port.explain(&error))
    };
    of(config).into_iter().filter_map(wrong).collect()
}

/// Process number and name of who listens on a port, as far as this user may know it.
fn owner(transport: Transport, port: u16) -> Option<(u32, String)> {
    let tables: [&str; 2] = match transport {
        Transport::Udp => ["/proc/net/udp", "/proc/net/udp6"],
        Transport::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
    };
    let sockets: Vec<String> = tables
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .flat_map(|table| sockets(&table, transport, port))
        .map(|number| format!("socket:[{number}]"))
        .collect();
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let mut processes = processes.filter_map(|entry| {
        Some((
            entry.file_name().to_str()?.parse::<u32>().ok()?,
            entry.path(),
        ))
    });
    processes
        .find(|(_, path)| holds(path, &sockets))
        .map(|(id, path)| {
            let name = std::fs::read_to_string(path.join("comm")).unwrap_or_default();
            (id, name.trim().to_owned())
        })
}

/// Numbers of the sockets that listen on a port, from a table of proc(5).
fn sockets(table: &str, transport: Transport, port: u16) -> Vec<String> {
    const LISTENING: &str = "0A";
    let local = format!(":{port:04X}");
    let rows = table
        .lines()
        .skip(1)
        .map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row.get(1).is_some_and(|address| address.ends_with(&local)))
        .filter(|row| transport == Transport::Udp || row.get(3) == Some(&LISTENING))
        .filter_map(|row| row.get(9).map(|number| (*number).to_owned()))
        .collect()
}

fn holds(process: &Path, sockets: &[String]) -> bool {
    let Ok(files) = std::fs::read_dir(process.join("fd")) else {
        return false;
    };
    let mut links = files
        .flatten()
        .filter_map(|file| std::fs::read_link(file.path()).ok());
    links.any(|link| {
        link.to_str()
            .is_some_and(|link| sockets.iter().any(|socket| socket == link))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn who_has_a_port_is_told() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (tcp_at, udp_at) = (tcp.local_addr().unwrap(), udp.local_addr().unwrap());
        let text = format!(
            "[xmpp]\nclient = [\"{tcp_at}\"]\nclient_tls = []\n[http]\nlisten = []\nlisten_tls = []\n[sip]\nudp = [\"{udp_at}\"]\ntcp = []\ntls = [\"127.0.0.1:0\"]\n"
        );
        let config = crate::config::parse(&text, None, []).unwrap().config;
        let found = problems(&config, None);
        assert_eq!(found.len(), 2, "{found:?}");
        let me = format!("(process {})", std::process::id());
        assert!(
            found[0].starts_with(&format!("TCP port {tcp_at} is in use by "))
                && found[0].contains(&me),
            "{found:?}"
        );
        assert!(
            found[0].ends_with("write another port into xmpp.client."),
            "{found:?}"
        );
        assert!(
            found[1].starts_with(&format!("UDP port {udp_at}")) && found[1].contains(&me),
            "{found:?}"
        );
        assert!(problems(&config, Some(std::process::id())).is_empty());
    }

    #[test]
    fn other_errors_say_what_to_do() {
        let port = Port {
            key: "sip.tls",
            transport: Transport::Tcp,
            address: "192.0.2.1:443".parse().unwrap(),
        };
        assert!(
            port.explain(&ErrorKind::PermissionDenied.into())
                .contains("setcap")
        );
        assert!(
            port.explain(&ErrorKind::AddrNotAvailable.into())
                .contains("\"[::]:443\"")
        );
        assert!(
            port.explain(&ErrorKind::Unsupported.into())
                .contains("sip.tls")
        );
    }
}
