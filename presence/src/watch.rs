//! Somebody to be told now (a watch), which is not a right to be told (a grant).

use bytes::Bytes;

use crate::address::Bare;
use crate::time::Utc;

/// Names a stored watch; never used again for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct WatchId(pub u64);

/// A watch that outlives its connection and the process: a SIP subscription with its dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchRecord {
    /// Its name.
    pub id: WatchId,
    /// Who watches.
    pub watcher: Bare,
    /// Who is watched.
    pub presentity: Bare,
    /// Event package.
    pub package: String,
    /// When it ends unless refreshed.
    pub expires: Utc,
    /// The dialog, in the form of the face that holds it.
    pub dialog: Bytes,
}
