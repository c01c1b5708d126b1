//! From an empty or earlier database to the present schema, one numbered step at a time.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::StoreError;
use crate::place::APPLICATION_ID;

/// The steps. Step N leads from schema N − 1 to N; what was released is never changed.
const STEPS: [&str; 11] = [
    include_str!("../../schemas/sql/0001_initial.sql"),
    include_str!("../../schemas/sql/0002_person.sql"),
    include_str!("../../schemas/sql/0003_blocking.sql"),
    include_str!("../../schemas/sql/0004_motd.sql"),
    include_str!("../../schemas/sql/0005_login_tokens.sql"),
    include_str!("../../schemas/sql/0006_groups.sql"),
    include_str!("../../schemas/sql/0007_archive.sql"),
    include_str!("../../schemas/sql/0008_nodes.sql"),
    include_str!("../../schemas/sql/0009_photos.sql"),
    include_str!("../../schemas/sql/0010_lifetimes.sql"),
    include_str!("../../schemas/sql/0011_archive_readers.sql"),
];

/// The schema that this version knows.
pub(crate) const KNOWN: u32 = STEPS.len() as u32;

/// Looks at the head of a file without SQLite, which might touch it: is it ours, and not too new? An empty file is fine.
pub(crate) fn check_file(path: &Path) -> Result<(), StoreError> {
    let mut head = Vec::with_capacity(100);
    let told =
        |error: std::io::Error| StoreError::Io(format!("{}: {error}", path.display()).into());
    File::open(path)
        .and_then(|f| f.take(100).read_to_end(&mut head))
        .map_err(told)?;
    if head.is_empty() {
        return Ok(());
    }
    let foreign = || StoreError::Foreign(path.display().to_string().into());
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(foreign());
    }
    // SQLite file format §1.3: user version at 60, application id at 68, big-endian.
    let number = |at: usize| {
        head.get(at..at + 4)
            .and_then(|o| o.try_into().ok())
            .map(u32::from_be_bytes)
            .ok_or_else(foreign)
    };
    let (version, application) = (number(60)?, number(68)?);
    // Both are zero while everything is still in the log.
    if application != APPLICATION_ID && (application, version) != (0, 0) {
        return Err(foreign());
    }
    refuse_newer(version)
}

fn refuse_newer(found: u32) -> Result<(), StoreError> {
    if found > KNOWN {
        Err(StoreError::Newer {
            found,
            known: KNOWN,
        })
    } else {
        Ok(())
    }
}

/// Brings an open database to [`KNOWN`]; the version it had, when that was an earlier one. Each step is done whole or not
/// at all.
pub(crate) fn migrate(db: &mut Connection, name: &str) -> Result<Option<u32>, StoreError> {
    let found = version(db)?;
    if let Err(error) = refuse_newer(found) {
        // Closing would otherwise copy the log of the newer version back.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        return Err(error);
    }
    let application: u32 = db.pragma_query_value(None, "application_id", |r| r.get(0))?;
    let tables: u32 = db.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |r| r.get(0))?;
    if application != APPLICATION_ID && (found, application, tables) != (0, 0, 0) {
        return Err(StoreError::Foreign(name.into()));
    }
    // In memory there is no log. A file system that cannot share memory would silently get a mode where readers block.
    let mode: String = db.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    if mode != "wal" && mode != "memory" {
        return Err(StoreError::Io(
            format!("{name} lies on a file system without write-ahead log, choose a local disk")
                .into(),
        ));
    }
    for (step, sql) in (1..).zip(STEPS).skip(found as usize) {
        let transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive)?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", step)?;
        transaction.commit()?;
    }
    match found {
        0 => tracing::info!(schema = KNOWN, "the database was made"),
        KNOWN => {}
        from => tracing::info!(
            from,
            schema = KNOWN,
            "the database was brought to a new schema"
        ),
    }
    Ok((found != 0 && found < KNOWN).then_some(found))
}

/// `user_version` of an open database.
pub(crate) fn version(db: &Connection) -> Result<u32, StoreError> {
    Ok(db.pragma_query_value(None, "user_version", |r| r.get(0))?)
}
