//! The confirmation page, as a browser gets it.

use paymux_sandbox::Sandbox;
use serde_json::{Value, json};

use super::support::{Signer, create, ok, status};
use crate::support::{get, post_form, start};

const SHOP: &str = "https://shop.example/thanks?order=7";

async fn open(sandbox: &Sandbox, allowance: Value) -> (String, String) {
    let payments = json!([{"description": "<b>Deposit</b>", "price": 2999}]);
    let mut body = json!({"payments": payments, "redirect_uri": SHOP});
    if !allowance.is_null() {
        body["allowance"] = allowance;
    }
    let made = ok(sandbox, "POST", "/transaction", body).await;
    let key = made["transaction_key"].as_str().unwrap().to_owned();
    let url = sandbox.wallet().confirm_url(&key);
    (key, url)
}

#[tokio::test]
async fn the_page_is_at_its_documented_places() {
    let sandbox = start().await;
    let (key, url) = open(&sandbox, Value::Null).await;
    let base = sandbox.wallet().base_url();
    assert_eq!(url, format!("{base}/frontend/en/wallet/confirm/{key}"));
    for path in ["frontend/lt/wallet/confirm", "frontend/wallet/confirm", "wallet/confirm"] {
        let page = get(&format!("{base}/{path}/{key}")).await;
        assert_eq!(page.status(), 200);
        assert!(page.body.contains("&lt;b&gt;Deposit&lt;/b&gt;"));
        assert!(page.body.contains("€29.99"));
    }
    assert_eq!(get(&format!("{base}/wallet/confirm/nothing")).await.status(), 404);
}

#[tokio::test]
async fn accepting_takes_the_right_pin_and_leads_back() {
    let sandbox = start().await;
    let (key, url) = open(&sandbox, Value::Null).await;
    for (entered, notice) in [
        ("wallet=14471&method=balance&pin=9", "The PIN is not right"),
        ("wallet=14472&method=balance&pin=4321", "Wallet balance is insufficient"),
        ("wallet=1&method=balance", "Choose who pays"),
    ] {
        let page = post_form(&format!("{url}/accept"), entered).await;
        assert!(page.body.contains(notice), "{}", page.body);
    }
    let answer = post_form(&format!("{url}/accept"), "wallet=14471&method=balance&pin=1234").await;
    assert_eq!(answer.status(), 303);
    let back = get(answer.header("location").unwrap()).await;
    assert_eq!((back.status(), back.header("location")), (303, Some(SHOP)));
    assert_eq!(status(&sandbox, &key).await[0], "reserved");
    let page = get(&url).await;
    assert!(page.body.contains("Payment accepted"));
    assert!(!page.body.contains("<form"));
}

#[tokio::test]
async fn money_may_come_later_and_an_allowance_is_chosen() {
    let sandbox = start().await;
    let data = json!({"description": "Premium", "currency": "EUR", "max_price": 999});
    let (key, url) = open(&sandbox, json!({"data": data, "optional": true})).await;
    assert!(get(&url).await.body.contains("Premium: up to €9.99 in all"));
    post_form(&format!("{url}/accept"), "wallet=14472&method=bank&pin=4321").await;
    assert_eq!(status(&sandbox, &key).await[0], "waiting_funds");
    let shown = ok(&sandbox, "GET", &format!("/transaction/{key}"), Value::Null).await;
    assert_eq!(shown.get("allowance"), None);

    let (key, url) = open(&sandbox, json!({"data": data, "optional": true})).await;
    post_form(&format!("{url}/accept"), "wallet=14471&method=balance&pin=1234&allowance=yes").await;
    let done = ok(&sandbox, "PUT", &format!("/transaction/{key}/confirm"), Value::Null).await;
    assert_eq!(done["allowance"]["data"]["status"], "active");
}

#[tokio::test]
async fn a_payer_rejects_or_walks_away() {
    let sandbox = start().await;
    let (key, url) = open(&sandbox, Value::Null).await;
    let away = get(&format!("{url}/return")).await;
    assert_eq!(away.header("location"), Some(SHOP));
    assert_eq!(status(&sandbox, &key).await[0], "new");
    let answer = post_form(&format!("{url}/reject"), "").await;
    assert_eq!(answer.header("location"), Some(url.as_str()));
    assert_eq!(status(&sandbox, &key).await[0], "rejected");
    assert!(get(&url).await.body.contains("Payment rejected"));
    // Without an address to return to, the page stays.
    let (key, _) = create(&sandbox, json!({"price": 1})).await;
    let url = sandbox.wallet().confirm_url(&key);
    assert_eq!(get(&format!("{url}/return")).await.header("location"), Some(url.as_str()));
}

#[tokio::test]
async fn a_user_lets_the_client_act_or_not() {
    let sandbox = start().await;
    let base = sandbox.wallet().base_url();
    let ask = |client: &str, back: &str| {
        format!(
            "response_type=code&client_id={client}&scope=a+check_has_sufficient_balance\
             &redirect_uri={back}&state=s%26t"
        )
    };
    let query = ask("sandbox_wallet_client", "https%3A%2F%2Fshop.example%2Fback%3Fx%3D1");
    let page = get(&format!("{base}/frontend/en/oauth?{query}")).await;
    assert_eq!(page.status(), 200);
    assert!(page.body.contains("check_has_sufficient_balance"));
    for wrong in
        [ask("nobody", "https%3A%2F%2Fshop.example"), ask("sandbox_wallet_client", "data:x")]
    {
        assert_eq!(get(&format!("{base}/frontend/oauth?{wrong}")).await.status(), 400);
    }
    let decide = async |more: &str| {
        post_form(&format!("{base}/frontend/oauth"), &format!("{query}&{more}")).await
    };
    let wrong = decide("decision=agree&wallet=14471&pin=0").await;
    assert!(wrong.body.contains("The PIN is not right."));
    let denied = decide("decision=deny").await;
    let denied = denied.header("location").unwrap();
    assert_eq!(denied, "https://shop.example/back?x=1&error=access_denied&state=s%26t");
    let agreed = decide("decision=agree&wallet=14471&pin=1234").await;
    let agreed = agreed.header("location").unwrap().to_owned();
    let code = agreed.strip_prefix("https://shop.example/back?x=1&code=").unwrap();
    let code = code.strip_suffix("&state=s%26t").unwrap();
    let form = format!(
        "grant_type=authorization_code&code={code}\
         &redirect_uri=https%3A%2F%2Fshop.example%2Fback%3Fx%3D1"
    );
    let client = Signer::of(&sandbox).await;
    let token = client.try_send(&sandbox, "POST", "/oauth/v1/token", &form).await.unwrap();
    assert_eq!((token.status(), &token.json()["token_type"]), (200, &json!("mac")));
}
