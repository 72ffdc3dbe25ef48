//! The data of the suite is whole: nothing lies about unused.

use std::path::Path;

use paymux_conformance::data_files;

#[test]
fn every_body_is_used() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let files = data_files(&cases).expect("files");
    for file in &files {
        assert!(file.used, "{} is used by nothing", file.name);
    }
    assert!(files.len() > 80, "only {} files were found", files.len());
}
