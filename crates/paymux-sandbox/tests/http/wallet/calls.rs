//! Every call of the API, as a merchant makes it.

use paymux_sandbox::wallet::{Denial, WalletSettings, WalletUser};
use serde_json::{Value, json};

use super::support::{
    PAYER, allow, assert_error, balance, call, create, create_confirmed, fixture, ok, status,
};
use crate::support::{control, get, send, start};

#[tokio::test]
async fn a_payment_is_made_accepted_and_confirmed() {
    let sandbox = start().await;
    let wallet = sandbox.wallet();
    let (key, id) = create(&sandbox, json!({"price": 2999, "currency": "EUR"})).await;
    assert_eq!(key.len(), 8);
    assert_eq!(status(&sandbox, &key).await, ["new", "new"]);
    wallet.accept(&key, PAYER).unwrap();
    assert_eq!(status(&sandbox, &key).await, ["reserved", "waiting"]);
    assert_eq!(balance(&wallet, PAYER), (997_001, 2999));
    let done = ok(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    assert_eq!((&done["status"], &done["wallet"]), (&json!("confirmed"), &json!(PAYER)));
    let payment = ok(&sandbox, "GET", &format!("/payment/{id}"), Value::Null).await;
    assert_eq!(payment["status"], "done");
    assert_eq!(payment["price_decimal"], "29.99");
    assert_eq!(payment["confirmed_at"], done["confirmed_at"]);
    assert_eq!(balance(&wallet, wallet.own_wallet()), (2999, 0));
    let again = call(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    assert_eq!((again.status(), again.json()), (409, fixture("error.invalid_state")));
}

#[tokio::test]
async fn confirming_may_lower_prices() {
    let sandbox = start().await;
    let payments = json!([
        {"description": "a", "price": 5000, "currency": "EUR"},
        {"description": "b", "price": 3000, "currency": "EUR"},
    ]);
    let made = ok(&sandbox, "POST", "/transaction", json!({"payments": payments})).await;
    let (key, id) = (made["transaction_key"].as_str().unwrap(), &made["payments"][0]["id"]);
    sandbox.wallet().accept(key, PAYER).unwrap();
    let path = format!("/transaction/{key}/confirm");
    let price = |of: &Value, price: Value| json!({of.to_string(): price});
    for wrong in [
        price(id, json!({"price": 5001, "currency": "EUR"})),
        price(id, json!({"price": 0})),
        price(id, json!({"price": 1500, "currency": "USD"})),
        price(id, json!({"price": 1500, "price_decimal": "15.01"})),
        price(id, json!({})),
        price(&json!(1), json!({"price": 1})),
    ] {
        assert_error(&call(&sandbox, "PUT", &path, wrong).await, 400, "invalid_parameters");
    }
    assert_eq!(balance(&sandbox.wallet(), PAYER), (992_000, 8000));
    let lower = price(id, json!({"price": 1500, "currency": "EUR", "price_decimal": "15.00"}));
    let done = ok(&sandbox, "PUT", &path, lower).await;
    assert_eq!(done["payments"][0]["price"], 1500);
    assert_eq!(balance(&sandbox.wallet(), PAYER), (995_500, 0));
}

#[tokio::test]
async fn a_frozen_payment_is_finalized_canceled_or_frozen_for_longer() {
    let sandbox = start().await;
    let wallet = sandbox.wallet();
    let until = sandbox.now().as_second() + 86_400;
    let frozen = json!({"price": 20_000, "freeze_until": until});
    let (_, id) = create_confirmed(&sandbox, frozen.clone()).await;
    let path = format!("/payment/{id}");
    let shown = ok(&sandbox, "GET", &path, Value::Null).await;
    assert_eq!((&shown["status"], &shown["freeze_until"]), (&json!("reserved"), &json!(until)));
    for (body, expected) in [
        (json!({"freeze": {"for": 172_800}}), until + 86_400),
        (json!({"freeze_for": 72}), until + 2 * 86_400),
        (json!({"freeze": {"until": until + 5}}), until + 5),
    ] {
        let changed = ok(&sandbox, "PUT", &format!("{path}/freeze"), body).await;
        assert_eq!(changed["freeze_until"], expected);
    }
    let past =
        call(&sandbox, "PUT", &format!("{path}/freeze"), json!({"freeze": {"until": 5}})).await;
    assert_error(&past, 400, "invalid_parameters");
    let finalize = format!("{path}/finalize");
    let more = call(&sandbox, "PUT", &finalize, json!({"price": 20_001})).await;
    assert_error(&more, 400, "invalid_parameters");
    let done = ok(&sandbox, "PUT", &finalize, json!({"price": 15_000})).await;
    assert_eq!((&done["status"], &done["price"]), (&json!("done"), &json!(15_000)));
    assert_eq!(balance(&wallet, PAYER), (985_000, 0));
    assert_error(&call(&sandbox, "DELETE", &path, Value::Null).await, 409, "invalid_state");

    let (_, id) = create_confirmed(&sandbox, frozen.clone()).await;
    let canceled = ok(&sandbox, "DELETE", &format!("/payment/{id}"), Value::Null).await;
    assert_eq!(canceled["status"], "canceled");
    assert!(canceled["confirmed_at"].is_i64());
    let (_, id) = create_confirmed(&sandbox, frozen).await;
    let lifted = json!({"freeze_until": 0});
    let lifted = ok(&sandbox, "PUT", &format!("/payment/{id}/freeze"), lifted).await;
    assert_eq!(lifted["status"], "done");
    assert_eq!(balance(&wallet, PAYER), (965_000, 0));
}

#[tokio::test]
async fn a_client_accepts_by_pin_sms_or_code() {
    let sandbox = start().await;
    let settings = WalletSettings { error_properties: true, ..WalletSettings::default() };
    sandbox.wallet().set_settings(settings);
    for (proof, kind) in [
        (json!({"wallet_id": PAYER, "pin_code": "1234"}), "pin"),
        (json!({"payer": {"email": "payer@example.com"}, "pin": "1234"}), "pin"),
        (fixture("reserve_transaction.code.request"), "reservation_code"),
    ] {
        let (key, _) = create(&sandbox, json!({"price": 100})).await;
        let path = format!("/transaction/{key}/reserve");
        let taken = ok(&sandbox, "PUT", &path, proof.clone()).await;
        assert_eq!((&taken["status"], &taken["type"]), (&json!("reserved"), &json!(kind)));
        assert_error(&call(&sandbox, "PUT", &path, proof).await, 409, "invalid_state");
    }
    let (key, _) = create(&sandbox, json!({"price": 100})).await;
    let types = format!("/transaction/{key}/available-types");
    let types = ok(&sandbox, "GET", &types, Value::Null).await;
    assert_eq!(types, fixture("available_types.response"));
    let path = format!("/transaction/{key}/reserve");
    for (proof, field) in [
        (json!({"wallet_id": PAYER, "pin_code": "0000"}), "pin_code"),
        (json!({"wallet_id": PAYER, "sms_code": "0000"}), "sms_code"),
        (json!({"wallet_id": 1, "pin_code": "1234"}), "payer"),
        (json!({"pin_code": "1234"}), "payer"),
        (json!({"code": "0"}), "code"),
    ] {
        let answer = call(&sandbox, "PUT", &path, proof).await;
        assert_error(&answer, 400, "invalid_parameters");
        assert!(answer.json()["error_properties"][field].is_array(), "{}", answer.body);
    }
    ok(&sandbox, "PUT", &format!("/transaction/{key}/flash/{PAYER}"), Value::Null).await;
    let snapshot = sandbox.wallet().snapshot();
    let code = snapshot["transactions"].as_array().unwrap().last().unwrap()["sms_code"].clone();
    let taken = ok(&sandbox, "PUT", &path, json!({"wallet_id": PAYER, "sms_code": code})).await;
    assert_eq!(taken["type"], "flash");
}

#[tokio::test]
async fn a_subscription_is_charged_under_its_allowance() {
    let sandbox = start().await;
    let wallet = sandbox.wallet();
    let id = allow(&sandbox, fixture("create_allowance.request")).await;
    let active = ok(&sandbox, "GET", "/allowance/active/14471", Value::Null).await;
    assert_eq!(active, ok(&sandbox, "GET", &format!("/allowance/{id}"), Value::Null).await);
    assert_eq!(active["status"], "active");
    for name in ["trial", "regular"] {
        let mut body = fixture(&format!("create_transaction.subscription_{name}.request"));
        body["allowance_id"] = id.into();
        let made = ok(&sandbox, "POST", "/transaction", body).await;
        let key = made["transaction_key"].as_str().unwrap();
        let taken =
            ok(&sandbox, "PUT", &format!("/transaction/{key}/reserve/{PAYER}"), Value::Null).await;
        assert_eq!((&taken["type"], &taken["status"]), (&json!("automatic"), &json!("reserved")));
        ok(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    }
    assert_eq!(balance(&wallet, wallet.own_wallet()), (1098, 0));
    let limit = ok(&sandbox, "GET", "/allowance/limit/14471?currency=EUR", Value::Null).await;
    assert_eq!(limit, json!({"amount": 3902, "amount_decimal": "39.02", "currency": "EUR"}));
    let (key, _) = create(&sandbox, json!({"price": 3903})).await;
    let path = format!("/transaction/{key}/reserve/{PAYER}");
    assert_error(&call(&sandbox, "PUT", &path, Value::Null).await, 400, "limits_exceeded");
    let gone = ok(&sandbox, "DELETE", &format!("/allowance/{id}"), Value::Null).await;
    assert_eq!(gone["status"], "inactive");
    assert!(gone["canceled_at"].is_i64());
    assert_error(&call(&sandbox, "PUT", &path, Value::Null).await, 400, "no_rights");
    let again = call(&sandbox, "DELETE", &format!("/allowance/{id}"), Value::Null).await;
    assert_error(&again, 409, "invalid_state");
    let none = call(&sandbox, "GET", "/allowance/active/14471", Value::Null).await;
    assert_error(&none, 404, "not_found");
    allow(&sandbox, fixture("create_allowance.limits.request")).await;
    let gone = ok(&sandbox, "DELETE", "/allowance/active/14471", Value::Null).await;
    assert_eq!(gone["limits"][0], json!({"max_price": 1000, "time": 86_400}));
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let sandbox = start().await;
    let mut keys = Vec::new();
    for price in 1..=5 {
        keys.push(create(&sandbox, json!({"price": price})).await.0);
    }
    sandbox.wallet().accept(&keys[0], PAYER).unwrap();
    create_confirmed(&sandbox, json!({"price": 9, "email": "seller.a@example.com"})).await;
    let list = async |query: &str| ok(&sandbox, "GET", query, Value::Null).await;
    let page = list("/transactions?limit=2&offset=4").await;
    assert_eq!(page["_metadata"], json!({"total": 6, "offset": 4, "limit": 2}));
    let shown = |page: &Value, at: usize| page["transactions"][at]["transaction_key"].clone();
    assert_eq!([shown(&page, 0), shown(&page, 1)], [json!(keys[1]), json!(keys[0])]);
    let total = async |query: &str| list(query).await["_metadata"]["total"].as_i64().unwrap();
    let now = sandbox.now().as_second();
    for (query, expected) in [
        ("/transactions?status=reserved,confirmed", 2),
        ("/transactions?wallet=14471", 2),
        ("/transactions?wallet=14472", 0),
        (&format!("/transactions?from={now}&to={now}"), 6),
        (&format!("/transactions?from={}", now + 1), 0),
        ("/transactions?project_id=1234", 6),
        ("/transactions?project_id=1", 0),
        ("/payments?status=new&limit=1", 4),
        ("/payments?beneficiary=11111", 1),
        ("/payments?beneficiary=none", 0),
        ("/payments?wallet=14471", 2),
        ("/wallet/me/statements?direction=in", 0),
        ("/wallet/me/pending-payments", 1),
    ] {
        assert_eq!(total(query).await, expected, "{query}");
    }
    assert_eq!(list("/payments/id?status=waiting,done").await, json!([2988, 2993]));
    for wrong in ["limit=0", "limit=201", "limit=x", "offset=-1"] {
        let answer = call(&sandbox, "GET", &format!("/transactions?{wrong}"), Value::Null).await;
        assert_error(&answer, 400, "invalid_parameters");
    }
}

#[tokio::test]
async fn the_merchant_reads_its_own_wallet_only() {
    let sandbox = start().await;
    create_confirmed(&sandbox, json!({"price": 2999, "commission": {"in_commission": 99}})).await;
    let own = ok(&sandbox, "GET", "/wallet/me/balance", Value::Null).await;
    let expected = json!({"EUR": {
        "at_disposal": 2900, "at_disposal_decimal": "29.00",
        "reserved": 0, "reserved_decimal": "0.00",
    }});
    assert_eq!(own, expected);
    let lines = ok(&sandbox, "GET", "/wallet/10001/statements?text=Order", Value::Null).await;
    assert_eq!(lines["statements"][0]["amount"], 2900);
    assert_eq!(lines["statements"][0]["other_party"]["display_name"], "Anna Payer");
    let sufficient = "/wallet/me/sufficient-amount?amount=100000&currency=EUR";
    let sufficient = ok(&sandbox, "GET", sufficient, Value::Null).await;
    assert_eq!(sufficient, fixture("sufficient_amount.insufficient.response"));
    for path in ["balance", "statements", "pending-payments", "sufficient-amount?amount=1"] {
        let answer = call(&sandbox, "GET", &format!("/wallet/14471/{path}"), Value::Null).await;
        assert_eq!((answer.status(), answer.json()), (403, fixture("error.forbidden")));
    }
    assert_error(&call(&sandbox, "GET", "/wallet/1/balance", Value::Null).await, 404, "not_found");
}

#[tokio::test]
async fn every_denial_has_its_code() {
    let sandbox = start().await;
    let wallet = sandbox.wallet();
    for (denial, code) in [
        (Denial::LimitsExceeded, "limits_exceeded"),
        (Denial::RestrictionLimitsExceeded, "restriction_limits_exceeded"),
        (Denial::NoRights, "no_rights"),
        (Denial::RestrictionViolation, "restriction_violation"),
        (Denial::ClientNotVerified, "client_not_verified"),
        (Denial::BeneficiaryAccountInactive, "beneficiary_account_inactive"),
        (Denial::PayerAccountInactive, "payer_account_inactive"),
        (Denial::ClientRestricted, "client_restricted"),
        (Denial::PaymentToSameAccount, "payment_to_same_account"),
    ] {
        let user = WalletUser::new("Carl").wallet(5).pin("1").balance("EUR", 100).denial(denial);
        wallet.set_user(user).unwrap();
        let (key, _) = create(&sandbox, json!({"price": 100})).await;
        let path = format!("/transaction/{key}/reserve");
        let proof = json!({"wallet_id": 5, "pin_code": "1"});
        assert_error(&call(&sandbox, "PUT", &path, proof).await, 400, code);
        assert_eq!(status(&sandbox, &key).await[0], "new");
    }
    let broke = json!({"wallet_id": 14472, "pin_code": "4321"});
    for not_enough_funds in [false, true] {
        wallet.set_settings(WalletSettings { not_enough_funds, ..WalletSettings::default() });
        let (key, _) = create(&sandbox, json!({"price": 100})).await;
        let path = format!("/transaction/{key}/reserve");
        let answer = call(&sandbox, "PUT", &path, broke.clone()).await;
        let name =
            if not_enough_funds { "error.not_enough_funds" } else { "error.insufficient_funds" };
        assert_eq!(answer.json(), fixture(name));
    }
}

#[tokio::test]
async fn other_errors_are_the_documented_ones() {
    let sandbox = start().await;
    for path in ["/payment/1", "/payment/x", "/transaction/nothing", "/allowance/1", "/nothing"] {
        let answer = call(&sandbox, "GET", path, Value::Null).await;
        assert_eq!((answer.status(), answer.json()), (404, fixture("error.not_found")), "{path}");
    }
    // Standalone payments are what the specification forbids.
    let standalone = call(&sandbox, "POST", "/payment", fixture("create_payment.request")).await;
    assert_error(&standalone, 404, "not_found");
    let broken = super::support::Signer::of(&sandbox).await;
    let broken = broken.try_send(&sandbox, "POST", "/rest/v1/transaction", "{").await.unwrap();
    assert_eq!((broken.status(), broken.json()), (400, fixture("error.invalid_request")));
    let signer = super::support::Signer::of(&sandbox).await;
    let uri = "/wallet/rest/v1/payments";
    let authorization = signer.header("GET", uri, "");
    let headers = [("Authorization", authorization.as_str()), ("Accept", "text/csv")];
    let url = sandbox.url().join(uri).unwrap();
    let csv = send(url.as_str(), "GET", &headers, "").await.unwrap();
    assert_eq!((csv.status(), csv.json()), (406, fixture("error.not_acceptable")));
}

#[tokio::test]
async fn the_control_api_drives_people() {
    let sandbox = start().await;
    let carl = json!({"name": "Carl", "email": "carl@example.com", "balance": {"EUR": 50}});
    let wallet = control(&sandbox, "POST", "/wallet/users", carl).await.json()["wallet"].clone();
    let (key, _) = create(&sandbox, json!({"price": 100, "phone": "3700"})).await;
    let path = format!("/wallet/transactions/{key}");
    let later = json!({"wallet": wallet, "funds_later": true});
    let shown = control(&sandbox, "POST", &format!("{path}/accept"), later).await.json();
    assert_eq!(shown["status"], "waiting_funds");
    let funds = json!({"currency": "EUR", "amount": 50});
    control(&sandbox, "POST", &format!("/wallet/users/{wallet}/funds"), funds).await;
    assert_eq!(status(&sandbox, &key).await[0], "waiting_registration");
    let dora = json!({"name": "Dora", "phone": "3700"});
    control(&sandbox, "POST", "/wallet/users", dora).await;
    assert_eq!(status(&sandbox, &key).await[0], "reserved");
    assert_eq!(
        control(&sandbox, "POST", &format!("{path}/lapse"), Value::Null).await.status(),
        200
    );
    assert_eq!(status(&sandbox, &key).await[0], "revoked");
    let refused = control(&sandbox, "POST", &format!("{path}/reject"), Value::Null).await;
    assert_eq!(refused.status(), 409);
    let words = control(&sandbox, "PUT", "/wallet/settings", json!({"words": "older"})).await;
    assert_eq!(words.json()["words"], "older");
    let state = get(&format!("{}control/wallet/state", sandbox.url())).await.json();
    assert_eq!(state["transactions"][0]["key"], key.as_str());
    control(&sandbox, "POST", "/reset", Value::Null).await;
    assert_eq!(sandbox.wallet().snapshot()["transactions"], json!([]));
}
