//! The endpoints, their errors, keys and pages.

use std::time::Duration;

use paymux_sandbox::Sandbox;
use paymux_sandbox::toffeepay::{
    Decline, Game, GameUser, Method, Payer, RefundOutcome, Step, TopUp,
};
use serde_json::{Value, json};

use crate::support::{
    assert_error, call, config, control, ok, session, session_of, session_request, start,
};

/// A fixture of the contract with its ids and URLs replaced by those of this run.
fn fixture(text: &str, ids: &[(&str, &str)]) -> Value {
    let mut text = text.to_owned();
    for (old, new) in ids {
        text = text.replace(old, new);
    }
    serde_json::from_str(&text).unwrap()
}

/// Lets ten seconds go by until the hold and thirty until the end, as the samples have it.
async fn paid_session(sandbox: &Sandbox) -> (String, String) {
    let session = session(sandbox).await;
    sandbox.advance(Duration::from_secs(300));
    let payer = Payer::new(Method::ApplePay).country("US");
    let payment = sandbox.toffeepay().pay(&session, payer).unwrap();
    (session, payment)
}

#[tokio::test]
async fn a_session_is_created_paid_and_read() {
    let sandbox = start().await;
    let answer = ok(&sandbox, "CreateSession", session_request("space_shooter")).await;
    let id = answer["id"].as_str().unwrap();
    assert!(id.starts_with("sess_") && id.len() == 31, "{id}");
    let url = format!("{}toffeepay/checkout/{id}", sandbox.url());
    assert_eq!(answer, json!({"id": id, "url": url}));

    let pending = include_str!("../fixtures/get_session.response.pending.json");
    let pending = fixture(pending, &[("sess_abc123", id)]);
    assert_eq!(ok(&sandbox, "GetSession", json!({"id": id})).await, pending);
    let status = ok(&sandbox, "GetSessionStatus", json!({"id": id})).await;
    assert_eq!(status, json!({"id": id, "status": "pending"}));

    sandbox.advance(Duration::from_secs(300));
    let payment = sandbox.toffeepay().pay(id, Payer::new(Method::ApplePay)).unwrap();
    let ids = [("sess_abc123", id), ("pay_xyz789", payment.as_str())];
    let paid = fixture(include_str!("../fixtures/get_session.response.json"), &ids);
    assert_eq!(ok(&sandbox, "GetSession", json!({"id": id})).await, paid);
    let list = fixture(include_str!("../fixtures/list_sessions.response.json"), &ids);
    let request = fixture(include_str!("../fixtures/list_sessions.request.json"), &[]);
    assert_eq!(ok(&sandbox, "ListSessions", request).await, list);

    let mut expected = fixture(include_str!("../fixtures/get_payment.response.json"), &ids);
    expected["succeeded_at"] = json!("2023-06-01T12:05:00Z");
    assert_eq!(ok(&sandbox, "GetPayment", json!({"id": payment})).await, expected);
    let request = fixture(include_str!("../fixtures/list_payments.request.json"), &[]);
    let mut list = fixture(include_str!("../fixtures/list_payments.response.json"), &ids);
    list["payments"] = json!([expected]);
    assert_eq!(ok(&sandbox, "ListPayments", request).await, list);
}

#[tokio::test]
async fn the_field_order_is_that_of_the_samples() {
    let sandbox = start().await;
    let (session, _) = paid_session(&sandbox).await;
    let answer = call(&sandbox, "GetSession", json!({"id": session})).await;
    let names = ["id", "status", "payment_id", "user_id", "game_id", "item", "tax", "created_at"];
    let places: Vec<_> = names.map(|name| answer.body.find(&format!("\"{name}\":"))).to_vec();
    assert!(places.is_sorted() && places[0].is_some(), "{}", answer.body);
}

#[tokio::test]
async fn answers_are_wrapped_on_request() {
    let sandbox = Sandbox::start(config().wrapped(true)).await.unwrap();
    let created = ok(&sandbox, "CreateSession", session_request("space_shooter")).await;
    let id = created["id"].as_str().unwrap();
    let url = created["url"].as_str().unwrap();
    let ids = [("sess_abc123", id), (&format!("https://pay.toffeepay.com/{id}"), url)];
    let expected = include_str!("../fixtures/create_session.response.wrapped.json");
    assert_eq!(created, fixture(expected, &ids));

    sandbox.advance(Duration::from_secs(300));
    let payment = sandbox.toffeepay().pay(id, Payer::new(Method::ApplePay)).unwrap();
    let ids = [
        ("sess_abc123", id),
        (&format!("https://pay.toffeepay.com/{id}"), url),
        ("pay_xyz789", &payment),
        ("12:05:30", "12:05:00"),
    ];
    let expected = include_str!("../fixtures/get_session.response.wrapped.json");
    assert_eq!(ok(&sandbox, "GetSession", json!({"id": id})).await, fixture(expected, &ids));
    let expected = include_str!("../fixtures/get_payment.response.wrapped.json");
    assert_eq!(ok(&sandbox, "GetPayment", json!({"id": payment})).await, fixture(expected, &ids));

    let request = json!({"payment_id": payment, "reason": "Customer request"});
    let refund = ok(&sandbox, "CreateRefund", request).await;
    let refund_id = refund["id"].as_str().unwrap();
    let ids = [("ref_xyz789", refund_id), ("pay_xyz789", &payment), ("12:00:00", "12:05:00")];
    let expected = include_str!("../fixtures/create_refund.response.wrapped.json");
    assert_eq!(refund, fixture(expected, &ids));
    sandbox.toffeepay().settle_refund(refund_id, RefundOutcome::Succeed).unwrap();
    let expected = include_str!("../fixtures/get_refund.response.wrapped.json");
    assert_eq!(ok(&sandbox, "GetRefund", json!({"id": refund_id})).await, fixture(expected, &ids));
}

#[tokio::test]
async fn camel_case_and_unknown_fields_are_read() {
    let sandbox = start().await;
    let request = json!({
        "gameId": "space_shooter", "userId": "player_7", "walletEnabled": false, "novelty": [1],
        "item": {"title": "Gem", "price": 100, "currency": "EUR", "extra": {"x": 1}},
        "returnUrl": "https://example.com/back",
    });
    let created = ok(&sandbox, "CreateSession", request).await;
    let read = ok(&sandbox, "GetSession", json!({"id": created["id"]})).await;
    assert_eq!(read["user_id"], "player_7");
    let snapshot = sandbox.toffeepay().snapshot();
    assert_eq!(snapshot["sessions"][0]["wallet_enabled"], false);
}

#[tokio::test]
async fn sessions_end_as_the_specification_says() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let status = async |id: &str| {
        let session = ok(&sandbox, "GetSession", json!({"id": id})).await;
        session["status"].as_str().unwrap().to_owned()
    };

    let failed = session(&sandbox).await;
    for expected in ["pending", "pending", "failed"] {
        toffeepay.decline(&failed, Decline::InsufficientFunds).unwrap();
        assert_eq!(status(&failed).await, expected);
    }
    assert!(toffeepay.decline(&failed, Decline::Declined).is_err());

    let cancelled = session(&sandbox).await;
    for expected in ["pending", "pending", "cancelled"] {
        toffeepay.cancel_attempt(&cancelled).unwrap();
        assert_eq!(status(&cancelled).await, expected);
    }

    let by_call = session(&sandbox).await;
    assert_eq!(ok(&sandbox, "CancelSession", json!({"id": by_call})).await, json!({}));
    assert_eq!(status(&by_call).await, "cancelled");
    let again = call(&sandbox, "CancelSession", json!({"id": by_call})).await;
    assert_error(&again, 400, "failed_precondition");

    let expired = session(&sandbox).await;
    sandbox.advance(Duration::from_secs(1799));
    assert_eq!(status(&expired).await, "pending");
    sandbox.advance(Duration::from_secs(3600));
    let read = ok(&sandbox, "GetSession", json!({"id": expired})).await;
    assert_eq!(read["expired_at"], "2023-06-01T12:30:00Z");
    let refused = call(&sandbox, "CancelSession", json!({"id": expired})).await;
    assert_error(&refused, 400, "session_expired");
    assert!(toffeepay.pay(&expired, Payer::default()).is_err());
}

#[tokio::test]
async fn a_held_payment_is_completed_or_cancelled() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let session = session_of(&sandbox, "space_shooter_manual").await;
    let first = toffeepay.pay(&session, Payer::new(Method::ApplePay)).unwrap();
    let read = ok(&sandbox, "GetPayment", json!({"id": first})).await;
    assert_eq!(read["status"], "authorized");
    assert_eq!(read["authorized_at"], "2023-06-01T12:00:00Z");
    let listed = ok(&sandbox, "ListPayments", json!({"game_id": "space_shooter_manual"})).await;
    assert_eq!(listed["total"], 0, "only successful payments are listed");

    assert_eq!(ok(&sandbox, "CancelPayment", json!({"id": first})).await, json!({}));
    let again = call(&sandbox, "CompletePayment", json!({"id": first})).await;
    assert_error(&again, 400, "failed_precondition");
    let read = ok(&sandbox, "GetSession", json!({"id": session})).await;
    assert_eq!(read["status"], "pending", "one cancelled attempt leaves the session open");

    let second = toffeepay.pay(&session, Payer::new(Method::GooglePay).country("DE")).unwrap();
    assert_eq!(ok(&sandbox, "CompletePayment", json!({"id": second})).await, json!({}));
    let read = ok(&sandbox, "GetSession", json!({"id": session})).await;
    assert_eq!((&read["status"], &read["payment_id"]), (&json!("paid"), &json!(second)));
    assert_eq!(read["tax"], json!({"amount": 95}));
    let refused = call(&sandbox, "CancelPayment", json!({"id": second})).await;
    assert_error(&refused, 400, "failed_precondition");
}

#[tokio::test]
async fn refunds_are_made_settled_and_listed() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let (_, payment) = paid_session(&sandbox).await;
    let request = json!({"payment_id": payment});
    let first = ok(&sandbox, "CreateRefund", request.clone()).await;
    assert_error(&call(&sandbox, "CreateRefund", request.clone()).await, 409, "already_refunded");
    toffeepay.settle_refund(first["id"].as_str().unwrap(), RefundOutcome::Fail).unwrap();
    let read = ok(&sandbox, "GetRefund", json!({"id": first["id"]})).await;
    assert_eq!(
        (&read["status"], &read["error"]["code"]),
        (&json!("failed"), &json!("insufficient_funds"))
    );

    let second = ok(&sandbox, "CreateRefund", request.clone()).await;
    sandbox.advance(Duration::from_secs(2 * 24 * 3600));
    let read = ok(&sandbox, "GetRefund", json!({"id": second["id"]})).await;
    assert_eq!(read["status"], "succeeded");
    let read = ok(&sandbox, "GetPayment", json!({"id": payment})).await;
    assert_eq!(
        (&read["status"], &read["refunded_at"]),
        (&json!("refunded"), &json!("2023-06-03T12:05:00Z"))
    );
    assert_error(&call(&sandbox, "CreateRefund", request).await, 409, "already_refunded");

    let list = json!({"payment_id": payment, "status": "succeeded"});
    let list = ok(&sandbox, "ListRefunds", list).await;
    assert_eq!((&list["refunds"][0]["id"], &list["total"]), (&second["id"], &json!(1)));
    let all = ok(&sandbox, "ListRefunds", json!({})).await;
    assert_eq!((&all["refunds"][0]["id"], &all["total"]), (&second["id"], &json!(2)));
    let listed = ok(&sandbox, "ListPayments", json!({"game_id": "space_shooter"})).await;
    assert_eq!(listed["payments"][0]["status"], "refunded");
}

#[tokio::test]
async fn a_refund_is_refused_for_its_own_reasons() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let unknown = call(&sandbox, "CreateRefund", json!({"payment_id": "pay_nobody"})).await;
    let fixture = include_str!("../fixtures/error.payment_not_found.json");
    assert_eq!(unknown.json(), serde_json::from_str::<Value>(fixture).unwrap());
    assert_eq!(unknown.status(), 404);

    let later = session(&sandbox).await;
    let payment = toffeepay.pay(&later, Payer::new(Method::Paylater)).unwrap();
    let refused = call(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
    assert_error(&refused, 400, "refund_not_allowed");

    let open = session(&sandbox).await;
    let payment = toffeepay.start_payment(&open, Payer::default()).unwrap();
    let refused = call(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
    assert_error(&refused, 400, "failed_precondition");

    let (_, payment) = paid_session(&sandbox).await;
    control(&sandbox, "PUT", "/toffeepay/settings", json!({"merchant_balance": 498})).await;
    let refused = call(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
    assert_error(&refused, 400, "insufficient_funds");
    control(&sandbox, "PUT", "/toffeepay/settings", json!({"merchant_balance": 499})).await;
    ok(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
    assert_eq!(toffeepay.settings().merchant_balance, Some(0));
}

#[tokio::test]
async fn topups_are_read_wrapped_and_listed() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let player = GameUser { game_id: "game_xyz123".to_owned(), user_id: "player_32".to_owned() };
    toffeepay.set_game("game_xyz123", Game::default());
    sandbox.advance(Duration::from_secs(300));
    let topup = TopUp {
        wallet_user_id: Some("user_xyz123".to_owned()),
        game_users: vec![player],
        ..TopUp::default()
    };
    let id = toffeepay.top_up(topup.clone()).unwrap();
    sandbox.advance(Duration::from_secs(30));
    toffeepay.step_topup(&id, Step::Succeed).unwrap();
    let ids = [("wp_xyz789", id.as_str())];
    let expected = fixture(include_str!("../fixtures/get_topup.response.json"), &ids);
    assert_eq!(ok(&sandbox, "GetTopup", json!({"id": id})).await, expected);
    let request = fixture(include_str!("../fixtures/list_topups.request.json"), &[]);
    let expected = fixture(include_str!("../fixtures/list_topups.response.json"), &ids);
    assert_eq!(ok(&sandbox, "ListTopups", request).await, expected);
    for other in [json!({"wallet_user_id": "user_1"}), json!({"game_user_id": "player_1"})] {
        let mut request = json!({"game_id": "game_xyz123"});
        request.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        assert_eq!(ok(&sandbox, "ListTopups", request).await["total"], 0);
    }
    for (step, status) in [(Step::Authorize, "authorized"), (Step::Cancel, "cancelled")] {
        let id = toffeepay.top_up(TopUp { outcome: Some(step), ..topup.clone() }).unwrap();
        assert_eq!(ok(&sandbox, "GetTopup", json!({"id": id})).await["topup"]["status"], status);
    }
    assert!(toffeepay.step_topup(&id, Step::Fail).is_err(), "it has succeeded");
}

#[tokio::test]
async fn a_wallet_payment_shows_its_split_when_asked() {
    let sandbox = start().await;
    let session = session(&sandbox).await;
    let payer = Payer { bonus_amount: 100, ..Payer::new(Method::ToffeeWallet) };
    let payment = sandbox.toffeepay().pay(&session, payer).unwrap();
    let plain = ok(&sandbox, "GetPayment", json!({"id": payment})).await;
    assert_eq!(plain.get("extra_data"), None);
    let request = json!({"id": payment, "with_extra_data": true});
    let split = ok(&sandbox, "GetPayment", request).await;
    assert_eq!(split["extra_data"], json!({"real_amount": 399, "bonus_amount": 100}));
}

#[tokio::test]
async fn lists_are_paged_newest_first() {
    let sandbox = start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(session(&sandbox).await);
    }
    session_of(&sandbox, "space_shooter_manual").await;
    ids.reverse();
    let mut seen = Vec::new();
    for (offset, count, more) in [(0, 2, true), (2, 2, true), (4, 1, false), (6, 0, false)] {
        let request = json!({"game_id": "space_shooter", "limit": 2, "offset": offset});
        let page = ok(&sandbox, "ListSessions", request).await;
        assert_eq!(page["total"], 5);
        assert_eq!(page["has_more"], more);
        let rows = page["sessions"].as_array().unwrap();
        assert_eq!(rows.len(), count);
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
    }
    assert_eq!(seen, ids);
    for bad in [
        json!({"limit": 0}),
        json!({"limit": 101}),
        json!({"offset": -1}),
        json!({"status": "done"}),
        json!({"limit": "ten"}),
    ] {
        let mut request = json!({"game_id": "space_shooter"});
        request.as_object_mut().unwrap().extend(bad.as_object().unwrap().clone());
        assert_error(&call(&sandbox, "ListSessions", request).await, 400, "invalid_argument");
    }
    for method in ["ListSessions", "ListPayments", "ListTopups"] {
        let refused = call(&sandbox, method, json!({"game_id": "nobody"})).await;
        assert_error(&refused, 400, "invalid_game_id");
    }
}
