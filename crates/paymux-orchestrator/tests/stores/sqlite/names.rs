//! Names of the file that are not its own.

use std::fs;

use paymux_orchestrator::store::sqlite::SqliteStore;

use super::{Directory, good, refusal};

/// What it leads to may come to have a second name, and then two locks.
pub(super) async fn link_to_nothing_is_refused(directory: Directory) {
    #[cfg(unix)]
    {
        let link = directory.0.join("link.db");
        std::os::unix::fs::symlink(directory.0.join("elsewhere.db"), &link).unwrap();
        assert!(refusal(SqliteStore::open(link)).contains("leads to a file that was not there"));
    }
    good(directory.open());
}

/// Each name has a lock of its own, and a log.
pub(super) async fn second_name_is_refused(directory: Directory) {
    drop(good(directory.open()));
    #[cfg(unix)]
    {
        let other = directory.0.join("other.db");
        fs::hard_link(directory.database(), &other).unwrap();
        for name in [directory.database(), other.clone()] {
            assert!(refusal(SqliteStore::open(name)).contains("more than one name"));
        }
        fs::remove_file(other).unwrap();
    }
    good(directory.open());
}
