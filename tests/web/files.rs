//! The web app of `[http] app`, and the page without one.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use tempfile::TempDir;

use super::wire::{Heard, Wire, get};
use crate::support::Server;

const BROWSER: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";

/// A folder as builds make it, with things beside it and in it that nobody is to see.
struct App {
    place: TempDir,
}

impl App {
    fn new() -> Self {
        let app = Self {
            place: tempfile::tempdir().unwrap(),
        };
        let script = "console.log('here');\n".repeat(500);
        for (name, text) in [
            ("index.html", "<!doctype html><title>App</title>"),
            ("assets/index-DiwrgT4a.js", &script),
            ("assets/style.css", "body { margin: 0 }"),
            ("help/index.html", "<!doctype html><title>Help</title>"),
            ("logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ("icon-180x180.png", "a picture"),
            ("a b.txt", "spaced"),
            (".env", "secret"),
            (".git/config", "secret"),
            ("../outside.txt", "secret"),
        ] {
            let path = app.root().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let link = std::os::unix::fs::symlink::<&Path, PathBuf>;
        link(Path::new("../outside.txt"), app.root().join("link.txt")).unwrap();
        link(Path::new(".."), app.root().join("up")).unwrap();
        link(Path::new("assets/style.css"), app.root().join("style.css")).unwrap();
        app
    }

    fn root(&self) -> PathBuf {
        self.place.path().join("dist")
    }

    fn serve(&self) -> Server {
        Server::with(&format!("[http]\napp = '{}'", self.root().display()), &[])
    }
}

fn is_protected(heard: &Heard) {
    let policy = heard.header("content-security-policy").unwrap();
    for part in [
        "default-src 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let (_, connect) = policy.split_once("connect-src 'self'").unwrap();
    for scheme in ["ws", "wss", "http", "https"] {
        let own = format!(" {scheme}://office.example:*");
        assert!(connect.contains(&own), "{policy}");
    }
    assert!(!policy.contains("script-src"), "{policy}");
    assert_eq!(heard.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(heard.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(heard.header("x-frame-options"), Some("DENY"));
}

#[test]
fn files_have_types_and_are_cached_by_their_names() {
    let app = App::new();
    let server = app.serve();
    let mut wire = Wire::plain(&server);
    let again = "no-cache";
    let for_ever = "public, max-age=31536000, immutable";
    for (path, kind, lasting) in [
        ("/", "text/html; charset=utf-8", again),
        ("/index.html", "text/html; charset=utf-8", again),
        ("/help/", "text/html; charset=utf-8", again),
        (
            "/assets/index-DiwrgT4a.js",
            "text/javascript; charset=utf-8",
            for_ever,
        ),
        ("/assets/style.css?v=1", "text/css; charset=utf-8", again),
        ("/style.css", "text/css; charset=utf-8", again),
        ("/logo.svg", "image/svg+xml", again),
        ("/icon-180x180.png", "image/png", again),
        ("/a%20b.txt", "text/plain; charset=utf-8", again),
    ] {
        let heard = wire.ask(&get(path, ""));
        assert_eq!(heard.status, 200, "{path}");
        assert_eq!(heard.header("content-type"), Some(kind), "{path}");
        assert_eq!(heard.header("cache-control"), Some(lasting), "{path}");
        is_protected(&heard);
        let tag = heard.header("etag").unwrap().to_owned();
        let same = wire.ask(&get(path, &format!("If-None-Match: {tag}\r\n")));
        assert_eq!(same.status, 304, "{path}");
        assert_eq!(same.header("etag"), Some(tag.as_str()), "{path}");
        let head = wire.ask(&get(path, "").replacen("GET", "HEAD", 1));
        assert_eq!(head.status, 200, "{path}");
        let length = heard.body.len().to_string();
        assert_eq!(
            head.header("content-length"),
            Some(length.as_str()),
            "{path}"
        );
    }
    let heard = wire.ask(&get("/help", ""));
    assert_eq!(
        (heard.status, heard.header("location")),
        (301, Some("/help/"))
    );
    for method in ["POST", "PUT", "DELETE"] {
        for (path, status) in [("/index.html", 405), ("/nothing", 404)] {
            let heard = wire.ask(&get(path, "").replacen("GET", method, 1));
            assert_eq!(heard.status, status, "{method} {path}");
            assert_eq!(heard.header("allow").is_some(), status == 405);
        }
    }
}

#[test]
fn a_new_build_is_seen_at_once() {
    let app = App::new();
    let server = app.serve();
    let mut wire = Wire::plain(&server);
    let old = wire.ask(&get("/", ""));
    std::fs::write(
        app.root().join("index.html"),
        "<!doctype html><title>Newer</title>",
    )
    .unwrap();
    let tag = old.header("etag").unwrap().to_owned();
    let new = wire.ask(&get("/", &format!("If-None-Match: {tag}\r\n")));
    assert_eq!(new.status, 200);
    assert!(new.text().contains("Newer"));
}

#[test]
fn what_a_browser_shows_is_the_app_and_what_a_page_loads_is_not() {
    let app = App::new();
    let server = app.serve();
    let mut wire = Wire::plain(&server);
    for path in ["/chat/ann@office.example", "/settings", "/assets/gone.js"] {
        let heard = wire.ask(&get(path, BROWSER));
        assert_eq!(heard.status, 200, "{path}");
        assert!(heard.text().contains("<title>App</title>"), "{path}");
        assert_eq!(heard.header("cache-control"), Some("no-cache"));
        assert_eq!(
            wire.ask(&get(path, "Accept: */*\r\n")).status,
            404,
            "{path}"
        );
        assert_eq!(wire.ask(&get(path, "")).status, 404, "{path}");
    }
    // Where services are or will be.
    for path in [
        "/api/v1/openapi.json",
        "/presence/ann",
        "/.well-known/nothing",
        "/xcap",
    ] {
        assert_eq!(wire.ask(&get(path, BROWSER)).status, 404, "{path}");
    }
    assert_eq!(wire.ask(&get("/healthz", BROWSER)).text(), "alive\n");
}

#[test]
fn nothing_outside_of_the_folder_and_nothing_hidden() {
    let app = App::new();
    let server = app.serve();
    let mut wire = Wire::plain(&server);
    for path in [
        "/../outside.txt",
        "/%2e%2e/outside.txt",
        "/..%2foutside.txt",
        "/assets/../../outside.txt",
        "/assets/%2e%2e/%2e%2e/outside.txt",
        "/..\\outside.txt",
        "/%5c..%5coutside.txt",
        "/link.txt",
        "/up/outside.txt",
        "/up/",
        "//outside.txt",
        "/.env",
        "/%2eenv",
        "/.git/config",
        "/assets/%00",
        "/index.html%00.txt",
        "/etc/passwd",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
    ] {
        let heard = wire.ask(&get(path, ""));
        assert_eq!(heard.status, 404, "{path}");
        let heard = wire.ask(&get(path, BROWSER));
        assert!(!heard.text().contains("secret"), "{path}");
    }
}

#[test]
fn texts_are_compressed_for_who_takes_that() {
    let app = App::new();
    let server = app.serve();
    let mut wire = Wire::plain(&server);
    let path = "/assets/index-DiwrgT4a.js";
    let plain = wire.ask(&get(path, ""));
    assert_eq!(plain.header("vary"), Some("Accept-Encoding"));
    let small = wire.ask(&get(path, "Accept-Encoding: br, gzip\r\n"));
    assert_eq!(small.header("content-encoding"), Some("gzip"));
    assert!(small.body.len() < plain.body.len() / 10);
    let mut inflated = Vec::new();
    GzDecoder::new(&*small.body)
        .read_to_end(&mut inflated)
        .unwrap();
    assert_eq!(inflated, plain.body);
    assert_ne!(small.header("etag"), plain.header("etag"));
    let none = wire.ask(&get(path, "Accept-Encoding: gzip;q=0\r\n"));
    assert!(none.header("content-encoding").is_none());
    // A page that is made for the request is compressed as well.
    let metrics = wire.ask(&get("/metrics", "Accept-Encoding: gzip\r\n"));
    assert_eq!(metrics.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    GzDecoder::new(&*metrics.body)
        .read_to_string(&mut text)
        .unwrap();
    assert!(text.contains("adsum_info"), "{text}");
}

#[test]
fn without_an_app_there_is_a_page() {
    let server = Server::start(&[]);
    let mut wire = Wire::plain(&server);
    let page = wire.ask(&get("/", BROWSER));
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    is_protected(&page);
    for (path, kind) in [
        ("/board.js", "text/javascript; charset=utf-8"),
        ("/board.css", "text/css; charset=utf-8"),
    ] {
        assert!(page.text().contains(path.trim_start_matches('/')), "{path}");
        let heard = wire.ask(&get(path, ""));
        assert_eq!(
            (heard.status, heard.header("content-type")),
            (200, Some(kind))
        );
    }
    assert_eq!(wire.ask(&get("/settings", BROWSER)).status, 404);
    assert_eq!(
        wire.ask(&get("/", "").replacen("GET", "PUT", 1)).status,
        405
    );
}

#[test]
fn a_folder_without_app_is_a_mistake() {
    let app = App::new();
    let mut server = Server::prepared(&format!("[http]\napp = '{}'", app.root().display()));
    server.ok(&["check", "config"]);
    let nowhere = app.root().join("nowhere");
    for (folder, wrong) in [
        (app.root().join("assets"), "holds no index.html"),
        (nowhere, "is no folder"),
    ] {
        server.reconfigure(&format!("[http]\napp = '{}'", folder.display()));
        let done = server.run(&["check", "config"]);
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(said.contains(wrong), "{said}");
    }
    server.launch();
    server.wait_for_log("is no folder");
}
