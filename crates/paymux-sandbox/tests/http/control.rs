//! The control API: its help is true, and it does what the Rust handle does.

use paymux_sandbox::toffeepay::{Decline, Payer};
use serde_json::{Value, json};

use crate::support::{assert_error, call, control, get, ok, send, session, session_request, start};

/// Every route of the help, with its example as the body, finds something that answers it.
#[tokio::test]
async fn every_route_of_the_help_exists_and_its_example_works() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    let url = format!("{}control", sandbox.url());
    let help = send(&url, "GET", &[("Accept", "application/json")], "").await.unwrap().json();
    let routes = help["routes"].as_array().unwrap();
    assert!(routes.len() >= 77, "{}", routes.len());
    for route in routes {
        let mut path = route["path"].as_str().unwrap().to_owned();
        let example = route["example"].as_str().unwrap();
        let body = example.split_once(" -d '").map(|(_, body)| body.trim_end_matches('\''));
        sandbox.reset();
        let id = if path.contains("/ramp/") {
            crate::ramp::ready_for(&sandbox, &path).await
        } else if path.contains("/wallet/") {
            crate::wallet::ready_for(&sandbox, &path).await
        } else if path.contains("/sessions/") {
            session(&sandbox).await
        } else if path.contains("/payments/") {
            let session = session(&sandbox).await;
            toffeepay.start_payment(&session, Payer::default()).unwrap()
        } else if path.contains("/topups/") {
            control(&sandbox, "POST", "/toffeepay/topups", json!({})).await.json()["id"]
                .as_str()
                .unwrap()
                .to_owned()
        } else if path.contains("/refunds/") {
            let session = session(&sandbox).await;
            let payment = toffeepay.pay(&session, Payer::default()).unwrap();
            let refund = ok(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
            refund["id"].as_str().unwrap().to_owned()
        } else if path.contains("/invoices/") {
            crate::milkypay::ready_for(&sandbox, &path).await
        } else {
            String::new()
        };
        for (name, value) in [
            ("{id}", id.as_str()),
            ("{key}", id.as_str()),
            ("{wallet}", id.as_str()),
            ("{game_id}", "new_game"),
            ("{code}", "new_service"),
            ("{step}", "succeed"),
            ("{outcome}", "succeed"),
        ] {
            path = path.replace(name, value);
        }
        let url = format!("{}{}", sandbox.url(), path.trim_start_matches('/'));
        let method = route["method"].as_str().unwrap();
        let answer = send(&url, method, &[], body.unwrap_or_default()).await.unwrap();
        assert_eq!(answer.status(), 200, "{method} {path}: {}", answer.body);
    }
    let text = get(&url).await;
    for key in [
        "sandbox_toffeepay_key",
        "sandbox_milkypay_key",
        "sandbox_wallet_mac_key",
        "sandbox_ramp_token",
    ] {
        assert!(text.body.contains(key), "{}", text.body);
    }
    assert!(text.body.contains(&format!("curl -s -X POST {url}/time/advance")), "{}", text.body);
}

#[tokio::test]
async fn a_purchase_can_be_driven_with_curl() {
    let sandbox = start().await;
    let id = session(&sandbox).await;
    let path = |action: &str| format!("/toffeepay/sessions/{id}/{action}");
    let declined = json!({"reason": "insufficient_funds"});
    let declined = control(&sandbox, "POST", &path("decline"), declined).await.json();
    assert_eq!(declined["payment"]["error"]["code"], "insufficient_funds");
    let paid = json!({"method": "paypal", "country": "GB"});
    let paid = control(&sandbox, "POST", &path("pay"), paid).await.json();
    assert_eq!(paid["payment"]["status"], "succeeded");
    let state = control(&sandbox, "GET", "/toffeepay/state", Value::Null).await.json();
    assert_eq!(state["sessions"][0]["tax"], 100);
    assert_eq!(state["payments"][1]["method"], "paypal");
    let again = control(&sandbox, "POST", &path("pay"), json!({})).await;
    assert_eq!((again.status(), again.json()), (409, json!({"error": "session is not pending"})));
    let nobody = control(&sandbox, "POST", "/toffeepay/sessions/nobody/pay", json!({})).await;
    assert_eq!(nobody.status(), 404);
}

#[tokio::test]
async fn time_settings_and_games_are_changed() {
    let sandbox = start().await;
    let id = session(&sandbox).await;
    let moved = control(&sandbox, "POST", "/time/advance", json!({"seconds": 1800})).await;
    assert_eq!(moved.json(), json!({"time": "2023-06-01T12:30:00Z"}));
    let status = ok(&sandbox, "GetSessionStatus", json!({"id": id})).await;
    assert_eq!(status["status"], "expired");

    let changes = json!({"session_lifetime_seconds": 60, "wrapped": true});
    let settings = control(&sandbox, "PUT", "/toffeepay/settings", changes).await.json();
    assert_eq!((&settings["wrapped"], &settings["max_limit"]), (&json!(true), &json!(100)));
    let wrong = control(&sandbox, "PUT", "/toffeepay/settings", json!({"wraped": true})).await;
    assert_eq!(wrong.status(), 400);
    let id = session(&sandbox).await;
    control(&sandbox, "POST", "/time/advance", json!({"seconds": 60})).await;
    let read = ok(&sandbox, "GetSession", json!({"id": id})).await;
    assert_eq!(read["session"]["status"], "expired");

    let refused = call(&sandbox, "CreateSession", session_request("chess")).await;
    assert_error(&refused, 400, "invalid_game_id");
    control(&sandbox, "PUT", "/toffeepay/games/chess", json!({"capture": "manual"})).await;
    ok(&sandbox, "CreateSession", session_request("chess")).await;

    control(&sandbox, "POST", "/reset", Value::Null).await;
    let snapshot = sandbox.toffeepay().snapshot();
    assert_eq!(snapshot["sessions"], json!([]));
    assert_eq!(snapshot["settings"]["wrapped"], false);
    assert_eq!(snapshot["games"].as_object().unwrap().len(), 2);
    assert_eq!(snapshot["time"], "2023-06-01T12:31:00Z", "time never goes back");
}

#[tokio::test]
async fn the_webhook_endpoint_is_checked_and_its_secret_shown() {
    let sandbox = start().await;
    let set = json!({"url": "http://127.0.0.1:9/hook", "scheme": "standard"});
    let answer = control(&sandbox, "PUT", "/toffeepay/webhook", set).await.json();
    assert_eq!(answer["url"], "http://127.0.0.1:9/hook");
    assert_eq!(answer["secret"], sandbox.toffeepay().standard_secret());
    let none = control(&sandbox, "PUT", "/toffeepay/webhook", json!({"url": null})).await.json();
    assert_eq!((&none["url"], &none["scheme"]), (&Value::Null, &json!("standard")));
    for bad in [json!({"url": "https://example.com"}), json!({"scheme": "x"}), json!({"uri": ""})] {
        assert_eq!(control(&sandbox, "PUT", "/toffeepay/webhook", bad).await.status(), 400);
    }
}

#[tokio::test]
async fn pages_of_other_sites_cannot_drive_it() {
    let sandbox = start().await;
    let url = format!("{}control/reset", sandbox.url());
    let foreign = send(&url, "POST", &[("Origin", "http://example.com")], "").await.unwrap();
    assert_eq!(foreign.status(), 403);
    let own = sandbox.url().origin().ascii_serialization();
    assert_eq!(send(&url, "POST", &[("Origin", &own)], "").await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_does_not_exist_says_so() {
    let sandbox = start().await;
    for (method, path) in [
        ("GET", "/nothing"),
        ("POST", "/toffeepay/sessions/x/dance"),
        ("GET", "/toffeepay/nothing"),
    ] {
        assert_eq!(control(&sandbox, method, path, Value::Null).await.status(), 404, "{path}");
    }
}

/// A fault with a slip of the pen would wait for ever, or strike everywhere.
#[tokio::test]
async fn a_fault_that_names_nothing_is_refused() {
    let sandbox = start().await;
    for fault in [
        json!({"kind": "drop_reply", "opertion": "CreateSession"}),
        json!({"kind": "drop_reply", "operation": "CreateSesion"}),
        json!({"kind": "error_before", "operation": "CreateSession", "status": 200}),
    ] {
        let answer = control(&sandbox, "POST", "/faults", fault.clone()).await;
        assert_eq!(answer.status(), 400, "{fault}: {}", answer.body);
    }
    assert!(sandbox.faults().is_empty());
}

/// Every event that is sent can be named in a fault.
#[tokio::test]
async fn faults_know_every_event() {
    let sandbox = start().await;
    let toffeepay = sandbox.toffeepay();
    for outcome in ["succeed", "fail", "cancel"] {
        let payment = toffeepay.pay(&session(&sandbox).await, Payer::default()).unwrap();
        let refund = ok(&sandbox, "CreateRefund", json!({"payment_id": payment})).await;
        let id = refund["id"].as_str().unwrap();
        let path = format!("/toffeepay/refunds/{id}/{outcome}");
        assert_eq!(control(&sandbox, "POST", &path, Value::Null).await.status(), 200);
        let outcome = json!({"outcome": outcome});
        assert_eq!(control(&sandbox, "POST", "/toffeepay/topups", outcome).await.status(), 200);
    }
    toffeepay.authorize(&session(&sandbox).await, Payer::default()).unwrap();
    toffeepay.cancel_attempt(&session(&sandbox).await).unwrap();
    toffeepay.decline(&session(&sandbox).await, Decline::Declined).unwrap();
    toffeepay.abandon(&session(&sandbox).await).unwrap();
    toffeepay.expire(&session(&sandbox).await).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for delivery in toffeepay.webhooks().as_array().unwrap() {
        names.insert(delivery["event"].as_str().unwrap().to_owned());
    }
    assert_eq!(names.len(), 16, "{names:?}");
    for name in names {
        let fault = json!({"kind": "drop_webhook", "operation": name});
        let answer = control(&sandbox, "POST", "/faults", fault).await;
        assert_eq!(answer.status(), 200, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_stopped_sandbox_frees_its_port() {
    let sandbox = start().await;
    let address = sandbox.url().socket_addrs(|| None).unwrap()[0];
    sandbox.shutdown().await;
    let again = crate::support::config().port(address.port());
    let again = paymux_sandbox::Sandbox::start(again).await.unwrap();
    let taken = paymux_sandbox::Sandbox::start(crate::support::config().port(address.port())).await;
    assert!(matches!(taken, Err(paymux_sandbox::SandboxError::Bind { .. })));
    assert_eq!(get(again.url().as_str()).await.status(), 200);
}

#[tokio::test]
async fn a_dropped_sandbox_stops() {
    let sandbox = start().await;
    let address = sandbox.url().socket_addrs(|| None).unwrap()[0];
    drop(sandbox);
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
}
