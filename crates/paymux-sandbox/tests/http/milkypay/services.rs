//! Services and the payment pre-request.

use paymux_sandbox::milkypay::{Form, Service};
use serde_json::{Value, json};

use super::{fixture, private, public, read, request, settings, start};
use crate::support::control;

async fn prerequest(sandbox: &paymux_sandbox::Sandbox, key: &str, currency: &str) -> Value {
    let body = json!({"public_key": key, "currency": currency});
    let answer = public(sandbox, "POST", "/payment-prerequest", &body).await;
    assert_eq!(answer.status(), 200, "{}", answer.body);
    answer.json()
}

fn codes(prerequest: &Value) -> Vec<String> {
    prerequest["data"]["services"].as_object().unwrap().keys().cloned().collect()
}

#[tokio::test]
async fn the_prerequest_has_the_shape_of_the_sample() {
    let sandbox = start().await;
    let sent = include_str!("../../fixtures/milkypay/prerequest.request.json");
    let mut sent: Value = serde_json::from_str(sent).unwrap();
    sent["public_key"] = json!(sandbox.milkypay().public_key_test());
    let made = public(&sandbox, "POST", "/payment-prerequest", &sent).await.json();
    let sample = include_str!("../../fixtures/milkypay/prerequest.response.json");
    let anew = [
        "/data/services/test_usd_test/fields/0/label/ru",
        "/data/services/test_usd_test/fields/0/label/uk",
        "/data/services/test_usd_test/fields/0/hint/ru",
        "/data/services/test_usd_test/fields/0/hint/uk",
    ];
    let expected = fixture(sample, &made, &anew);
    for service in ["payment_card_usd_hpp", "test_usd_test"] {
        assert_eq!(made["data"]["services"][service], expected["data"]["services"][service]);
    }
    for method in ["payment_card", "test"] {
        let (made, expected) =
            (&made["data"]["methods"][method], &expected["data"]["methods"][method]);
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(made), names(expected));
        assert_eq!(made["name"]["en"], expected["name"]["en"]);
        assert_eq!(made["category"], expected["category"]);
    }
    assert_eq!(made["data"]["currency"], "USD");
    assert_eq!(made["data"]["test_mode"], true);
    assert_eq!(made["data"]["account"]["name"], "Sandbox shop");
}

#[tokio::test]
async fn only_what_can_be_used_is_offered() {
    let sandbox = start().await;
    let milkypay = sandbox.milkypay();
    let usd = [
        "applepay_usd_hpp",
        "bank_transfer_usd_hpp",
        "payment_card_usd_hpp",
        "paypal_usd_hpp",
        "test_usd_test",
    ];
    let test = prerequest(&sandbox, milkypay.public_key_test(), "USD").await;
    assert_eq!(codes(&test), usd);
    let live = prerequest(&sandbox, milkypay.public_key_live(), "USD").await;
    assert_eq!(live["data"]["test_mode"], false);
    assert_eq!(codes(&live), usd[..4], "the test service is for tests");
    // One is disabled and the other unavailable.
    let eur = prerequest(&sandbox, milkypay.public_key_test(), "EUR").await;
    assert_eq!(codes(&eur), ["payment_card_eur_hpp"]);
    let none = prerequest(&sandbox, milkypay.public_key_test(), "USDT").await;
    let sample = include_str!("../../fixtures/milkypay/prerequest.empty.response.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    assert_eq!(none["data"]["services"], sample["data"]["services"]);
    assert_eq!(none["data"]["methods"], json!([]));
    let body = json!({"public_key": milkypay.public_key_test()});
    let answer = public(&sandbox, "POST", "/payment-prerequest", &body).await;
    assert_eq!(answer.status(), 422);
}

#[tokio::test]
async fn limits_have_the_digits_of_their_currency() {
    let sandbox = start().await;
    let key = sandbox.milkypay().public_key_test().to_owned();
    for (currency, least, most) in
        [("JPY", json!(50), json!(1_000_000)), ("KWD", json!(0.1), json!(10000))]
    {
        let made = prerequest(&sandbox, &key, currency).await;
        let code = codes(&made).remove(0);
        let service = &made["data"]["services"][&code];
        assert_eq!((&service["amount_min"], &service["amount_max"]), (&least, &most));
    }
}

#[tokio::test]
async fn regular_expressions_may_arrive_escaped_twice() {
    let sandbox = start().await;
    let key = sandbox.milkypay().public_key_test().to_owned();
    let regexp = async || {
        let made = prerequest(&sandbox, &key, "USD").await;
        made["data"]["services"]["bank_transfer_usd_hpp"]["fields"][0]["regexp"].clone()
    };
    assert_eq!(regexp().await, r"^[A-Z]{2}\d{2}[A-Z0-9]{11,30}$");
    let mut settings = settings();
    settings.double_escaped_regexps = true;
    sandbox.milkypay().set_settings(settings);
    assert_eq!(regexp().await, r"^[A-Z]{2}\\d{2}[A-Z0-9]{11,30}$");
}

#[tokio::test]
async fn service_fields_are_wanted_and_checked() {
    let sandbox = start().await;
    let sample =
        include_str!("../../fixtures/milkypay/create_invoice.private.service_fields.request.json");
    let mut body: Value = serde_json::from_str(sample).unwrap();
    let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
    assert_eq!(answer.status(), 201, "{}", answer.body);
    for (fields, message) in [
        (json!({}), "This value should not be blank."),
        (json!({"account_number": "213223"}), "This value is not valid."),
    ] {
        body["data"]["attributes"]["reference_id"] = json!("another");
        body["data"]["attributes"]["service_fields"] = fields;
        let answer = private(&sandbox, "POST", "/payment-invoices", &body).await;
        let expected = json!({"errors": {"service_fields": {"account_number": message}}});
        assert_eq!((answer.status(), answer.json()), (422, expected));
    }
    // The public API's own client calls them `fields`.
    let flat = json!({
        "public_key": sandbox.milkypay().public_key_test(), "reference_id": "public",
        "service": "bank_transfer_usd_hpp", "currency": "USD", "amount": 1,
        "fields": {"account_number": "UA213223130000026007233566001"},
    });
    assert_eq!(public(&sandbox, "POST", "/payment-invoices", &flat).await.status(), 201);
}

#[tokio::test]
async fn the_list_is_paged_by_numbers() {
    let sandbox = start().await;
    let whole = read(&sandbox, "/payment-services").await;
    let total = whole["data"].as_array().unwrap().len();
    assert_eq!(whole["meta"], json!({"total": total, "pages": 1, "page": 1}));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let sample = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let first = sample(include_str!("../../fixtures/milkypay/list_payment_services.response.json"));
    let last = sample(include_str!(
        "../../fixtures/milkypay/list_payment_services.last_page.response.json"
    ));
    let mut seen = Vec::new();
    let mut page = read(&sandbox, "/payment-services?page[number]=1&page[size]=5").await;
    assert_eq!(names(&page["links"]), names(&first["links"]));
    loop {
        seen.extend(page["data"].as_array().unwrap().clone());
        let link = |number: usize| {
            format!("/milkypay/api/payment-services?page[number]={number}&page[size]=5")
        };
        assert_eq!(page["links"]["first"], link(1));
        assert_eq!(page["links"]["last"], link(total.div_ceil(5)));
        let Some(next) = page["links"].get("next") else { break };
        let path = next.as_str().unwrap().strip_prefix("/milkypay/api").unwrap();
        page = read(&sandbox, path).await;
    }
    assert_eq!(seen, *whole["data"].as_array().unwrap());
    assert_eq!(page["meta"]["page"], page["meta"]["pages"]);
    assert_eq!(names(&page["links"]), names(&last["links"]));
    let xts = |rows: &Value| {
        let found = rows.as_array().unwrap().iter();
        let mut found = found.filter(|row| row["attributes"]["service"] == "test_xts_test");
        json!({"data": found.next().unwrap()})
    };
    let (made, expected) = (xts(&json!(seen)), xts(&first["data"]).to_string());
    assert_eq!(made, fixture(&expected, &made, &["/data/id", "/data/links/self"]));
    for query in ["page[number]=0", "page[size]=-1", "page[number]=x"] {
        let path = format!("/payment-services?{query}");
        assert_eq!(private(&sandbox, "GET", &path, &Value::Null).await.status(), 400, "{query}");
    }
}

#[tokio::test]
async fn a_service_reads_as_the_specification_shows() {
    let sandbox = start().await;
    let whole = read(&sandbox, "/payment-services").await;
    let rows = whole["data"].as_array().unwrap();
    let row = rows.iter().find(|row| row["attributes"]["service"] == "payment_card_usd_hpp");
    let id = row.unwrap()["id"].as_str().unwrap();
    let made = read(&sandbox, &format!("/payment-services/{id}")).await;
    assert_eq!(made["data"], *row.unwrap());
    let sample = include_str!("../../fixtures/milkypay/get_payment_service.response.json");
    assert_eq!(made, fixture(sample, &made, &["/data/id", "/data/links/self"]));
}

#[tokio::test]
async fn a_service_can_be_registered() {
    let sandbox = start().await;
    let service = Service {
        currency: "SEK".to_owned(),
        amount_max: "10".to_owned(),
        form: Form::Post,
        ..Service::default()
    };
    sandbox.milkypay().set_service("payment_card_sek_hpp", service).unwrap();
    let more = json!({"service": "payment_card_sek_hpp", "currency": "SEK", "amount": 10});
    let answer = private(&sandbox, "POST", "/payment-invoices", &request("a", &more)).await;
    let flow = &answer.json()["data"]["attributes"]["flow_data"];
    assert_eq!(flow["method"], "POST");
    assert_eq!(flow["params"]["sid"], flow["metadata"]["sid"]);
    let broken = json!({"amount_min": "x"});
    let answer = control(&sandbox, "PUT", "/milkypay/services/x", broken).await;
    assert_eq!(answer.status(), 400);
}
