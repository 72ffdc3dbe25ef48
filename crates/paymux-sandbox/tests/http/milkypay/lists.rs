//! The list of invoices and its cursors.

use serde_json::{Value, json};

use super::{invoice, private, read, start};

/// The ids of a page, newest first.
fn ids(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

/// A link as a client resolves it: against the host.
async fn follow(sandbox: &paymux_sandbox::Sandbox, link: &Value) -> Value {
    let url = sandbox.url().join(link.as_str().unwrap()).unwrap();
    assert_eq!(url.origin(), sandbox.url().origin());
    let prefix = sandbox.milkypay().private_url();
    let path = url.as_str().strip_prefix(&prefix).unwrap();
    read(sandbox, path).await
}

#[tokio::test]
async fn an_empty_list_has_no_cursors() {
    let sandbox = start().await;
    let list = read(&sandbox, "/payment-invoices").await;
    let expected = json!({
        "meta": {"count": 0, "size": 20, "before": null, "after": null},
        "links": {"prev": "", "next": ""},
        "data": [],
    });
    assert_eq!(list, expected);
}

#[tokio::test]
async fn a_full_page_has_the_links_of_the_sample() {
    let sandbox = start().await;
    let mut made = Vec::new();
    for number in 0..21 {
        made.push(invoice(&sandbox, &format!("order {number}")).await);
    }
    made.reverse();
    let page = read(&sandbox, "/payment-invoices").await;
    assert_eq!(ids(&page), made[..20]);
    let sample = include_str!("../../fixtures/milkypay/list_invoices.has_next.response.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&page["meta"]), names(&sample["meta"]));
    let meta = json!({"count": 20, "size": 20, "before": made[19], "after": made[0]});
    assert_eq!(page["meta"], meta);
    let next = format!("/milkypay/api/payment-invoices?page[size]=20&page[before]={}", made[19]);
    assert_eq!(page["links"], json!({"prev": "", "next": next}));
    let last = follow(&sandbox, &page["links"]["next"]).await;
    assert_eq!(ids(&last), made[20..]);
    assert_eq!(last["links"]["next"], "");
}

/// One paid invoice and one whose time ran out, as the specification's list shows them.
#[tokio::test]
async fn rows_have_the_members_of_the_sample() {
    let sandbox = start().await;
    invoice(&sandbox, "late").await;
    sandbox.advance(std::time::Duration::from_secs(1905));
    let paid = invoice(&sandbox, "paid").await;
    sandbox.milkypay().pay(&paid).unwrap();
    let made = read(&sandbox, "/payment-invoices").await;
    let sample = include_str!("../../fixtures/milkypay/list_invoices.response.json");
    let sample: Value = serde_json::from_str(sample).unwrap();
    for row in [0, 1] {
        let (made, sample) = (&made["data"][row]["attributes"], &sample["data"][row]["attributes"]);
        for (name, value) in sample.as_object().unwrap() {
            assert!(made.get(name).is_some(), "{name} is missing");
            let same = ["status", "resolution", "payload", "processed_amount", "processed_fee"];
            if same.contains(&name.as_str()) && !value.is_object() {
                assert_eq!(&made[name], value, "{name}");
            }
        }
    }
    assert_eq!(made["data"][1]["attributes"]["updated"], super::CREATED + 1800);
}

#[tokio::test]
async fn links_lead_through_all_pages_and_back() {
    let sandbox = start().await;
    let mut made = Vec::new();
    for number in 0..7 {
        made.push(invoice(&sandbox, &format!("order {number}")).await);
    }
    made.reverse();
    let mut page = read(&sandbox, "/payment-invoices?page[size]=3").await;
    let mut seen = ids(&page);
    while page["links"]["next"] != "" {
        page = follow(&sandbox, &page["links"]["next"]).await;
        seen.extend(ids(&page));
    }
    assert_eq!(seen, made);
    // A new invoice does not move the pages that were begun.
    invoice(&sandbox, "later").await;
    page = follow(&sandbox, &page["links"]["prev"]).await;
    assert_eq!(ids(&page), made[3..6]);
    page = follow(&sandbox, &page["links"]["prev"]).await;
    assert_eq!(ids(&page), made[..3]);
    page = follow(&sandbox, &page["links"]["prev"]).await;
    assert_eq!(ids(&page).len(), 1);
    assert_eq!(page["links"]["prev"], "");
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let sandbox = start().await;
    for query in ["page[size]=0", "page[size]=x", "page[before]=cpi_nobody", "page[after]=x"] {
        let path = format!("/payment-invoices?{query}");
        let answer = private(&sandbox, "GET", &path, &Value::Null).await;
        assert_eq!(answer.status(), 400, "{query}");
    }
}
