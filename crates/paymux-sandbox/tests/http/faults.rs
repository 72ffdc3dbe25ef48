//! Faults of the API: what was done, and what was said about it.

use paymux_sandbox::{Fault, FaultKind, Sandbox};
use serde_json::{Value, json};

use crate::support::{assert_error, call, control, ok, session, session_request, start, try_call};

fn sessions(sandbox: &Sandbox) -> usize {
    sandbox.toffeepay().snapshot()["sessions"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_dropped_reply_leaves_its_effect() {
    let sandbox = start().await;
    sandbox.inject(Fault::new(FaultKind::DropReply).on("CreateSession"));
    let request = session_request("space_shooter");
    assert!(try_call(&sandbox, "CreateSession", Some("key"), &request).await.is_none());
    assert_eq!(sessions(&sandbox), 1);
    let retried = try_call(&sandbox, "CreateSession", Some("key"), &request).await.unwrap();
    assert_eq!(retried.status(), 200);
    assert_eq!(sessions(&sandbox), 1, "the key protects the retry");
    let id = sandbox.toffeepay().snapshot()["sessions"][0]["id"].clone();
    assert_eq!(retried.json()["id"], id);
}

#[tokio::test]
async fn an_error_after_the_commit_leaves_its_effect() {
    let sandbox = start().await;
    let request = session_request("space_shooter");
    for (status, code) in [(500, "internal"), (503, "unavailable")] {
        sandbox.reset();
        sandbox.inject(Fault::new(FaultKind::ErrorAfterCommit { status }));
        let failed = try_call(&sandbox, "CreateSession", Some("key"), &request).await.unwrap();
        assert_error(&failed, status, code);
        assert_eq!(sessions(&sandbox), 1);
        let retried = try_call(&sandbox, "CreateSession", Some("key"), &request).await.unwrap();
        assert_eq!((retried.status(), sessions(&sandbox)), (200, 1));
    }
}

#[tokio::test]
async fn an_error_before_has_no_effect() {
    let sandbox = start().await;
    let kind = FaultKind::ErrorBefore { status: 429, retry_after_seconds: Some(7) };
    sandbox.inject(Fault::new(kind).on("Create*").times(2));
    let request = session_request("space_shooter");
    for _ in 0..2 {
        let failed = try_call(&sandbox, "CreateSession", Some("key"), &request).await.unwrap();
        assert_error(&failed, 429, "resource_exhausted");
        assert_eq!(failed.header("retry-after"), Some("7"));
    }
    assert_eq!(sessions(&sandbox), 0);
    assert_eq!(call(&sandbox, "CreateSession", request).await.status(), 200);
}

#[tokio::test]
async fn a_truncated_reply_announces_more_than_it_sends() {
    let sandbox = start().await;
    let whole = call(&sandbox, "CreateSession", session_request("space_shooter")).await;
    sandbox.inject(Fault::new(FaultKind::TruncateReply));
    let half = call(&sandbox, "CreateSession", session_request("space_shooter")).await;
    assert_eq!(half.status(), 200);
    assert_eq!(half.header("content-length"), Some(whole.body.len().to_string().as_str()));
    assert_eq!(half.body.len(), whole.body.len() / 2);
    assert_eq!(half.body[..10], whole.body[..10]);
    assert_eq!(sessions(&sandbox), 2);
}

#[tokio::test]
async fn a_garbage_reply_is_a_page() {
    let sandbox = start().await;
    sandbox.inject(Fault::new(FaultKind::GarbageReply));
    let page = call(&sandbox, "CreateSession", session_request("space_shooter")).await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(serde_json::from_str::<Value>(&page.body).is_err());
    assert_eq!(sessions(&sandbox), 1);
}

#[tokio::test]
async fn a_delayed_reply_has_acted_before_it_arrives() {
    let sandbox = start().await;
    sandbox.inject(Fault::new(FaultKind::DelayReply { delay_ms: 3_600_000 }));
    let late = call(&sandbox, "CreateSession", session_request("space_shooter"));
    tokio::pin!(late);
    // The answer is an hour away, so the session must show before it.
    while sessions(&sandbox) == 0 {
        tokio::select! {
            biased;
            _ = &mut late => panic!("the reply was not delayed"),
            () = tokio::task::yield_now() => {}
        }
    }
    sandbox.inject(Fault::new(FaultKind::DelayReply { delay_ms: 1 }));
    assert_eq!(call(&sandbox, "ListRefunds", json!({})).await.status(), 200);
}

#[tokio::test]
async fn reads_show_an_unknown_status_of_one_object() {
    let sandbox = start().await;
    let one = session(&sandbox).await;
    let other = session(&sandbox).await;
    let fault =
        json!({"kind": "unknown_status", "status": "on_hold", "operation": "Get*", "id": one});
    let injected = control(&sandbox, "POST", "/faults", fault).await;
    assert_eq!(injected.json()["faults"][0]["times"], 1);
    let status =
        async |id: &str| ok(&sandbox, "GetSession", json!({"id": id})).await["status"].clone();
    assert_eq!(status(&other).await, "pending");
    assert_eq!(status(&one).await, "on_hold");
    assert_eq!(status(&one).await, "pending");

    let kind = FaultKind::UnknownStatus { status: "on_hold".to_owned() };
    sandbox.inject(Fault::new(kind).on("ListSessions"));
    let list = ok(&sandbox, "ListSessions", json!({"game_id": "space_shooter"})).await;
    assert_eq!(list["sessions"][1]["status"], "on_hold");
}

#[tokio::test]
async fn faults_are_listed_and_cleared() {
    let sandbox = start().await;
    sandbox.inject(Fault::new(FaultKind::DropReply).on("toffeepay.GetSession").times(3));
    let listed = control(&sandbox, "GET", "/faults", Value::Null).await.json();
    let expected = json!([{"kind": "drop_reply", "operation": "toffeepay.GetSession", "times": 3}]);
    assert_eq!(listed["faults"], expected);
    control(&sandbox, "DELETE", "/faults", Value::Null).await;
    assert!(sandbox.faults().is_empty());
    let unknown = control(&sandbox, "POST", "/faults", json!({"kind": "no_such_fault"})).await;
    assert_eq!(unknown.status(), 400);
}
