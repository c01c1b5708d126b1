//! Chromium with pages in it: `tests/clients/browser.mjs`.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::network::Network;
use crate::support::{DOMAIN, Script, Server};
use crate::web::front::Proxy;

/// Longer than what the script waits for by itself, so that it is the script that says what did not come.
const DEADLINE: Duration = Duration::from_secs(45);

/// A browser. Its pages reach the server as `office.example`, as they would anywhere: TLS on ports 443 and 5281, plain HTTP on port 5280. What a page
/// throws and does not catch, what its content security policy forbids, and what it asks of anybody else is a failure of the test.
pub(super) struct Browser {
    script: Script,
    asked: u64,
    /// Where pages come from that are not the server's own.
    pub(super) site: String,
    /// Where the secure listener of the server is, for the pages.
    pub(super) network: Network,
}

impl Browser {
    /// Starts one.
    pub(super) fn start(server: &Server) -> Self {
        let network = Network::new(Ipv4Addr::LOCALHOST, server.address("http.listen_tls"));
        Self::over(server, network)
    }

    /// The same, where the secure listener is that of a proxy. What connects to it does so from the address that is the server's own, which is none
    /// of the proxy.
    pub(super) fn behind(proxy: &Proxy, server: &Server) -> Self {
        Self::over(server, Network::new(server.ip(), proxy.address))
    }

    fn over(server: &Server, network: Network) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let secure = network.address.to_string();
        let plain = server.address("http.listen").to_string();
        let arguments = json!({
            "modules": root.join("target/js/node_modules"),
            "ca": server.data().join("ca.pem"),
            "folder": server.folder(),
            "domain": DOMAIN,
            "hosts": {
                format!("{DOMAIN}:443"): secure,
                format!("{DOMAIN}:5281"): secure,
                format!("{DOMAIN}:5280"): plain,
            },
        });
        let script = Script::start("browser.mjs", &arguments);
        let mut browser = Self {
            script,
            asked: 0,
            site: String::new(),
            network,
        };
        let ready = browser.script.event("ready");
        ready["origin"]
            .as_str()
            .unwrap()
            .clone_into(&mut browser.site);
        browser
    }

    /// A page at an address, in a profile of its own: nothing is shared with other pages.
    #[track_caller]
    pub(super) fn open(&mut self, page: &str, url: &str) {
        self.ask(json!({"do": "open", "page": page, "url": url}));
    }

    /// A command; the answer's value.
    #[track_caller]
    pub(super) fn ask(&mut self, mut command: Value) -> Value {
        self.asked += 1;
        command["id"] = self.asked.into();
        self.script.tell(&command);
        let id = self.asked;
        let answer = self.script.wait(DEADLINE, |event| {
            event["id"] == id && matches!(event["event"].as_str(), Some("done" | "failed"))
        });
        match answer {
            Ok(answer) if answer["event"] == "done" => {
                self.faultless();
                answer["value"].clone()
            }
            Ok(answer) => {
                let error = answer["error"].as_str().unwrap_or_default().to_owned();
                self.fail(&format!("{command}: {error}"))
            }
            Err(error) => self.fail(&format!("{command}: {error}")),
        }
    }

    /// A page of another origin than the server's.
    #[track_caller]
    pub(super) fn make(&mut self, path: &str, text: &str) {
        self.ask(json!({"do": "make", "path": path, "text": text}));
    }

    /// A script of that origin, with the libraries that it imports.
    #[track_caller]
    pub(super) fn make_script(&mut self, path: &str, script: &str) {
        self.ask(json!({"do": "make", "path": path, "script": script}));
    }

    /// Waits for a line on the console of a page that contains all of these, and takes it.
    #[track_caller]
    pub(super) fn said(&mut self, page: &str, parts: &[&str]) -> String {
        let found = self.script.wait(DEADLINE, |event| {
            let text = event["text"].as_str().unwrap_or_default();
            event["event"] == "console"
                && event["page"] == page
                && parts.iter().all(|part| text.contains(part))
        });
        self.faultless();
        match found {
            Ok(event) => event["text"].as_str().unwrap_or_default().to_owned(),
            Err(error) => self.fail(&format!("{page} never says {parts:?} ({error})")),
        }
    }

    /// No line that was not taken contains this.
    #[track_caller]
    pub(super) fn never_said(&mut self, page: &str, part: &str) {
        let found = self.script.wait(Duration::ZERO, |event| {
            event["event"] == "console"
                && event["page"] == page
                && event["text"].as_str().is_some_and(|it| it.contains(part))
        });
        if let Ok(event) = found {
            self.fail(&format!("{page} says {part:?} once more: {event}"));
        }
    }

    /// Waits until something is shown.
    #[track_caller]
    pub(super) fn see(&mut self, page: &str, at: &str, text: &str) {
        self.ask(json!({"do": "see", "page": page, "at": at, "text": text}));
    }

    /// Waits until something is there, shown or not.
    #[track_caller]
    pub(super) fn there(&mut self, page: &str, at: &str) {
        self.ask(json!({"do": "there", "page": page, "at": at}));
    }

    /// Waits until the keyboard writes there.
    #[track_caller]
    pub(super) fn focused(&mut self, page: &str, at: &str) {
        self.ask(json!({"do": "focused", "page": page, "at": at}));
    }

    /// Ticks a box that is not ticked.
    #[track_caller]
    pub(super) fn tick(&mut self, page: &str, at: &str) {
        self.ask(json!({"do": "tick", "page": page, "at": at}));
    }

    /// Loads a page again.
    #[track_caller]
    pub(super) fn reload(&mut self, page: &str) {
        self.ask(json!({"do": "reload", "page": page}));
    }

    /// Waits until something is not shown any more.
    #[track_caller]
    pub(super) fn gone(&mut self, page: &str, at: &str, text: &str) {
        self.ask(json!({"do": "gone", "page": page, "at": at, "text": text}));
    }

    /// Clicks on what is there, once it is.
    #[track_caller]
    pub(super) fn click(&mut self, page: &str, at: &str) {
        self.ask(json!({"do": "click", "page": page, "at": at}));
    }

    /// Writes into a field.
    #[track_caller]
    pub(super) fn fill(&mut self, page: &str, at: &str, with: &str) {
        self.ask(json!({"do": "fill", "page": page, "at": at, "with": with}));
    }

    /// Presses a key, `Enter` for example.
    #[track_caller]
    pub(super) fn press(&mut self, page: &str, key: &str) {
        self.ask(json!({"do": "press", "page": page, "key": key}));
    }

    /// Runs code in a page.
    #[track_caller]
    pub(super) fn run(&mut self, page: &str, code: &str) -> Value {
        self.ask(json!({"do": "run", "page": page, "code": code}))
    }

    /// Whether the browser says that it is offline, and lets no request of the page out.
    #[track_caller]
    pub(super) fn offline(&mut self, page: &str, on: bool) {
        self.ask(json!({"do": "offline", "page": page, "on": on}));
    }

    /// A picture of a page.
    #[track_caller]
    pub(super) fn picture(&mut self, page: &str, path: &Path) {
        self.ask(json!({"do": "picture", "page": page, "path": path}));
    }

    /// The window is closed.
    #[track_caller]
    pub(super) fn close(&mut self, page: &str) {
        self.ask(json!({"do": "close", "page": page}));
    }

    /// Fails with a report of the pages unless something holds.
    #[track_caller]
    pub(super) fn must(&mut self, holds: bool, what: &str) {
        if !holds {
            self.fail(what);
        }
    }

    #[track_caller]
    fn faultless(&mut self) {
        let fault = self
            .script
            .wait(Duration::ZERO, |event| event["event"] == "fault");
        if let Ok(fault) = fault {
            let text = fault["text"].as_str().unwrap_or_default().to_owned();
            self.fail(&format!("{}: {text}", fault["page"]));
        }
    }

    /// Fails with what the pages say and pictures of them. The log of the server follows where the test drops it.
    #[track_caller]
    fn fail(&mut self, what: &str) -> ! {
        let folder = pictures("failed");
        self.script
            .tell(&json!({"do": "report", "id": "report", "folder": folder}));
        let report = self
            .script
            .wait(DEADLINE, |event| event["id"] == "report")
            .map_or_else(|error| error.to_string(), |it| it["value"].to_string());
        panic!("{what}\n{}", report.replace("\\n", "\n"));
    }
}

/// A folder for pictures that the tests make.
pub(super) fn pictures(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.script.tell(&json!({"do": "end", "id": "end"}));
        let _ = self.script.wait(DEADLINE, |event| event["id"] == "end");
        if !std::thread::panicking() {
            self.faultless();
        }
    }
}
