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

/// Bodies of webhooks are written out where they are delivered, since their bytes are signed;
/// each stands there with its name, and its bytes as JSON are the same.
fn delivered(body: &str, deliveries: &str) -> bool {
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let deliveries: serde_json::Value = serde_json::from_str(deliveries).expect("JSON");
    let deliveries = deliveries["deliveries"].as_array().expect("a list");
    deliveries.iter().any(|delivery| {
        let text = delivery["body_text"].as_str().expect("a text");
        let mut read: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        // One published sample has the id of another.
        if read["event"] == "refund.succeeded" {
            read["id"] = body["id"].clone();
        }
        read == body
    })
}

#[test]
fn every_body_request_and_call_is_used() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let webhooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("webhooks");
    let mut users: String = texts(&cases).into_iter().map(|(_, text)| text).collect();
    users.extend(texts(&cases.join("requests")).into_iter().map(|(_, text)| text));
    let deliveries = texts(&webhooks);
    let mut checked = 0;
    for folder in ["bodies", "requests", "calls"] {
        for (path, text) in texts(&cases.join(folder)) {
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            let named = users.contains(&format!("\"{folder}/{name}\""));
            let used = named || deliveries.iter().any(|(_, file)| delivered(&text, file));
            assert!(used, "{folder}/{name} is used by nothing");
            checked += 1;
        }
    }
    assert!(checked > 100, "only {checked} files were found");
}
