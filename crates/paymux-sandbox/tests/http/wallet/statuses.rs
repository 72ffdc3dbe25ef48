//! Every status that the contract has a sample of, reached by what leads there.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use paymux_sandbox::wallet::{WalletSettings, Words};
use serde_json::{Value, json};

use super::support::{PAYER, allow, create, create_confirmed, fixture, ok};
use crate::support::start;

/// Everything that a sample shows is there, and the statuses are the same.
#[track_caller]
fn assert_like(shown: &Value, sample: &Value, name: &str) {
    for (member, value) in sample.as_object().unwrap() {
        match (member.as_str(), value) {
            ("status", _) => assert_eq!(&shown[member], value, "{name}"),
            (_, Value::Object(_)) => assert_like(&shown[member], value, name),
            ("payments", Value::Array(rows)) => assert_like(&shown[member][0], &rows[0], name),
            _ => assert!(shown.get(member).is_some(), "{name}: {member} is missing in {shown}"),
        }
    }
}

async fn shown(sandbox: &Sandbox, key: &str) -> Value {
    ok(sandbox, "GET", &format!("/transaction/{key}"), Value::Null).await
}

/// Leads a new transaction to a status with the Rust handle and the API.
async fn lead(sandbox: &Sandbox, status: &str) -> String {
    let wallet = sandbox.wallet();
    let payment = match status {
        "waiting_registration" => json!({"price": 2999, "email": "new@example.com"}),
        "waiting_password" => json!({"price": 2999, "password": "secret"}),
        _ => json!({"price": 2999}),
    };
    let (key, _) = create(sandbox, payment).await;
    match status {
        "new" => {}
        "waiting_funds" => wallet.accept_without_funds(&key, 14472).unwrap(),
        "rejected" => wallet.reject(&key).unwrap(),
        "deleted" => wallet.lapse(&key).unwrap(),
        _ => wallet.accept(&key, PAYER).unwrap(),
    }
    match status {
        "confirmed" => {
            ok(sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
        }
        "revoked" => {
            ok(sandbox, "DELETE", &format!("/transaction/{key}"), Value::Null).await;
        }
        "failed" => wallet.fail(&key).unwrap(),
        _ => {}
    }
    key
}

#[tokio::test]
async fn transactions_reach_every_status() {
    let sandbox = start().await;
    for (status, words) in [
        ("new", Words::Specification),
        ("waiting", Words::Guide),
        ("reserved", Words::Older),
        ("confirmed", Words::Specification),
        ("rejected", Words::Specification),
        ("revoked", Words::Older),
        ("failed", Words::Specification),
        ("deleted", Words::Specification),
        ("waiting_funds", Words::Specification),
        ("waiting_registration", Words::Specification),
        ("waiting_password", Words::Specification),
    ] {
        sandbox.wallet().set_settings(WalletSettings { words, ..WalletSettings::default() });
        let key = lead(&sandbox, status).await;
        let name = format!("get_transaction.status_{status}.response");
        assert_like(&shown(&sandbox, &key).await, &fixture(&name), &name);
    }
    // In the specification's words a payment that was accepted and taken back is canceled.
    sandbox.wallet().set_settings(WalletSettings::default());
    let key = lead(&sandbox, "revoked").await;
    let revoked = shown(&sandbox, &key).await;
    assert_eq!(revoked["payments"][0]["status"], "canceled");
    assert_eq!(revoked["payments"][0].get("confirmed_at"), None);
}

#[tokio::test]
async fn payments_reach_every_status() {
    let sandbox = start().await;
    let wallet = sandbox.wallet();
    let settings =
        |words| WalletSettings { words, settle_seconds: 60, ..WalletSettings::default() };
    wallet.set_settings(settings(Words::Specification));
    let read = async |id: i64, name: &str| {
        let path = format!("/payment/{id}");
        let name = format!("get_payment.{name}.response");
        assert_like(&ok(&sandbox, "GET", &path, Value::Null).await, &fixture(&name), &name);
    };
    let until = sandbox.now().as_second() + 86_400;
    let frozen = json!({"price": 20_000, "freeze_until": until, "beneficiary_id": 11_111});
    let (key, id) = create(&sandbox, frozen.clone()).await;
    read(id, "new").await;
    wallet.accept(&key, PAYER).unwrap();
    read(id, "waiting").await;
    ok(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    read(id, "reserved_frozen").await;
    wallet.set_settings(settings(Words::Older));
    read(id, "confirmed_frozen").await;
    let lower = fixture("finalize_payment.partial.request");
    let path = format!("/payment/{id}");
    let done = ok(&sandbox, "PUT", &format!("{path}/finalize"), lower).await;
    assert_like(&done, &fixture("finalize_payment.response"), "finalize_payment.response");
    read(id, "done_reduced").await;

    wallet.set_settings(settings(Words::Specification));
    let (_, id) = create_confirmed(&sandbox, json!({"price": 20_000})).await;
    read(id, "reserved_not_frozen").await;
    sandbox.advance(Duration::from_secs(60));
    read(id, "done").await;
    let (_, id) = create_confirmed(&sandbox, frozen).await;
    let canceled = ok(&sandbox, "DELETE", &format!("/payment/{id}"), Value::Null).await;
    assert_like(&canceled, &fixture("cancel_payment.response"), "cancel_payment.response");
    read(id, "canceled").await;
    let (key, id) = create(&sandbox, json!({"price": 1, "email": "contractor@example.com"})).await;
    read(id, "beneficiary_object").await;
    wallet.accept(&key, PAYER).unwrap();
    read(id, "waiting_registration").await;
    wallet.fail(&key).unwrap();
    read(id, "failed").await;
}

#[tokio::test]
async fn allowances_reach_every_status() {
    let sandbox = start().await;
    let request = || fixture("create_allowance.request");
    let made = ok(&sandbox, "POST", "/allowance", request()).await;
    assert_like(&made, &fixture("create_allowance.response"), "create_allowance.response");
    let unwanted = made["id"].as_i64().unwrap();
    let read = async |id: i64, name: &str| {
        let shown = ok(&sandbox, "GET", &format!("/allowance/{id}"), Value::Null).await;
        assert_like(&shown, &fixture(name), name);
        assert_eq!(shown["canceled_at"].is_i64(), name.starts_with("cancel"), "{name}");
    };
    let id = allow(&sandbox, request()).await;
    read(id, "get_allowance.active.response").await;
    sandbox.wallet().cancel_allowance(id).unwrap();
    read(id, "cancel_allowance.response").await;
    let id = allow(&sandbox, request()).await;
    read(id, "get_active_allowance.response").await;
    sandbox.advance(Duration::from_secs(30 * 24 * 3600));
    read(id, "get_allowance.inactive_expired.response").await;
    read(unwanted, "get_allowance.deleted.response").await;
}

#[tokio::test]
async fn answers_have_what_the_samples_have() {
    let sandbox = start().await;
    let (key, _) = create(&sandbox, json!({"price": 2999})).await;
    let made = shown(&sandbox, &key).await;
    for name in ["create_transaction.simple.response", "create_transaction.minimal.response"] {
        let mut sample = fixture(name);
        sample.as_object_mut().unwrap().retain(|member, _| member != "payments");
        assert_like(&made, &sample, name);
    }
    let code = fixture("reserve_transaction.code.request");
    let path = format!("/transaction/{key}");
    sandbox.wallet().set_settings(WalletSettings { words: Words::Older, ..Default::default() });
    let taken = ok(&sandbox, "PUT", &format!("{path}/reserve"), code).await;
    assert_like(&taken, &fixture("reserve_transaction.response"), "reserve");
    let revoked = ok(&sandbox, "DELETE", &path, Value::Null).await;
    assert_like(&revoked, &fixture("revoke_transaction.response"), "revoke");
    let (_, _) = create_confirmed(&sandbox, json!({"price": 2999})).await;
    let list = ok(&sandbox, "GET", "/transactions?status=confirmed&limit=50", Value::Null).await;
    let sample = fixture("search_transactions.response");
    assert_eq!(list["_metadata"], json!({"total": 1, "offset": 0, "limit": 50}));
    let mut row = sample["transactions"][0].clone();
    // With the specification's timing a payment that is not frozen is done by now.
    row["payments"][0]["status"] = "done".into();
    assert_like(&list["transactions"][0], &row, "search_transactions.response");
    let lines = ok(&sandbox, "GET", "/wallet/me/statements?limit=50", Value::Null).await;
    let sample = fixture("wallet_statements.response");
    assert_eq!(lines["_metadata"], sample["_metadata"]);
    assert_like(&lines["statements"][0], &sample["statements"][0], "wallet_statements.response");
}
