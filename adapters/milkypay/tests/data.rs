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
fn every_body_request_and_call_is_used() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut users: String = texts(&cases).into_iter().map(|(_, text)| text).collect();
    users.extend(texts(&cases.join("requests")).into_iter().map(|(_, text)| text));
    let mut checked = 0;
    for folder in ["bodies", "requests", "calls"] {
        for (path, _) in texts(&cases.join(folder)) {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let used = users.contains(&format!("\"{folder}/{name}\""));
            assert!(used, "{folder}/{name} is used by nothing");
            checked += 1;
        }
    }
    assert!(checked > 45, "only {checked} files were found");
}
