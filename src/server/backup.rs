//! Copies of all data: on command, on time, and back again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use store::Store;

use super::shared::Shared;
use crate::data_folder::DataFolder;

/// The key stands beside a backup under this ending when it was asked for.
const SECRET: &str = "secret.key";

/// Copies the database while it is in use; with the key that opens its digest values only when that is asked for.
pub fn write(
    store: &Store,
    folder: &DataFolder,
    file: &Path,
    with_secret: bool,
) -> Result<(), String> {
    store.barrier();
    store
        .backup(file)
        .map_err(|error| format!("The backup was not written: {error}."))?;
    if with_secret {
        let key = folder.secret_key().map_err(|error| error.to_string())?;
        let beside = beside(file);
        fs::write(&beside, key)
            .and_then(|()| fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)))
            .map_err(|error| {
                format!("The key was not written to {}: {error}.", beside.display())
            })?;
    }
    Ok(())
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(SECRET);
    PathBuf::from(name)
}

/// Puts a backup in place of the data. Refuses to overwrite unless told to; nothing is changed when the backup is no good.
pub fn restore(folder: &DataFolder, file: &Path, force: bool) -> Result<(), String> {
    let database = folder.database();
    if database.exists() && !force {
        return Err(format!(
            "There is data in {} already; add --force to overwrite it, or name another folder with --data.",
            folder.path().display()
        ));
    }
    store::verify(file)
        .map_err(|error| format!("{} cannot be restored: {error}.", file.display()))?;
    let octets =
        fs::read(file).map_err(|error| format!("{} cannot be read ({error}).", file.display()))?;
    let fault =
        |error: &dyn std::fmt::Display| format!("The data could not be put in place ({error}).");
    let name = database
        .file_name()
        .and_then(|n| n.to_str())
        .unwrap_or("adsum.db")
        .to_owned();
    for ending in ["-wal", "-shm"] {
        let log = folder.file(&format!("{name}{ending}"));
        if log.exists() {
            fs::remove_file(&log).map_err(|error| fault(&error))?;
        }
    }
    folder
        .write(&name, &octets, 0o600)
        .map_err(|error| fault(&error))?;
    let key = beside(file);
    if key.exists() {
        let key = fs::read(&key).map_err(|error| fault(&error))?;
        folder
            .write(SECRET, &key, 0o600)
            .map_err(|error| fault(&error))?;
    }
    Ok(())
}

/// Makes backups on time and keeps the newest ones.
pub(crate) async fn keep_making(shared: Arc<Shared>) {
    let Some(every) = shared.config.backup.every else {
        return;
    };
    let keep = shared.config.backup.keep.max(1);
    loop {
        let wait = due(&shared, every);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.stopped() => return,
        }
        let worker = Arc::clone(&shared);
        let made = tokio::task::spawn_blocking(move || one(&worker, keep)).await;
        match made {
            Ok(Ok(file)) => tracing::info!(file = %file.display(), "a backup was made"),
            Ok(Err(sentence)) => tracing::error!("{sentence}"),
            Err(error) => tracing::error!(%error, "the backup failed"),
        }
    }
}

/// Until the next backup is due: after a restart it is not put off again.
fn due(shared: &Shared, every: Duration) -> Duration {
    let newest = names(&shared.folder.backups())
        .last()
        .and_then(|f| fs::metadata(f).ok()?.modified().ok());
    let Some(newest) = newest else {
        return every.min(Duration::from_secs(3600));
    };
    every.saturating_sub(newest.elapsed().unwrap_or_default())
}

fn one(shared: &Shared, keep: usize) -> Result<PathBuf, String> {
    let folder = shared
        .folder
        .make_folder("backups")
        .map_err(|error| error.to_string())?;
    let utc = shared.now().utc;
    let stamp: String = utc
        .to_rfc3339()
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | '.'))
        .collect();
    let file = folder.join(format!("adsum-{stamp}.db"));
    write(shared.model.store(), &shared.folder, &file, false)?;
    shared.gauges.last_backup.store(
        usize::try_from(utc.0 / 1000).unwrap_or_default(),
        Ordering::Relaxed,
    );
    let names = names(&folder);
    let old = names.len().saturating_sub(keep);
    for name in &names[..old] {
        let _ = fs::remove_file(name);
    }
    Ok(file)
}

/// The backups that were made on time, the oldest first.
fn names(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<PathBuf> = entries
        .flatten()
        .map(|e| e.path())
        .filter(|p| {
            p.file_name().and_then(|n| n.to_str()).is_some_and(|n| {
                n.starts_with("adsum-") && Path::new(n).extension() == Some("db".as_ref())
            })
        })
        .collect();
    names.sort();
    names
}
