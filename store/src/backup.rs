//! Copies of a database in use, and whether a copy is good.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::StoreError;
use crate::migrate::{check_file, version};
use crate::place::{Place, create_private, sync_folder};

/// Writes a consistent copy to `path`, replacing what is there only when the copy is whole and on the disk.
pub(crate) fn backup(place: &Place, path: &Path) -> Result<(), StoreError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    // What an interrupted backup left.
    match fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    create_private(&part)?;
    let copied = copy(place, &part).and_then(|()| Ok(fs::rename(&part, path)?));
    if copied.is_err() && fs::remove_file(&part).is_err() {
        tracing::warn!(file = %part.display(), "an unfinished backup could not be removed");
    }
    copied.and_then(|()| sync_folder(path))
}

fn copy(place: &Place, part: &Path) -> Result<(), StoreError> {
    let db = place.writer()?;
    let target = part
        .to_str()
        .ok_or_else(|| StoreError::Io("the name of the backup is not UTF-8".into()))?;
    // It reads one snapshot and leaves out freed pages: what was deleted is not in the copy.
    db.execute("VACUUM INTO ?1", [target])?;
    File::open(part)?.sync_all()?;
    Ok(())
}

/// Reads a database that nobody uses through to the end: it is ours, not too new, undamaged, and every row refers to
/// something that is there. Gives its schema version. The file is not touched.
pub fn verify(path: &Path) -> Result<u32, StoreError> {
    check_file(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(uri(path)?, flags)?;
    let found = version(&db)?;
    if found == 0 {
        return Err(StoreError::Foreign(path.display().to_string().into()));
    }
    let said: String = db.query_row("PRAGMA integrity_check(1)", [], |r| r.get(0))?;
    if said != "ok" {
        return Err(StoreError::Corrupt(said.into()));
    }
    if db.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(StoreError::Corrupt(
            "rows refer to accounts that are not there".into(),
        ));
    }
    Ok(found)
}

/// The file as a URI with `immutable`, so that no log or lock is made beside it.
fn uri(path: &Path) -> Result<PathBuf, StoreError> {
    let absolute = std::path::absolute(path)?;
    let text = absolute
        .to_str()
        .ok_or_else(|| StoreError::Io("the file name is not UTF-8".into()))?;
    let escaped = text
        .replace('%', "%25")
        .replace('?', "%3f")
        .replace('#', "%23");
    Ok(format!("file:{escaped}?immutable=1").into())
}
