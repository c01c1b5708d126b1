//! What can go wrong with the store, each told in a sentence that an administrator can act on.

use std::sync::Arc;

use presence::Bare;
use rusqlite::ErrorCode;

/// Why the store could not do something. Cheap to clone: one failed commit is told to everybody who waited for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The schema is of a later version of this program. Nothing was changed.
    #[error(
        "the database was made by a newer version of adsum (schema {found}, this one knows {known}): \
         start that version, or restore a backup made before the upgrade"
    )]
    Newer {
        /// `user_version` of the file.
        found: u32,
        /// The last migration known here.
        known: u32,
    },
    /// The file is something else. Nothing was changed.
    #[error("{0} is not a database of adsum: name another data folder, or move the file away")]
    Foreign(Arc<str>),
    /// An operation names an account that does not exist. Its unit was undone.
    #[error("there is no account {0}")]
    AccountUnknown(Bare),
    /// The account to be made is there already. The unit was undone.
    #[error("the account {0} exists already")]
    Conflict(Bare),
    /// An account would keep more than it may. The unit was undone.
    #[error("the account {0} keeps as much as it may")]
    Full(Bare),
    /// Another program held the database for longer than is waited for it. Nothing was changed; it can be tried again.
    #[error("another program holds the database: end what it does there, then try again")]
    Busy,
    /// The disk is full, failed, or may not be written. All units of the same commit were undone.
    #[error("the database cannot be read or written: {0}")]
    Io(Arc<str>),
    /// Something stored cannot be understood.
    #[error("the database is damaged ({0}): restore the last backup")]
    Corrupt(Arc<str>),
    /// SQLite refused in a way that has no name here: a fault of ours.
    #[error("the database refused: {0}")]
    Sql(Arc<str>),
}

impl StoreError {
    /// The whole transaction is lost, not only the unit that met this.
    pub(crate) fn is_io(&self) -> bool {
        matches!(self, Self::Io(_) | Self::Busy)
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let text: Arc<str> = error.to_string().into();
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::OutOfMemory,
            ) => Self::Io(text),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(text),
            _ => Self::Sql(text),
        }
    }
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.to_string().into())
    }
}
