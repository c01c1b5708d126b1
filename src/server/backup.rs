//! Copies of all data: on command, on time, and back again.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use store::{Op, Options, Store, StoreError};

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
        write_secret(&beside, &key).map_err(|error| {
            format!("The key was not written to {}: {error}.", beside.display())
        })?;
    }
    Ok(())
}

/// A new file that nobody else can read, whatever stood under that name.
fn write_secret(file: &Path, key: &[u8]) -> std::io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut new = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    new.write_all(key)?;
    new.sync_all()
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
    let key = match fs::read(beside(file)) {
        Ok(key) if key.len() == 32 => Some(key),
        Ok(_) => {
            return Err(format!(
                "{} is no key; restore without it or with the right one.",
                beside(file).display()
            ));
        }
        Err(_) => None,
    };
    // All that can fail for want of room comes first; the old data is touched when the new is on disk.
    let staged = format!("{name}.restored");
    folder
        .write(&staged, &octets, 0o600)
        .map_err(|error| fault(&error))?;
    if let Some(key) = key {
        folder
            .write(SECRET, &key, 0o600)
            .map_err(|error| fault(&error))?;
    }
    for ending in ["-wal", "-shm"] {
        let log = folder.file(&format!("{name}{ending}"));
        if log.exists() {
            fs::remove_file(&log).map_err(|error| fault(&error))?;
        }
    }
    fs::rename(folder.file(&staged), &database)
        .and_then(|()| fs::File::open(folder.path())?.sync_all())
        .map_err(|error| fault(&error))?;
    renumber(&database).map_err(|error| fault(&error))
}

/// More changes than are made between a backup and its restoring.
const LEAP: u64 = 1_000_000;

/// Clients may know versions of contact lists that are newer than the backup. None of theirs may mean another list than they have
/// (RFC 6121 §2.6.3), so all begin anew above them.
fn renumber(database: &Path) -> Result<(), StoreError> {
    let (store, _) = Store::open_tool(database, Options::default())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    for summary in store.accounts()? {
        let account = summary.account;
        let Some(record) = store.load(&account)? else {
            continue;
        };
        let version = now.max(record.roster.version) + LEAP;
        // Removing what is not there sets the version and nothing else.
        store.submit_soft(vec![Op::RosterRemove {
            contact: account.clone(),
            account,
            version,
        }]);
        store.barrier();
    }
    Ok(())
}

/// Makes backups on time and keeps the newest ones.
pub(crate) async fn keep_making(shared: Arc<Shared>) {
    if let Some(newest) = newest(&shared) {
        remember(&shared, newest);
    }
    let Some(every) = shared.config.backup.every else {
        return;
    };
    let keep = shared.config.backup.keep.max(1);
    let mut wait = due(&shared, every);
    loop {
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.stopped() => return,
        }
        let worker = Arc::clone(&shared);
        let made = tokio::task::spawn_blocking(move || one(&worker, keep)).await;
        match made {
            Ok(Ok(file)) => {
                tracing::info!(file = %file.display(), "a backup was made");
                wait = due(&shared, every);
                continue;
            }
            Ok(Err(sentence)) => tracing::error!("{sentence}"),
            Err(error) => tracing::error!(%error, "the backup failed"),
        }
        wait = AFTER_FAILURE;
    }
}

/// A full disk is not made better by trying again at once.
const AFTER_FAILURE: Duration = Duration::from_secs(600);

/// Until the next backup is due: after a restart it is not put off again.
fn due(shared: &Shared, every: Duration) -> Duration {
    let Some(newest) = newest(shared) else {
        return every.min(Duration::from_secs(3600));
    };
    every.saturating_sub(newest.elapsed().unwrap_or_default())
}

/// When the newest backup was made that is there.
fn newest(shared: &Shared) -> Option<SystemTime> {
    let names = names(&shared.folder.backups());
    fs::metadata(names.last()?).ok()?.modified().ok()
}

/// A backup was made: that is what the status says from now on.
pub(crate) fn remember(shared: &Shared, at: SystemTime) {
    let seconds = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    shared.gauges.last_backup.store(
        usize::try_from(seconds).unwrap_or_default(),
        Ordering::Relaxed,
    );
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
    remember(shared, SystemTime::now());
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
