//! Connections that read, each in its own consistent snapshot.

use parking_lot::Mutex;
use rusqlite::Connection;

use crate::StoreError;
use crate::place::Place;
use crate::tables::execute;

/// So many stay open when nobody reads.
const IDLE: usize = 8;

/// The pool. Nobody waits for a connection: when none is idle, one more is made.
pub(crate) struct Pool {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

impl Pool {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            idle: Mutex::default(),
        }
    }

    /// Reads in one transaction: all statements in `read` see the same moment.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = self.idle.lock().pop();
        let db = match idle {
            Some(db) => db,
            None => self.place.reader()?,
        };
        execute(&db, "BEGIN", [])?;
        let result = read(&db);
        // A connection that cannot end its transaction is not used again.
        if execute(&db, "COMMIT", []).is_ok() {
            let mut idle = self.idle.lock();
            if idle.len() < IDLE {
                idle.push(db);
            }
        }
        result
    }

    /// Closes those that are idle, so that the last one to close is the writer.
    pub(crate) fn close(&self) {
        self.idle.lock().clear();
    }
}
