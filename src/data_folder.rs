//! The data folder: made with mode 0700, used by one server at a time, its files written whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::TryRngCore as _;

const LOCK: &str = "serve.lock";
/// File of the database.
pub const DATABASE: &str = "adsum.db";
/// File of the key that seals SIP passwords.
pub const SECRET: &str = "secret.key";
/// File that says where the running server listens, written when it is ready.
pub const LISTENING: &str = "listening.json";

/// Mode of files that hold secrets.
pub const PRIVATE: u32 = 0o600;
/// Mode of files that anybody may read who gets into the folder.
pub const PUBLIC: u32 = 0o644;

/// What can be wrong with the data folder.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// A folder or file cannot be made, read or written.
    #[error(
        "{path} cannot be {action} ({error}); choose another folder with --data, or give this user the right to it"
    )]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// What was tried, as a participle.
        action: &'static str,
        /// What the system answered.
        error: io::Error,
    },
    /// The path is taken by something else.
    #[error("{0} is not a folder; choose another with --data")]
    NotAFolder(PathBuf),
    /// The folder holds other people's files.
    #[error(
        "{0} holds other files and is open to other users; choose an empty or new folder with --data"
    )]
    Foreign(PathBuf),
    /// Another server runs on it.
    #[error("another server{} uses the data folder {path}; stop it first, or choose another folder with --data", holder(*.process))]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Its process number, where known.
        process: Option<u32>,
    },
    /// The key file has another length than a key.
    #[error(
        "{0} is not a key of 32 bytes; put back the file of your backup, or remove it and set the passwords of SIP accounts again"
    )]
    Secret(PathBuf),
}

fn holder(number: Option<u32>) -> String {
    number.map_or_else(String::new, |number| format!(" (process {number})"))
}

/// A data folder that exists and belongs to this user alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder(PathBuf);

/// The right to serve a data folder; ends when dropped, also when the process dies.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl DataFolder {
    /// Opens a data folder; makes it, mode 0700, where there is none.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        let io = |action, error| failed(path, action, error);
        if !path.exists() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|e| io("made", e))?;
        }
        let facts = std::fs::metadata(path).map_err(|e| io("read", e))?;
        if !facts.is_dir() {
            return Err(DataFolderError::NotAFolder(path.to_owned()));
        }
        let folder = Self(path.to_owned());
        if facts.permissions().mode() & 0o077 != 0 {
            // Somebody else's folder, named by mistake, must not be closed to its users.
            let empty = std::fs::read_dir(path)
                .map_err(|e| io("read", e))?
                .next()
                .is_none();
            if !empty && !folder.file(LOCK).exists() && !folder.database().exists() {
                return Err(DataFolderError::Foreign(path.to_owned()));
            }
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
                .map_err(|e| io("closed to other users", e))?;
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The SQLite database.
    pub fn database(&self) -> PathBuf {
        self.file(DATABASE)
    }

    /// The socket of the running server for the commands of this user.
    pub fn admin_socket(&self) -> PathBuf {
        self.file("admin.sock")
    }

    /// The folder of backups.
    pub fn backups(&self) -> PathBuf {
        self.file("backups")
    }

    /// The file that says where the running server listens.
    pub fn listening(&self) -> PathBuf {
        self.file(LISTENING)
    }

    /// Takes the folder for a server, or says who has it.
    pub fn lock(&self) -> Result<Lock, DataFolderError> {
        let path = self.file(LOCK);
        let io = |error| failed(&path, "locked", error);
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(PRIVATE)
            .open(&path);
        let mut file = open.map_err(io)?;
        // `in_use` of another command holds the lock for a moment.
        for _ in 0..5 {
            match file.try_lock() {
                Ok(()) => {
                    file.set_len(0)
                        .and_then(|()| write!(file, "{}", std::process::id()))
                        .map_err(io)?;
                    return Ok(Lock { _file: file });
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(error)) => return Err(io(error)),
            }
        }
        Err(DataFolderError::InUse {
            path: self.0.clone(),
            process: self.holder(),
        })
    }

    /// Whether a server runs on this folder.
    pub fn in_use(&self) -> bool {
        File::open(self.file(LOCK))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Process number of the server that runs on this folder.
    pub fn server_process(&self) -> Option<u32> {
        if self.in_use() { self.holder() } else { None }
    }

    fn holder(&self) -> Option<u32> {
        std::fs::read_to_string(self.file(LOCK))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    /// Writes a file whole or not at all, also when power fails; `mode` as for chmod.
    pub fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), DataFolderError> {
        let (path, new) = (self.file(name), self.file(&format!("{name}.new")));
        let io = |error| failed(&path, "written", error);
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(error)),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&new)
            .map_err(io)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        std::fs::rename(&new, &path).map_err(io)?;
        let parent = path.parent().unwrap_or(&self.0);
        File::open(parent)
            .and_then(|parent| parent.sync_all())
            .map_err(io)
    }

    /// Makes a folder inside, mode 0700, if it is not there.
    pub fn make_folder(&self, name: &str) -> Result<PathBuf, DataFolderError> {
        let path = self.file(name);
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| failed(&path, "made", error))?;
        Ok(path)
    }

    /// The key that seals what the database holds of SIP passwords, made at first use. It is kept apart from the
    /// database, so that a copy of the database alone gives nobody access.
    pub fn secret_key(&self) -> Result<[u8; 32], DataFolderError> {
        let path = self.file(SECRET);
        let mut key = [0; 32];
        match File::open(&path) {
            Ok(file) => {
                let mut bytes = Vec::with_capacity(33);
                file.take(33)
                    .read_to_end(&mut bytes)
                    .map_err(|error| failed(&path, "read", error))?;
                key = bytes
                    .try_into()
                    .map_err(|_| DataFolderError::Secret(path))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                rand::rngs::OsRng
                    .try_fill_bytes(&mut key)
                    .map_err(|error| failed(&path, "made", io::Error::other(error)))?;
                self.write(SECRET, &key, PRIVATE)?;
            }
            Err(error) => return Err(failed(&path, "read", error)),
        }
        Ok(key)
    }
}

fn failed(path: &Path, action: &'static str, error: io::Error) -> DataFolderError {
    DataFolderError::Io {
        path: path.to_owned(),
        action,
        error,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn is_made_for_this_user_alone() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a/b");
        let folder = DataFolder::open(&path).unwrap();
        assert_eq!(mode(folder.path()), 0o700);
        folder.write("x.json", b"{}", PUBLIC).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(
            DataFolder::open(&path),
            Err(DataFolderError::Foreign(_))
        ));
        std::fs::remove_file(path.join("x.json")).unwrap();
        DataFolder::open(&path).unwrap();
        assert_eq!(mode(&path), 0o700);
    }

    #[test]
    fn a_file_is_no_folder() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(
            DataFolder::open(file.path()),
            Err(DataFolderError::NotAFolder(_))
        ));
    }

    #[test]
    fn one_server_at_a_time() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(place.path()).unwrap();
        assert!(!folder.in_use());
        let lock = folder.lock().unwrap();
        assert!(folder.in_use());
        assert_eq!(folder.server_process(), Some(std::process::id()));
        let refused = folder.lock().unwrap_err().to_string();
        assert!(
            refused.starts_with(&format!(
                "another server (process {}) uses",
                std::process::id()
            )),
            "{refused}"
        );
        drop(lock);
        assert!(!folder.in_use());
        folder.lock().unwrap();
    }

    #[test]
    fn files_are_replaced_whole() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(place.path()).unwrap();
        std::fs::write(folder.file("a.new"), b"left over from a crash").unwrap();
        folder.write("a", b"one", PRIVATE).unwrap();
        folder.write("a", b"two", PRIVATE).unwrap();
        assert_eq!(std::fs::read(folder.file("a")).unwrap(), b"two");
        assert_eq!(mode(&folder.file("a")), 0o600);
        assert!(!folder.file("a.new").exists());
    }

    #[test]
    fn the_secret_is_made_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(place.path()).unwrap();
        let key = folder.secret_key().unwrap();
        assert_eq!(folder.secret_key().unwrap(), key);
        assert_ne!(key, [0; 32]);
        assert_eq!(mode(&folder.file(SECRET)), 0o600);
        for wrong in [&b"short"[..], &[0; 33]] {
            std::fs::write(folder.file(SECRET), wrong).unwrap();
            assert!(matches!(
                folder.secret_key(),
                Err(DataFolderError::Secret(_))
            ));
        }
    }
}
