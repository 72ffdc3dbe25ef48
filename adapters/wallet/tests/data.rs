//! The data of the suite is whole: nothing lies about unused.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    paths.map(|path| (path.clone(), fs::read_to_string(path).expect("a text"))).collect()
}

#[test]
fn every_body_is_used() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let users: String = texts(&cases).into_iter().map(|(_, text)| text).collect();
    let mut checked = 0;
    for (path, _) in texts(&cases.join("bodies")) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
        assert!(users.contains(&format!("\"bodies/{name}\"")), "bodies/{name} is used by nothing");
        checked += 1;
    }
    assert!(checked > 80, "only {checked} files were found");
}
