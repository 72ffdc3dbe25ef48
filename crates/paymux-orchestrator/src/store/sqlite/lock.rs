//! One process at a time: a lock of the operating system's, which ends with the process.

use std::{
    ffi::OsString,
    fs::{File, TryLockError},
    io::{self, ErrorKind},
    path::Path,
};

use super::refused;
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// Takes the lock beside the database file; it is held until the answer is dropped. The lock file
/// stays, since removing it would let two processes hold two locks of one name.
pub(super) fn take(database: &Path) -> StoreResult<File> {
    let mut name = OsString::from(database);
    name.push(".lock");
    let failed = |error: io::Error| {
        let refused = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem];
        // Trying again does not help there.
        let kind = if refused.contains(&error.kind()) {
            StoreErrorKind::Configuration
        } else {
            StoreErrorKind::Unavailable
        };
        StoreError::new(kind, "the lock file cannot be used").with_source(error)
    };
    let mut options = File::options();
    options.create(true).truncate(false).write(true);
    // Whoever can open it can take the lock.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&name).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(refused(format!(
            "another process, or another handle in this one, has {} open: one process at a time \
             may keep payments in a SQLite file",
            database.display()
        ))),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}
