//! The socket of the running server for commands, and the command's end of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Outcome, Wish, execute};
use crate::data_folder::DataFolder;
use crate::server::backup;
use crate::server::shared::Shared;
use crate::server::turn::turn;

/// The longest wish that is read.
const MOST: u64 = 1 << 20;

/// Asks the running server. `None` when none runs on this folder.
pub fn ask(folder: &DataFolder, wish: &Wish) -> Option<Result<Outcome, String>> {
    if !folder.in_use() {
        return None;
    }
    Some(exchange(folder, wish).map_err(|error| {
        format!(
            "The running server does not answer on {} ({error}); is it starting or stopping?",
            folder.admin_socket().display()
        )
    }))
}

fn exchange(folder: &DataFolder, wish: &Wish) -> std::io::Result<Outcome> {
    let mut stream = UnixStream::connect(folder.admin_socket())?;
    stream.set_read_timeout(Some(Duration::from_secs(600)))?;
    let mut line = serde_json::to_string(wish)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(serde_json::from_str(&answer)?)
}

/// Listens in the data folder. Each command has a thread of its own while it lasts.
pub fn serve(shared: &Arc<Shared>) -> std::io::Result<()> {
    let path = shared.folder.admin_socket();
    let _ = std::fs::remove_file(&path);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let shared = Arc::clone(shared);
    let runtime = tokio::runtime::Handle::current();
    std::thread::Builder::new()
        .name("admin".into())
        .spawn(move || {
            for stream in listener.incoming() {
                // Out of file descriptors: commands wait, the server goes on.
                let Ok(stream) = stream else {
                    std::thread::sleep(Duration::from_millis(50));
                    continue;
                };
                let (shared, runtime) = (Arc::clone(&shared), runtime.clone());
                let spawned = std::thread::Builder::new()
                    .name("command".into())
                    .spawn(move || {
                        let _entered = runtime.enter();
                        let _ = converse(&shared, stream);
                    });
                if spawned.is_err() {
                    tracing::warn!("a command could not be served: no thread");
                }
            }
        })?;
    Ok(())
}

fn converse(shared: &Arc<Shared>, stream: UnixStream) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(std::io::Read::take(stream, MOST));
    let mut line = String::new();
    while lines.read_line(&mut line)? > 0 {
        let outcome = match serde_json::from_str::<Wish>(&line) {
            Ok(wish) => {
                let copies = matches!(wish, Wish::Backup { .. });
                let outcome = turn(|| {
                    execute(
                        &shared.executor(&|| shared.status(), &|account| shared.forget(account)),
                        wish,
                    )
                });
                if copies && matches!(outcome, Outcome::Done(_)) {
                    backup::remember(shared, SystemTime::now());
                }
                outcome
            }
            Err(error) => Outcome::Failed(format!(
                "The server does not understand this command ({error})."
            )),
        };
        let mut answer = serde_json::to_string(&outcome)?;
        answer.push('\n');
        out.write_all(answer.as_bytes())?;
        line.clear();
    }
    Ok(())
}
