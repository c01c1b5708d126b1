//! Reverse proxies before the server, set up by the very lines of `docs/web.md`.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::support::{DOMAIN, Server, wait_for};

/// The name that the documents give the server.
const NAME: &str = "im.office.example";
/// Where they have its plain listener.
const PLAIN: &str = "127.0.0.1:5280";

/// The first lines of code of `docs/web.md` under this heading, after this line.
pub(crate) fn code_of_documents(heading: &str, after: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/web.md");
    let page = std::fs::read_to_string(path).unwrap();
    let (_, section) = page.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, section) = section.split_once(after).unwrap();
    let (_, code) = section.split_once("\n```").unwrap();
    let (_, code) = code.split_once('\n').unwrap();
    let (code, _) = code.split_once("\n```").unwrap();
    code.to_owned()
}

/// Exchanges what must be there.
#[track_caller]
fn exchanged(text: &str, from: &str, to: &str) -> String {
    assert!(
        text.contains(from),
        "{from} is not in the documents:\n{text}"
    );
    text.replace(from, to)
}

/// A server that is set up for a proxy on this machine. `http` is more of `[http]`, and of what may follow it.
pub(crate) fn server(origin: &str, http: &str, users: &[&str]) -> Server {
    let lines = code_of_documents("Behind a proxy", "");
    let lines = exchanged(&lines, &format!("https://{NAME}"), origin);
    let mut server = Server::prepared("");
    let lines = exchanged(&lines, PLAIN, &format!("{}:0", server.ip()));
    server.reconfigure(&format!("{lines}\n{http}"));
    server.add_users(users);
    server.launch();
    server
}

/// Programs of which the documents say how they are set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Nginx,
    Caddy,
    Haproxy,
}

/// A proxy that speaks TLS with the certificate of the server, and runs until it is dropped.
pub(crate) struct Proxy {
    program: Program,
    folder: PathBuf,
    lines: String,
    child: Option<Child>,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Proxy {
    /// Starts one before a server.
    pub(crate) fn start(program: Program, server: &Server) -> Self {
        Self::changed(program, server, |lines| lines)
    }

    /// The same, with lines that are not all as the documents have them.
    pub(crate) fn changed(
        program: Program,
        server: &Server,
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let folder = server.folder().join("proxy");
        std::fs::create_dir_all(&folder).unwrap();
        // Nobody else listens on the address of the server, so that the port stays free.
        let free = TcpListener::bind((server.ip(), 0)).unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut proxy = Self {
            program,
            folder,
            lines: String::new(),
            child: None,
            address,
        };
        proxy.lines = change(proxy.lines_of_documents(server));
        proxy.launch();
        proxy
    }

    /// Ends it, and with it all connections through it; then it begins anew at the same place.
    pub(crate) fn restart(&mut self, change: impl FnOnce(String) -> String) {
        self.stop();
        self.lines = change(std::mem::take(&mut self.lines));
        self.launch();
    }

    /// What it has written.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The lines of the documents, with what is different here: names, ports, files.
    fn lines_of_documents(&self, server: &Server) -> String {
        let heading = match self.program {
            Program::Nginx => "\nnginx:\n",
            Program::Caddy => "\nCaddy, ",
            Program::Haproxy => "\nHAProxy:\n",
        };
        let lines = code_of_documents("Behind a proxy", heading);
        let plain = server.address("http.listen").to_string();
        let lines = exchanged(&lines, PLAIN, &plain);
        let certificate = server.data().join(format!("certificates/{DOMAIN}.pem"));
        let key = certificate.with_extension("key");
        match self.program {
            Program::Nginx => self.nginx(&lines, &certificate, &key),
            Program::Caddy => self.caddy(&lines, &certificate, &key),
            Program::Haproxy => self.haproxy(&lines, &certificate, &key),
        }
    }

    /// The part of nginx, in a whole that needs nothing of the system.
    fn nginx(&self, lines: &str, certificate: &Path, key: &Path) -> String {
        let (address, folder) = (self.address, self.folder.display());
        let (certificate, key) = (certificate.display(), key.display());
        let lines = exchanged(lines, NAME, DOMAIN);
        let lines = exchanged(&lines, "listen 443 ssl;", &format!("listen {address} ssl;"));
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths = paths.map(|kind| format!("{kind}_temp_path {folder}/{kind};\n"));
        format!(
            "daemon off;\nmaster_process off;\npid {folder}/pid;\nevents {{}}\nhttp {{\naccess_log {folder}/log;\n{}\
             ssl_certificate {certificate};\nssl_certificate_key {key};\n{lines}\n}}\n",
            paths.concat()
        )
    }

    /// A site at a port, with a certificate that is there.
    fn caddy(&self, lines: &str, certificate: &Path, key: &Path) -> String {
        let (ip, port) = (self.address.ip(), self.address.port());
        let (certificate, key) = (certificate.display(), key.display());
        let site = format!(
            "https://{DOMAIN}:{port} {{\n    bind {ip}\n    tls {certificate} {key}\n    log"
        );
        let lines = exchanged(lines, &format!("{NAME} {{"), &site);
        format!("{{\n    admin off\n    auto_https disable_redirects\n}}\n{lines}\n")
    }

    /// All of it, with a file of certificate and key.
    fn haproxy(&self, lines: &str, certificate: &Path, key: &Path) -> String {
        let texts = [certificate, key].map(|file| std::fs::read_to_string(file).unwrap());
        let both = self.folder.join("office.pem");
        std::fs::write(&both, texts.concat()).unwrap();
        let lines = exchanged(lines, "bind :443 ", &format!("bind {} ", self.address));
        let lines = exchanged(
            &lines,
            "/etc/haproxy/office.pem",
            &both.display().to_string(),
        );
        lines + "\n"
    }

    fn launch(&mut self) {
        let file = self.folder.join("configuration");
        std::fs::write(&file, &self.lines).unwrap();
        let (program, arguments): (_, &[&str]) = match self.program {
            Program::Nginx => ("nginx", &["-e", "stderr", "-p", ".", "-c"]),
            Program::Caddy => ("caddy", &["run", "--adapter", "caddyfile", "--config"]),
            Program::Haproxy => ("haproxy", &["-db", "-f"]),
        };
        let said = || {
            let said = self.folder.join("said");
            File::options()
                .create(true)
                .append(true)
                .open(said)
                .unwrap()
        };
        let child = Command::new(program)
            .args(arguments)
            .arg(file)
            .current_dir(&self.folder)
            .env("HOME", &self.folder)
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::null())
            .stdout(said())
            .stderr(said())
            .spawn();
        let child = child.expect("tests/run installs the proxies of the tests");
        let child = self.child.insert(child);
        wait_for("the proxy listens", || {
            if let Some(status) = child.try_wait().unwrap() {
                let said = std::fs::read_to_string(self.folder.join("said"));
                panic!("the proxy ended with {status}: {said:?}");
            }
            TcpStream::connect(self.address).ok()
        });
    }

    fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            let said = std::fs::read_to_string(self.folder.join("said")).unwrap_or_default();
            println!("--- {:?}\n{said}\n{}---", self.program, self.log());
        }
    }
}
