//! Every sample of the specification and the contract that a server reads or writes.

use paymux_sandbox::wallet::WalletSettings;
use serde_json::{Value, json};

use super::support::{PAYER, assert_error, call, create_confirmed, fixture, ok};
use crate::support::start;

/// The sum that the payer pays and the first payment's price, by sample.
const CREATE: [(&str, i64); 19] = [
    ("all_options", 2999),
    ("allowance_only", 0),
    ("allowance_with_payment", 999),
    ("allowance_wrapped", 0),
    ("beneficiary_email", 25_000),
    ("beneficiary_id", 5000),
    ("beneficiary_phone", 25_000),
    ("both_commissions", 10_500),
    ("callbacks_disabled", 2999),
    ("ecommerce_checkout", 7747),
    ("in_commission", 10_000),
    ("itemized", 1597),
    ("marketplace_split", 8500),
    ("order_1234", 1299),
    ("out_commission", 10_500),
    ("parameters", 4999),
    ("shopping_cart", 97_794),
    ("simple", 2999),
    ("frozen", 20_000),
];

#[tokio::test]
async fn every_request_is_understood() {
    let sandbox = start().await;
    for (name, total) in CREATE {
        let mut body = fixture(&format!("create_transaction.{name}.request"));
        for payment in body["payments"].as_array_mut().into_iter().flatten() {
            // Fragments of the specification leave required members out.
            if payment.get("description").is_none() {
                payment["description"] = "Fragment".into();
            }
        }
        let made = ok(&sandbox, "POST", "/transaction", body.clone()).await;
        let sum: i64 = made["payments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| {
                let fee = it["commission"]["out_commission"].as_i64().unwrap_or(0);
                it["price"].as_i64().unwrap() + fee
            })
            .sum();
        assert_eq!(sum, total, "{name}");
        for (sent, shown) in body["payments"]
            .as_array()
            .into_iter()
            .flatten()
            .zip(made["payments"].as_array().into_iter().flatten())
        {
            for member in ["description", "parameters", "freeze_until", "type"] {
                if let Some(value) = sent.get(member) {
                    assert_eq!(shown[member], *value, "{name}: {member}");
                }
            }
        }
    }
}

#[tokio::test]
async fn fragments_of_payments_are_understood() {
    let sandbox = start().await;
    for name in ["page", "transfer", "donation"] {
        let payment = fixture(&format!("payment_input.type_{name}"));
        let made = ok(&sandbox, "POST", "/transaction", json!({"payments": [payment]})).await;
        assert_eq!(made["payments"][0]["type"], name);
        assert_eq!(made["payments"][0]["currency"], "EUR");
    }
    let payment = json!({"description": "Item", "items": [fixture("payment_item")]});
    let made = ok(&sandbox, "POST", "/transaction", json!({"payments": [payment]})).await;
    assert_eq!(made["payments"][0]["price"], 3998);
    let item = made["payments"][0]["items"][0].as_object().unwrap();
    for (name, value) in fixture("payment_item").as_object().unwrap() {
        assert_eq!(item.get(name), Some(value));
    }
}

#[tokio::test]
async fn the_specifications_objects_are_shown() {
    let sandbox = start().await;
    let sample = fixture("payment.full");
    let payment = json!({
        "description": sample["description"],
        "price": sample["price"],
        "currency": sample["currency"],
        "beneficiary_id": sample["beneficiary"],
        "commission": sample["commission"],
        "parameters": sample["parameters"],
        "type": sample["type"],
    });
    let (key, id) = create_confirmed(&sandbox, payment).await;
    let shown = ok(&sandbox, "GET", &format!("/payment/{id}"), Value::Null).await;
    assert_eq!(id, sample["id"].as_i64().unwrap());
    for (name, value) in sample.as_object().unwrap() {
        match name.as_str() {
            "transaction_key" => assert_eq!(shown[name], key.as_str()),
            "created_at" | "confirmed_at" => assert!(shown[name].is_i64()),
            "commission" => {
                assert_eq!(shown[name]["in_commission"], value["in_commission"]);
                assert_eq!(shown[name]["out_commission"], value["out_commission"]);
            }
            _ => assert_eq!(&shown[name], value, "{name}"),
        }
    }
}

#[tokio::test]
async fn sparse_and_empty_answers_are_as_short_as_the_samples() {
    let sandbox = start().await;
    let sparse_answers = true;
    sandbox.wallet().set_settings(WalletSettings { sparse_answers, ..WalletSettings::default() });
    let (key, id) =
        create_confirmed(&sandbox, json!({"description": "Order payment", "price": 2999})).await;
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let payment = ok(&sandbox, "GET", &format!("/payment/{id}"), Value::Null).await;
    assert_eq!(names(&payment), names(&fixture("get_payment.response")));
    let transaction = ok(&sandbox, "GET", &format!("/transaction/{key}"), Value::Null).await;
    let sample = fixture("get_transaction.response");
    assert_eq!(names(&transaction), names(&sample));
    assert_eq!(names(&transaction["payments"][0]), names(&sample["payments"][0]));

    let empty_answers = true;
    sandbox.wallet().set_settings(WalletSettings { empty_answers, ..WalletSettings::default() });
    let payments = json!([{"description": "x", "price": 1}]);
    let made = ok(&sandbox, "POST", "/transaction", json!({"payments": payments})).await;
    let key = made["transaction_key"].as_str().unwrap();
    sandbox.wallet().accept(key, PAYER).unwrap();
    let empty = ok(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    assert_eq!(empty, fixture("response.empty_object"));
}

#[tokio::test]
async fn existing_payments_and_allowances_move_over() {
    let sandbox = start().await;
    let standalone_payments = true;
    let settings = WalletSettings { standalone_payments, ..WalletSettings::default() };
    sandbox.wallet().set_settings(settings);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let made = ok(&sandbox, "POST", "/payment", fixture("create_payment.request")).await;
        assert_eq!(made["price"], 1299);
        ids.push(made["id"].clone());
    }
    let allowance = ok(&sandbox, "POST", "/allowance", fixture("create_allowance.request")).await;
    let body = json!({"payments": ids, "allowance": {"id": allowance["id"], "optional": false}});
    let made = ok(&sandbox, "POST", "/transaction", body.clone()).await;
    assert_eq!(made["payments"][1]["transaction_key"], made["transaction_key"]);
    assert_eq!(made["allowance"]["data"]["transaction_key"], made["transaction_key"]);
    let key = made["transaction_key"].as_str().unwrap();
    sandbox.wallet().accept(key, PAYER).unwrap();
    let again = call(&sandbox, "POST", "/transaction", body).await;
    assert_error(&again, 400, "invalid_parameters");
}

#[tokio::test]
async fn bad_input_is_refused_by_field() {
    let sandbox = start().await;
    let error_properties = true;
    sandbox.wallet().set_settings(WalletSettings { error_properties, ..WalletSettings::default() });
    let item = |item: Value| json!({"items": [item]});
    for (payment, field) in [
        (json!({}), "price"),
        (json!({"price": 0}), "price"),
        (json!({"price": 29.99}), "price"),
        (json!({"price": "2999"}), "price"),
        (json!({"price": 1, "price_decimal": "0.01"}), "price"),
        (json!({"price_decimal": "0.001"}), "price_decimal"),
        (json!({"price": 1, "currency": "eur"}), "currency"),
        (json!({"price": 1, "description": " "}), "description"),
        (json!({"price": 1, "description": null}), "description"),
        (json!({"price": 1, "freeze_until": 1}), "freeze_until"),
        (json!({"price": 1, "email": "a@example.com", "phone": "370"}), "beneficiary_id"),
        (json!({"price": 1, "beneficiary_id": 5}), "beneficiary_id"),
        (json!({"price": 1, "phone": "+370"}), "phone"),
        (json!({"price": 1, "commission": {"in_commission": 2}}), "commission.in_commission"),
        (json!({"price": 1, "parameters": "x"}), "parameters"),
        (json!({"price": 2, "items": [{"title": "a", "price": 1, "quantity": 1}]}), "price"),
        (item(json!({"title": "a", "price": 1, "quantity": 0})), "items[0].quantity"),
        (item(json!({"title": "a", "price": 1})), "items[0].quantity"),
        (item(json!({"price": 1, "quantity": 1})), "items[0].title"),
        (item(json!({"title": "a", "quantity": 1})), "items[0].price"),
        (item(json!({"title": "a", "price": i64::MAX, "quantity": 2})), "items"),
    ] {
        let mut payment = payment;
        if payment.get("description").is_none() {
            payment["description"] = "x".into();
        }
        let body = json!({"payments": [payment]});
        let answer = call(&sandbox, "POST", "/transaction", body.clone()).await;
        assert_error(&answer, 400, "invalid_parameters");
        let wrong = &answer.json()["error_properties"][format!("payments[0].{field}")];
        assert!(wrong.is_array(), "{body}: {}", answer.body);
    }
    for body in [
        json!({}),
        json!({"payments": "x"}),
        json!({"payments": [1]}),
        json!({"payments": [], "allowance_id": 1}),
        json!({"allowance": {"max_price": 1}}),
        json!({"allowance": {"currency": "EUR"}}),
        json!({"allowance": {"id": 1}}),
        json!({"payments": [{"description": "x", "price": 1}], "redirect_uri": "javascript:x"}),
        json!({"payments": [{"description": "x", "price": 1}], "reserve": {"until": 1}}),
    ] {
        let answer = call(&sandbox, "POST", "/transaction", body).await;
        assert_error(&answer, 400, "invalid_parameters");
    }
    assert_eq!(sandbox.wallet().snapshot()["transactions"], json!([]));
}

#[tokio::test]
async fn the_specifications_errors_are_word_for_word() {
    let sandbox = start().await;
    for (payment, name) in [
        (json!({"price": 1, "currency": "EURO"}), "error.invalid_currency"),
        (json!({}), "error.price_required"),
    ] {
        let mut payment = payment;
        payment["description"] = "x".into();
        let answer = call(&sandbox, "POST", "/transaction", json!({"payments": [payment]})).await;
        assert_eq!((answer.status(), answer.json()), (400, fixture(name)));
    }
}
