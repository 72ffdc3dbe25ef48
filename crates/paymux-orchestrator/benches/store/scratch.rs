//! The disk that is measured.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::block::now;

/// A directory on it, gone in the end.
pub(crate) struct Scratch {
    directory: PathBuf,
    next: std::cell::Cell<u32>,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let name = format!("bench-store-{}", std::process::id());
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&directory).unwrap();
        Self { directory, next: std::cell::Cell::new(0) }
    }

    /// A name that was not used yet: every block begins with an empty file.
    pub(crate) fn file(&self) -> PathBuf {
        self.next.set(self.next.get() + 1);
        self.directory.join(format!("{}.db", self.next.get()))
    }

    /// How long the disk takes for one flush: the median of many appends of a page.
    pub(crate) fn flush(&self) -> Duration {
        let mut file = fs::File::create(self.file()).unwrap();
        let mut all: Vec<Duration> = (0..300)
            .map(|_| {
                let start = now();
                file.write_all(&[7; 4096]).unwrap();
                file.sync_data().unwrap();
                now() - start
            })
            .collect();
        all.sort();
        all[all.len() / 2]
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.directory);
    }
}
