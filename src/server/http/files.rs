//! The web app: the files of the folder `[http] app`.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ALLOW, HeaderMap, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::answer::{Answer, empty, plain};
use super::file::File;
use super::hashed::is_hashed;
use super::{host, page};
use crate::config::Config;
use crate::server::shared::Shared;

/// The page that stands for the whole app.
const INDEX: &str = "index.html";
/// What is larger is not handed out.
const LARGEST: u64 = 32 << 20;
/// Files are kept in memory up to this.
const KEPT: usize = 64 << 20;

/// A name that holds the hash of the content is never used for another one.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Everything else is asked for again.
const ASK_AGAIN: &str = "no-cache";

/// Paths that services have or will have: no page of the app is handed out for what is unknown there.
const SERVICES: &[&str] = &[
    "/.well-known",
    "/EPASSoap",
    "/api",
    "/content",
    "/http-bind",
    "/invite",
    "/presence-service",
    "/sip-ws",
    "/soap",
    "/upload",
    "/xcap",
    "/xmpp-websocket",
];

/// Files that were read, by where they are, while they stay as they are.
pub(crate) struct Kept {
    files: Mutex<HashMap<PathBuf, (Stamp, Arc<File>)>>,
    /// How many may be looked for at once.
    few: Semaphore,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            files: Mutex::default(),
            few: Semaphore::new(4),
        }
    }
}

/// A file that has the same is the same. Size and time of its content are not enough for that: builds that can be repeated give every file
/// the same time, and `rsync -t` that of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    /// When its content was written, as whoever wrote it says, in seconds and nanoseconds.
    written: (i64, i64),
    /// When something of it changed last, as the system says.
    changed: (i64, i64),
    /// Which file it is.
    number: (u64, u64),
}

impl Stamp {
    fn new(facts: &Metadata) -> Self {
        Self {
            size: facts.len(),
            written: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
            number: (facts.dev(), facts.ino()),
        }
    }
}

/// What is found at a path.
enum Found {
    File(Arc<File>, &'static str),
    /// A folder, whose path ends in a slash.
    Folder,
    Nothing,
}

/// A file of the app, or its index page for what a browser wants to show.
pub(super) async fn answer(server: &Arc<Shared>, request: Request<Incoming>) -> Answer {
    let shared = Arc::clone(server);
    let path = request.uri().path().to_owned();
    let shows = wants_page(request.headers()) && !is_service(&shared.config, &path);
    // A few at a time: each may read and compress a large file, and others need the threads as well.
    let Ok(_few) = server.files.few.acquire().await else {
        return plain(StatusCode::NOT_FOUND, "There is nothing here.\n");
    };
    let looked = tokio::task::spawn_blocking(move || match &shared.config.http.app {
        Some(root) => look(&shared.files, root, &path, shows),
        None => Found::Nothing,
    });
    let found = looked.await.unwrap_or(Found::Nothing);
    if matches!(found, Found::Nothing) {
        return plain(StatusCode::NOT_FOUND, "There is nothing here.\n");
    }
    let mut answer = match (request.method(), found) {
        (&Method::GET | &Method::HEAD, Found::File(file, lasting)) => {
            file.answer(request.headers(), lasting)
        }
        (&Method::GET | &Method::HEAD, _) => to_folder(request.uri().path()),
        (&Method::OPTIONS, _) => with_methods(empty(StatusCode::NO_CONTENT)),
        _ => with_methods(plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "This is answered here: GET, HEAD, OPTIONS.\n",
        )),
    };
    let host = host::of(&request).ok().flatten();
    page::protect(&server.config, host.as_ref(), answer.headers_mut());
    answer
}

fn with_methods(mut answer: Answer) -> Answer {
    let methods = HeaderValue::from_static("GET, HEAD, OPTIONS");
    answer.headers_mut().insert(ALLOW, methods);
    answer
}

/// Links of a page count from its folder.
fn to_folder(path: &str) -> Answer {
    let mut answer = empty(StatusCode::MOVED_PERMANENTLY);
    if let Ok(folder) = HeaderValue::try_from(format!("{path}/")) {
        answer.headers_mut().insert(LOCATION, folder);
    }
    answer
}

/// A browser that goes somewhere says that it takes HTML; what a page loads does not.
fn wants_page(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter();
    accepted.any(|value| value.to_str().unwrap_or("").contains("text/html"))
}

fn is_service(config: &Config, path: &str) -> bool {
    let prefixes = SERVICES.iter().copied();
    let mut prefixes = prefixes.chain([config.http.presence_prefix.as_str()]);
    prefixes.any(|prefix| {
        let rest = path.strip_prefix(prefix);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn look(kept: &Kept, root: &Path, path: &str, shows: bool) -> Found {
    let Ok(root) = root.canonicalize() else {
        return Found::Nothing;
    };
    let named = relative(path).map(|relative| root.join(relative));
    let found = match &named {
        Some(named) if path.ends_with('/') => kept.read(&root, &named.join(INDEX)),
        Some(named) if named.is_dir() => {
            return if kept.read(&root, &named.join(INDEX)).is_some() {
                Found::Folder
            } else {
                Found::Nothing
            };
        }
        Some(named) => kept.read(&root, named),
        None => return Found::Nothing,
    };
    match found {
        Some(file) if is_hashed(path) => Found::File(file, FOR_EVER),
        Some(file) => Found::File(file, ASK_AGAIN),
        None if shows => match kept.read(&root, &root.join(INDEX)) {
            Some(file) => Found::File(file, ASK_AGAIN),
            None => Found::Nothing,
        },
        None => Found::Nothing,
    }
}

/// The path in the folder. `None` for what leads out of it, and for hidden files.
fn relative(path: &str) -> Option<PathBuf> {
    let mut relative = PathBuf::new();
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(relative);
    }
    let path = path.strip_suffix('/').unwrap_or(path);
    for segment in path.split('/') {
        let name = decoded(segment)?;
        if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return None;
        }
        relative.push(name);
    }
    Some(relative)
}

/// RFC 3986 §2.1.
fn decoded(segment: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            octets.push(u8::try_from(high << 4 | low).ok()?);
        } else {
            octets.push(octet);
        }
    }
    String::from_utf8(octets).ok()
}

impl Kept {
    /// A file inside of the root, wherever links lead.
    fn read(&self, root: &Path, path: &Path) -> Option<Arc<File>> {
        let path = path.canonicalize().ok()?;
        let facts = path.metadata().ok()?;
        if !path.starts_with(root) || !facts.is_file() {
            return None;
        }
        if facts.len() > LARGEST {
            tracing::warn!(file = %path.display(), "a file of the web app is larger than 32 MiB and not handed out");
            return None;
        }
        let stamp = Stamp::new(&facts);
        if let Some((of, file)) = self.files.lock().get(&path)
            && *of == stamp
        {
            return Some(Arc::clone(file));
        }
        let octets = std::fs::read(&path).ok()?;
        let name = path.file_name()?.to_string_lossy();
        let file = Arc::new(File::new(&name, Bytes::from(octets)));
        let mut kept = self.files.lock();
        kept.remove(&path);
        let room = |kept: &HashMap<PathBuf, (Stamp, Arc<File>)>| {
            let all: usize = kept.values().map(|(_, file)| file.size()).sum();
            all + file.size() <= KEPT
        };
        if !room(&kept) {
            // What an earlier build had.
            kept.retain(|path, _| path.exists());
        }
        if room(&kept) {
            kept.insert(path, (stamp, Arc::clone(&file)));
        }
        Some(file)
    }
}

/// What is wrong with the folder of the web app, with what mends it.
pub(crate) fn problems(config: &Config) -> Vec<String> {
    let Some(root) = &config.http.app else {
        return Vec::new();
    };
    let shown = root.display();
    if !root.is_dir() {
        return vec![format!(
            "http.app names {shown}, which is no folder; name the one that the build of the app has made, or set it to \"\"."
        )];
    }
    if !root.join(INDEX).is_file() {
        return vec![format!(
            "http.app names {shown}, which holds no {INDEX}; name the folder that the build of the app has made, or set it to \"\"."
        )];
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use std::time::{Duration, SystemTime};

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_stay_in_the_folder() {
        let is = |path: &str, expected: &str| {
            assert_eq!(relative(path), Some(PathBuf::from(expected)), "{path}");
        };
        is("/", "");
        is("/index.html", "index.html");
        is("/a%20b/%c3%bc.js", "a b/ü.js");
        is("/sub/", "sub");
        for bad in [
            "",
            "x",
            "//",
            "/a//b",
            "/../x",
            "/a/../../x",
            "/%2e%2e/x",
            "/.%2e/x",
            "/a/%2e",
            "/.git/config",
            "/%2Fetc",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a%00",
            "/%",
            "/%4",
            "/%zz",
            "/%ff",
            "/.",
            "/..",
            "*",
        ] {
            assert_eq!(relative(bad), None, "{bad}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn no_path_leads_out(path in "/([a-c./%\\\\]|%2[eEfF]|%5c|\\.\\.){0,12}") {
            if let Some(relative) = relative(&path) {
                let inside = relative.components().all(|part| matches!(part, std::path::Component::Normal(name)
                    if !name.to_string_lossy().starts_with('.')));
                prop_assert!(inside, "{relative:?}");
            }
        }
    }

    #[test]
    fn a_file_is_another_though_its_size_and_time_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let path = root.join("index.html");
        let write = |path: &Path, text: &str| {
            std::fs::write(path, text).unwrap();
            let file = std::fs::File::options().write(true).open(path).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(315_532_800);
            file.set_modified(time).unwrap();
        };
        let kept = Kept::default();
        let read = || kept.read(&root, &path).unwrap();
        write(&path, "one");
        let one = read();
        assert!(Arc::ptr_eq(&one, &read()));
        // Put in its place.
        let beside = root.join("beside");
        write(&beside, "two");
        std::fs::rename(&beside, &path).unwrap();
        let two = read();
        assert!(!Arc::ptr_eq(&one, &two));
        // Written over. The clock of file systems goes in steps.
        let before = Stamp::new(&path.metadata().unwrap()).changed;
        while Stamp::new(&path.metadata().unwrap()).changed == before {
            write(&path, "six");
        }
        assert!(!Arc::ptr_eq(&two, &read()));
    }

    #[test]
    fn services_are_no_pages() {
        let config = crate::config::defaults();
        for yes in [
            "/api",
            "/api/v1/x",
            "/presence/ann",
            "/.well-known/x",
            "/http-bind/",
        ] {
            assert!(is_service(&config, yes), "{yes}");
        }
        for no in ["/", "/apiary", "/chat/ann", "/presences"] {
            assert!(!is_service(&config, no), "{no}");
        }
    }
}
