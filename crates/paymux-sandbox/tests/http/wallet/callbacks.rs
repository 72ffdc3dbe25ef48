//! What the merchant is told, and how it is signed.

use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use paymux_sandbox::wallet::{CallbackForm, WalletSettings};
use paymux_sandbox::{Fault, FaultKind, Sandbox};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::support::{PAYER, Signer, assert_error, call, create, ok, status};
use crate::support::{Message, Receiver, config, control, get};

async fn start(statuses: &[u16]) -> (Sandbox, Receiver) {
    let receiver = Receiver::start(statuses).await;
    let config = config().wallet_callback_url(receiver.url.clone());
    let sandbox = Sandbox::start(config.webhook_retry(Duration::from_millis(1))).await.unwrap();
    (sandbox, receiver)
}

/// The event of a delivery, and whether the served key says it is genuine.
async fn read(sandbox: &Sandbox, delivery: &Message) -> (Value, bool) {
    assert_eq!(delivery.header("content-type"), Some("application/x-www-form-urlencoded"));
    let form: Vec<(String, String)> =
        form_urlencoded::parse(delivery.body.as_bytes()).into_owned().collect();
    let [(event_name, event), (sign_name, sign)] = form.as_slice() else { panic!("{form:?}") };
    assert_eq!((event_name.as_str(), sign_name.as_str()), ("event", "sign"));
    let pem = get(&sandbox.wallet().public_key_url()).await;
    assert_eq!((pem.status(), pem.body.as_str()), (200, sandbox.wallet().public_key()));
    let base64: String = pem.body.lines().filter(|line| !line.starts_with("--")).collect();
    let der = STANDARD.decode(base64).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, der);
    let genuine = key.verify(event.as_bytes(), &STANDARD.decode(sign).unwrap()).is_ok();
    (serde_json::from_str(event).unwrap(), genuine)
}

async fn types(sandbox: &Sandbox, receiver: &mut Receiver) -> Vec<String> {
    sandbox.wallet().callbacks_settled().await;
    let mut types = Vec::new();
    for delivery in receiver.arrived() {
        let (event, genuine) = read(sandbox, &delivery).await;
        assert!(genuine);
        types.push(event["type"].as_str().unwrap().to_owned());
    }
    types
}

#[tokio::test]
async fn a_payers_acceptance_is_told_and_signed() {
    let (sandbox, mut receiver) = start(&[]).await;
    let parameters = json!({"order_id": "a/b", "count": 3});
    let (key, id) =
        create(&sandbox, json!({"price": 2999, "currency": "EUR", "parameters": parameters})).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    let (event, genuine) = read(&sandbox, &receiver.next().await).await;
    assert!(genuine);
    assert_eq!((&event["type"], &event["object"]), (&json!("reserved"), &json!("transaction")));
    assert_eq!(event["data"]["transaction_key"], key.as_str());
    assert_eq!(event["data"]["wallet"], PAYER);
    assert_eq!(event["data"]["payments"][0]["id"], id);
    assert_eq!(event["data"]["payments"][0]["parameters"], parameters);
}

#[tokio::test]
async fn only_what_others_did_is_told() {
    let (sandbox, mut receiver) = start(&[]).await;
    let wallet = sandbox.wallet();
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    wallet.accept(&key, PAYER).unwrap();
    ok(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    let pin = json!({"wallet_id": PAYER, "pin_code": "1234"});
    ok(&sandbox, "PUT", &format!("/transaction/{key}/reserve"), pin).await;
    ok(&sandbox, "DELETE", &format!("/transaction/{key}"), Value::Null).await;
    assert_eq!(types(&sandbox, &mut receiver).await, ["reserved"]);

    let auto = json!({"payments": [{"description": "x", "price": 1}], "auto_confirm": true});
    let auto = ok(&sandbox, "POST", "/transaction", auto).await;
    wallet.accept(auto["transaction_key"].as_str().unwrap(), PAYER).unwrap();
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    wallet.accept_without_funds(&key, 14472).unwrap();
    wallet.reject(&key).unwrap();
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    wallet.fail(&key).unwrap();
    let expected = ["confirmed", "waiting_funds", "rejected", "failed"];
    assert_eq!(types(&sandbox, &mut receiver).await, expected);
}

#[tokio::test]
async fn a_transaction_chooses_where_its_callbacks_go() {
    let (sandbox, mut receiver) = start(&[]).await;
    let mut own = Receiver::start(&[]).await;
    let payments = json!([{"description": "x", "price": 1}]);
    for callback_uri in [json!(false), json!(own.url)] {
        let body = json!({"payments": payments, "callback_uri": callback_uri});
        let made = ok(&sandbox, "POST", "/transaction", body).await;
        assert_eq!(made["callback_uri"], callback_uri);
        sandbox.wallet().accept(made["transaction_key"].as_str().unwrap(), PAYER).unwrap();
    }
    assert_eq!(types(&sandbox, &mut own).await, ["reserved"]);
    assert!(receiver.arrived().is_empty());
}

#[tokio::test]
async fn the_plain_form_is_the_transaction_itself() {
    let (sandbox, mut receiver) = start(&[]).await;
    let callback_form = CallbackForm::Plain;
    sandbox.wallet().set_settings(WalletSettings { callback_form, ..WalletSettings::default() });
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    let delivery = receiver.next().await;
    assert_eq!(delivery.header("content-type"), Some("application/json"));
    assert_eq!(delivery.header("user-agent"), Some("Paysera-Callback/1.0"));
    let read = ok(&sandbox, "GET", &format!("/transaction/{key}"), Value::Null).await;
    assert_eq!(delivery.json(), read);
}

#[tokio::test]
async fn a_refused_callback_comes_again_and_faults_strike() {
    let (sandbox, mut receiver) = start(&[500, 400]).await;
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    let first = receiver.next().await.body;
    assert_eq!([receiver.next().await.body, receiver.next().await.body], [first.clone(), first]);

    sandbox.inject(Fault::new(FaultKind::BadSignature));
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    let (_, genuine) = read(&sandbox, &receiver.next().await).await;
    assert!(!genuine);

    sandbox
        .inject(Fault::new(FaultKind::UnknownStatus { status: "odd".to_owned() }).on("callback.*"));
    sandbox.inject(Fault::new(FaultKind::DuplicateWebhook));
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    for _ in 0..2 {
        let (event, genuine) = read(&sandbox, &receiver.next().await).await;
        assert!(genuine);
        assert_eq!((&event["type"], &event["data"]["status"]), (&json!("odd"), &json!("odd")));
    }
}

#[tokio::test]
async fn faults_of_answers_are_the_wallets_own() {
    let (sandbox, _receiver) = start(&[]).await;
    let fail = |status: u16| FaultKind::ErrorAfterCommit { status };
    sandbox.inject(Fault::new(fail(500)).on("wallet.CreateTransaction"));
    sandbox.inject(Fault::new(fail(502)).on("CreateTransaction"));
    let body = || json!({"payments": [{"description": "x", "price": 1}]});
    let answer = call(&sandbox, "POST", "/transaction", body()).await;
    assert_eq!(answer.json(), super::support::fixture("error.internal_server_error"));
    let answer = call(&sandbox, "POST", "/transaction", body()).await;
    let sample = super::support::fixture("error.bad_gateway_html");
    assert_eq!(answer.body, sample["body"].as_str().unwrap());
    assert_eq!(sandbox.wallet().snapshot()["transactions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_lost_answer_has_moved_the_money_once() {
    let (sandbox, _receiver) = start(&[]).await;
    let fault = |operation: &str| json!({"kind": "drop_reply", "operation": operation});
    let known = control(&sandbox, "POST", "/faults", fault("wallet.ConfirmTransaction")).await;
    assert_eq!(known.status(), 200);
    let unknown = control(&sandbox, "POST", "/faults", fault("wallet.Nothing")).await;
    assert_eq!(unknown.status(), 400);
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    sandbox.wallet().accept(&key, PAYER).unwrap();
    let path = format!("/rest/v1/transaction/{key}/confirm");
    let signer = Signer::of(&sandbox).await;
    assert!(signer.try_send(&sandbox, "PUT", &path, "").await.is_none());
    assert_eq!(status(&sandbox, &key).await, ["confirmed", "done"]);
    let again = call(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    assert_error(&again, 409, "invalid_state");
    assert_eq!(sandbox.wallet().balance(PAYER, "EUR"), (999_900, 0));
}
