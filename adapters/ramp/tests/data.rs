//! The data of the suite is whole: nothing lies about unused, and every call goes where the contract
//! says.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use paymux_conformance::data_files;
use serde_json::Value;

const PATHS: &str = include_str!("vectors/paths.json");

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file());
    paths.map(|path| (path.clone(), fs::read_to_string(path).expect("a text"))).collect()
}

#[test]
fn every_body_and_call_is_used() {
    let files = data_files(&cases()).expect("files");
    for file in &files {
        assert!(file.used, "{} is used by nothing", file.name);
    }
    assert!(files.len() > 50, "only {} files were found", files.len());
}

/// The method and path of every request that the default account sends.
fn requests() -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (_, text) in texts(&cases()) {
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let cases = file["cases"].as_array().cloned().unwrap_or_default();
        for case in cases.iter().filter(|case| case["account"].is_null()) {
            for exchange in case["exchanges"].as_array().into_iter().flatten() {
                let text = |key: &str| exchange["request"][key].as_str().unwrap_or_default();
                found.insert((text("method").to_owned(), text("path").to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_call_goes_where_the_contract_says() {
    let contract: Value = serde_json::from_str(PATHS).expect("JSON");
    let prefix = contract["path_prefix"].as_str().expect("a prefix");
    let requests = requests();
    let asks = |operation: &str| {
        let operation = &contract["operations"][operation];
        let path = operation["path"].as_str().expect("a path");
        let path = path.replace("{invoiceId}", "9f2e7b64-3c1a-4d58-b0e6-1a2b3c4d5e6f");
        let method = operation["method"].as_str().expect("a method").to_owned();
        requests.contains(&(method, format!("{prefix}{path}")))
    };
    for operation in ["create_or_retrieve", "update", "confirm", "get_invoice", "apply_discount"] {
        assert!(asks(operation), "no case shows {operation}");
    }
    // Results come to the merchant, and are posted nowhere; pages of invoices are not documented.
    for operation in [
        "webhook_platform",
        "webhook_external",
        "redirect_success",
        "redirect_failure",
        "list_invoices",
    ] {
        assert!(!asks(operation), "{operation} is called");
    }
}
