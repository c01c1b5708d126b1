//! The demo and the examples, run as a newcomer runs them.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use crate::support::server::{address, password};
use crate::support::{DEADLINE, Server, wait_for};

/// A running program whose lines are read as they come.
struct Program {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            lines,
            said: Vec::new(),
        }
    }

    /// Waits for a line that begins so, and returns it.
    #[track_caller]
    fn says(&mut self, beginning: &str) -> String {
        let end = Instant::now() + DEADLINE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left);
            let line = line.unwrap_or_else(|_| panic!("no \"{beginning}\": {:#?}", self.said));
            self.said.push(line.clone());
            if line.trim_start().starts_with(beginning) {
                return line;
            }
        }
    }

    fn interrupt(&mut self) -> ExitStatus {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &process]).status();
        assert!(sent.unwrap().success());
        wait_for("the program ends", || self.child.try_wait().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn demo(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adsum"));
    command
        .args(["demo", "--free-ports"])
        .current_dir(folder)
        .env("TMPDIR", folder);
    command
}

/// Cargo builds the examples beside the program when it builds the tests.
fn example(name: &str, arguments: &[&dyn AsRef<OsStr>]) -> Program {
    let programs = Path::new(env!("CARGO_BIN_EXE_adsum")).parent().unwrap();
    let mut command = Command::new(programs.join("examples").join(name));
    for argument in arguments {
        command.arg(argument);
    }
    Program::start(&mut command)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[test]
fn the_demo_plays_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let done = demo(folder.path()).arg("--once").output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert_eq!(done.stderr, b"", "nothing is mixed in");
    let steps = said.lines().filter(|line| line.contains("  ok  ")).count();
    assert_eq!(steps, 16, "{said}");
    for line in [
        "ann's chat   sees bob: busy, \"On the phone\" ",
        "bob's phone  sees ann: away, \"Back at three\" ",
        "bob's phone  shows \"Coffee at three?\" ",
        "ann's chat   shows \"Gladly.\" ",
        "ann's chat   sees bob: offline ",
    ] {
        assert!(said.contains(line), "{line} is not in {said}");
    }
    assert!(
        said.lines().all(|line| line.chars().count() <= 110),
        "{said}"
    );
    assert!(is_empty(folder.path()), "its data is gone");
}

#[test]
fn the_demo_serves_until_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let mut demo = Program::start(&mut demo(folder.path()));
    let browser = demo.says("browser");
    let (_, rest) = browser.split_once("http://localhost:").unwrap();
    let (port, _) = rest.split_once('/').unwrap();
    demo.says("registrar and proxy");
    let mut stream = TcpStream::connect(("127.0.0.1", port.parse().unwrap())).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(demo.interrupt().code(), Some(0));
    assert!(is_empty(folder.path()), "its data is gone");
}

#[test]
fn the_watcher_sees_the_chat_client_come_and_go() {
    let server = Server::start(&["ann", "bob"]);
    let (ann, bob) = (address("ann"), address("bob"));
    let mut watcher = example(
        "sip_watcher",
        &[
            &server.address("sip.udp").to_string(),
            &bob,
            &password("bob"),
            &ann,
        ],
    );
    watcher.says(&format!("registered as sip:{bob}"));
    watcher.says("the subscription is active");
    watcher.says(&format!("sip:{ann} is offline"));
    let authority: PathBuf = server.data().join("ca.pem");
    let mut client = example(
        "xmpp_client",
        &[
            &server.address("xmpp.client_tls").to_string(),
            &authority,
            &ann,
            &password("ann"),
            &"At my desk",
        ],
    );
    client.says(&format!("logged in as {ann}/"));
    client.says(&format!("{ann}/"));
    watcher.says(&format!("sip:{ann} is available, \"At my desk\""));
    watcher.says("<?xml");
    drop(client);
    watcher.says(&format!("sip:{ann} is offline"));
}

#[test]
fn what_the_examples_cannot_do_they_say() {
    let server = Server::start(&["ann"]);
    let authority = server.folder().join("other.pem");
    std::fs::write(&authority, "nothing").unwrap();
    let mut client = example(
        "xmpp_client",
        &[
            &server.address("xmpp.client_tls").to_string(),
            &authority,
            &address("ann"),
            &password("ann"),
        ],
    );
    let status = wait_for("it ends", || client.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
    let mut watcher = example(
        "sip_watcher",
        &[
            &server.address("sip.udp").to_string(),
            &address("ann"),
            &"wrong",
            &address("ann"),
        ],
    );
    let status = wait_for("it ends", || watcher.child.try_wait().unwrap());
    assert_eq!(status.code(), Some(1));
}

#[test]
fn the_configuration_of_an_office_is_right() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/office.toml");
    let done = Command::new(env!("CARGO_BIN_EXE_adsum"))
        .args(["check", "config", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert_eq!(said.lines().count(), 1, "every key has an effect: {said}");
}
