//! Where a database is, and how connections to it are made.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};

use crate::StoreError;
use crate::tables::STATEMENTS;

/// "ADSM": marks a file as ours (`PRAGMA application_id`).
pub(crate) const APPLICATION_ID: u32 = 0x4144_534d;

/// Where the pages are.
#[derive(Clone)]
pub(crate) enum Place {
    /// In a file.
    File(PathBuf),
    /// In memory that the connections of this process share by name.
    Memory(String),
}

impl Place {
    /// New memory of its own.
    pub(crate) fn memory() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        // This VFS locks the whole database like a file does; SQLite's shared cache locks tables and gives up at once.
        Self::Memory(format!(
            "file:/adsum-{}?vfs=memdb",
            NEXT.fetch_add(1, Ordering::Relaxed)
        ))
    }

    /// The connection that writes. Changes nothing in the database.
    pub(crate) fn writer(&self) -> Result<Connection, StoreError> {
        let write = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = match self {
            Self::File(path) => Connection::open_with_flags(path, write)?,
            Self::Memory(name) => Connection::open_with_flags(
                name,
                write | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI,
            )?,
        };
        prepare(&db)?;
        Ok(db)
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection, StoreError> {
        let db = self.writer()?;
        db.pragma_update(None, "query_only", true)?;
        Ok(db)
    }
}

fn prepare(db: &Connection) -> Result<(), StoreError> {
    db.busy_timeout(std::time::Duration::from_secs(10))?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.pragma_update(None, "foreign_keys", true)?;
    // An acknowledged change survives a power cut.
    db.pragma_update(None, "synchronous", "FULL")?;
    Ok(())
}

/// Makes an empty file for its owner alone, durably, unless there is a file; true when it was made.
pub(crate) fn create_private(path: &Path) -> Result<bool, StoreError> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => {
            sync_folder(path)?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(StoreError::Io(
            format!("{}: {error}", path.display()).into(),
        )),
    }
}

/// Makes the names in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), StoreError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    Ok(File::open(folder)?.sync_all()?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn every_connection_is_as_sure_as_promised() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("adsum.db");
        let _store = crate::Store::open(&path, crate::Options::default()).unwrap();
        let place = Place::File(path);
        for db in [place.writer().unwrap(), place.reader().unwrap()] {
            let ask = |name| {
                let value: rusqlite::types::Value =
                    db.pragma_query_value(None, name, |r| r.get(0)).unwrap();
                value
            };
            assert_eq!(ask("journal_mode"), "wal".to_owned().into());
            assert_eq!(ask("synchronous"), 2.into());
            assert_eq!(ask("foreign_keys"), 1.into());
        }
        assert!(
            place
                .reader()
                .unwrap()
                .execute("DELETE FROM accounts", [])
                .is_err()
        );
    }
}
