//! The real program on a data folder and an address of its own.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::wait::{DEADLINE, wait_for, wait_within};

/// Every listener of the program, by its key.
const LISTENERS: [(&str, &str); 7] = [
    ("xmpp", "client"),
    ("xmpp", "client_tls"),
    ("http", "listen"),
    ("http", "listen_tls"),
    ("sip", "udp"),
    ("sip", "tcp"),
    ("sip", "tls"),
];

/// A server: its folder with `adsum.toml`, `data/` and `log`, and the process while it runs.
pub(crate) struct Server {
    folder: TempDir,
    child: Option<Child>,
    addresses: BTreeMap<String, Vec<SocketAddr>>,
    extra: toml::Table,
    ip: Ipv4Addr,
}

impl Server {
    /// A running server with accounts, each with [`password`], and the default configuration on ports chosen by the system.
    pub(crate) fn start(users: &[&str]) -> Self {
        Self::with("", users)
    }

    /// The same, with more configuration (TOML, laid over the one of the tests).
    pub(crate) fn with(extra: &str, users: &[&str]) -> Self {
        let mut server = Self::prepared(extra);
        server.add_users(users);
        server.launch();
        server
    }

    /// A server that was never started: there is only its configuration.
    pub(crate) fn prepared(extra: &str) -> Self {
        let server = Self {
            folder: tempfile::tempdir().unwrap(),
            child: None,
            addresses: BTreeMap::new(),
            extra: extra.parse().unwrap(),
            ip: own_address(),
        };
        server.configure();
        server
    }

    /// The address that no other server of this run listens on, so that a port is free again for a restart.
    pub(crate) fn ip(&self) -> Ipv4Addr {
        self.ip
    }

    /// The folder of the test.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The configuration file.
    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder().join("adsum.toml")
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }

    /// What it has printed so far.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(self.folder().join("printed")).unwrap_or_default()
    }

    /// Exchanges the additional configuration; it counts from the next start or reload on.
    pub(crate) fn reconfigure(&mut self, extra: &str) {
        self.extra = extra.parse().unwrap();
        self.configure();
    }

    fn configure(&self) {
        let mut config: toml::Table = toml::toml! {
            domains = ["office.example"]
            data = "data"
            [xmpp]
            scram_iterations = 4096
            server = []
            [log]
            level = "debug"
        };
        for (section, key) in LISTENERS {
            let address = self.addresses.get(&format!("{section}.{key}"));
            let address = address.map_or_else(|| format!("{}:0", self.ip), |a| a[0].to_string());
            let table = config
                .entry(section)
                .or_insert_with(|| toml::Table::new().into());
            table
                .as_table_mut()
                .unwrap()
                .insert(key.to_owned(), vec![address].into());
        }
        lay_over(&mut config, &self.extra);
        std::fs::write(self.config_file(), config.to_string()).unwrap();
    }

    /// A command line of the program for this server.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_adsum"));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.config_file())
            .current_dir(self.folder())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command of the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs a command that must succeed; what it printed.
    #[track_caller]
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert!(done.status.success(), "{arguments:?}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    /// Runs a command that must fail with `code`; the sentence on standard error.
    #[track_caller]
    pub(crate) fn fails(&self, arguments: &[&str], code: i32) -> String {
        let done = self.run(arguments);
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {done:?}");
        let said = String::from_utf8(done.stderr).unwrap();
        assert_eq!(said.trim_end().lines().count(), 1, "one sentence: {said}");
        said
    }

    /// Runs a command with `input` on its standard input.
    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    /// Makes accounts: `ann` of the first domain, or a whole address.
    pub(crate) fn add_users(&self, users: &[&str]) {
        if users.is_empty() {
            return;
        }
        let lines: Vec<String> = users
            .iter()
            .map(|user| format!("{} {}", address(user), password(user)))
            .collect();
        let file = self.folder().join("users");
        std::fs::write(&file, lines.join("\n")).unwrap();
        self.ok(&["user", "add", "--batch", file.to_str().unwrap()]);
    }

    /// Starts it and waits until it listens. After the first time the ports stay the same.
    pub(crate) fn launch(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let listening = self.data().join("listening.json");
        // After kill -9 the old one is still there.
        let _ = std::fs::remove_file(&listening);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.folder().join("log"))
            .unwrap();
        let printed = File::create(self.folder().join("printed")).unwrap();
        let child = self
            .command(&["serve"])
            .stdout(printed)
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let text = wait_for("the server listens", || {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                panic!("the server ended with {status}:\n{}", self.log());
            }
            std::fs::read_to_string(&listening)
                .ok()
                .filter(|text| !text.is_empty())
        });
        self.addresses = serde_json::from_str(&text).unwrap();
        self.configure();
    }

    /// Where it listens, by the key of the configuration such as `xmpp.client`.
    pub(crate) fn address(&self, key: &str) -> SocketAddr {
        self.addresses[key][0]
    }

    /// The process.
    pub(crate) fn process(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Whether the process is there.
    pub(crate) fn runs(&mut self) -> bool {
        let child = self.child.as_mut();
        child.is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Sends a signal such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args([format!("-{name}"), self.process().to_string()])
            .status()
            .unwrap();
        assert!(done.success());
    }

    /// Ends it with SIGTERM and waits for its end, which is an orderly one.
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        let status = self.ended();
        assert!(status.code().is_some(), "it ended in the middle: {status}");
        status
    }

    /// Waits until it has ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let child = self.child.as_mut().unwrap();
        let status = wait_for("the server ends", || child.try_wait().unwrap());
        self.child = None;
        status
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// GET over plain HTTP: status and body.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        self.http("GET", path)
    }

    /// A request without body over plain HTTP: status and everything after the status line.
    pub(crate) fn http(&self, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address("http.listen")).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let host = self.address("http.listen");
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let rest = answer
            .split_once("\r\n")
            .map_or(String::new(), |(_, rest)| rest.to_owned());
        (status, rest)
    }

    /// Waits until the log says `text`.
    pub(crate) fn wait_for_log(&self, text: &str) {
        wait_within(DEADLINE, &format!("the log says {text}"), || {
            self.log().contains(text).then_some(())
        });
    }

    /// A running server answers on its socket only when it has ended what it was asked before; used to wait for a status.
    pub(crate) fn wait_for_status(&self, what: &str, check: impl Fn(&serde_json::Value) -> bool) {
        wait_within(Duration::from_secs(30), what, || {
            let status = serde_json::from_str(&self.ok(&["status", "--json"])).unwrap();
            check(&status).then_some(())
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = self.log();
            let start = log.len().saturating_sub(16 * 1024);
            let start = (start..=log.len()).find(|&at| log.is_char_boundary(at));
            println!("--- log of the server\n{}---", &log[start.unwrap_or(0)..]);
        }
    }
}

/// The password of an account of the tests.
pub(crate) fn password(user: &str) -> String {
    let local = user.split('@').next().unwrap_or(user);
    format!("{local}-secret")
}

/// `ann` is `ann@office.example`; a whole address stays.
pub(crate) fn address(user: &str) -> String {
    if user.contains('@') {
        user.to_owned()
    } else {
        format!("{user}@{}", super::DOMAIN)
    }
}

/// An address of the loopback network that no other server of the machine's tests uses at the moment, nor a client as its own:
/// what connects to 127.x.y.z does so from 127.0.0.1.
fn own_address() -> Ipv4Addr {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = std::process::id().wrapping_mul(512) + NEXT.fetch_add(1, Ordering::Relaxed);
    let [_, a, b, c] = (number & 0x00ff_ffff).to_be_bytes();
    // Neither 127.0.x.x, where others listen, nor an address that ends in 0 or 255.
    Ipv4Addr::new(127, a.clamp(1, 254), b, c.clamp(1, 254))
}

fn lay_over(under: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay_over(under, over),
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}
