//! Tokens that are refreshed before they run out.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use paymux_core::{Effect, Error, ErrorKind, ManualClock, Result, Timestamp};
use paymux_ramp::{Grant, GrantKeeper, RefreshingTokens, TokenSource};
use serde_json::{Value, json};
use url::Url;
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{method, path},
};

use crate::{USER, grant, http, secret, shown};

const NOW: Timestamp = Timestamp::from_seconds(1_717_430_400);
/// Gives `access-1` with `refresh-1`, then `access-2` with `refresh-2`, and so on, each for an hour.
async fn issuer() -> MockServer {
    let server = MockServer::start().await;
    let issued = Mutex::new(0);
    let answer = move |_: &Request| {
        let mut issued = issued.lock().expect("a count");
        *issued += 1;
        ResponseTemplate::new(200).set_body_json(json!({
            "access_token": format!("access-{issued}"),
            "refresh_token": format!("refresh-{issued}"),
            "expires_in": 3600,
        }))
    };
    Mock::given(method("POST"))
        .and(path("/reg/auth/token"))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// The refresh tokens that were sent, in order.
async fn refreshes(server: &MockServer) -> Vec<String> {
    let requests = server.received_requests().await.unwrap_or_default();
    let token = |request: &Request| -> Value { request.body_json().expect("JSON") };
    let bodies = requests.iter().map(token);
    bodies.map(|body| body["refresh_token"].as_str().unwrap_or_default().to_owned()).collect()
}

fn tokens(server: &MockServer, clock: &Arc<ManualClock>) -> RefreshingTokens {
    let url = Url::parse(&server.uri()).expect("a URL");
    RefreshingTokens::new(&url, http()).expect("a source").clock(clock.clone())
}

#[tokio::test]
async fn a_token_is_refreshed_a_minute_before_its_end() {
    let (server, clock) = (issuer().await, Arc::new(ManualClock::new(NOW)));
    let tokens = tokens(&server, &clock);
    let end = NOW.after(Duration::from_secs(600));
    tokens.set(USER, grant(Some(("access-0", Some(end))), "refresh-0"));
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-0");
    clock.advance(Duration::from_millis(539_999));
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-0");
    clock.advance(Duration::from_millis(1));
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
    // It lives for an hour from when it was asked for.
    clock.set(NOW.after(Duration::from_secs(540 + 3600 - 61)));
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
    clock.advance(Duration::from_secs(1));
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-2");
    assert_eq!(refreshes(&server).await, ["refresh-0", "refresh-1"]);
}

#[tokio::test]
async fn one_refresh_serves_all_who_ask_at_once() {
    let (server, clock) = (issuer().await, Arc::new(ManualClock::new(NOW)));
    let tokens = tokens(&server, &clock);
    tokens.set(USER, grant(None, "refresh-0"));
    tokens.set("user-2", grant(None, "other-0"));
    let (a, b, c, other) = tokio::join!(
        tokens.token(USER),
        tokens.token(USER),
        tokens.token(USER),
        tokens.token("user-2"),
    );
    let (a, b, c) = (a.expect("a token"), b.expect("a token"), c.expect("a token"));
    assert!(shown(&a) == shown(&b) && shown(&b) == shown(&c));
    assert_ne!(shown(&a), shown(&other.expect("a token")));
    let mut sent = refreshes(&server).await;
    sent.sort();
    assert_eq!(sent, ["other-0", "refresh-0"]);
}

#[tokio::test]
async fn only_the_token_that_was_refused_is_given_up() {
    let (server, clock) = (issuer().await, Arc::new(ManualClock::new(NOW)));
    let tokens = tokens(&server, &clock);
    tokens.set(USER, grant(Some(("access-0", None)), "refresh-0"));
    tokens.invalidate(USER, &secret("an older one")).await;
    tokens.invalidate("nobody", &secret("access-0")).await;
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-0");
    tokens.invalidate(USER, &secret("access-0")).await;
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
    // Two calls were refused with the same token; the second report comes late.
    tokens.invalidate(USER, &secret("access-0")).await;
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
    assert_eq!(refreshes(&server).await, ["refresh-0"]);
}

/// Keeps what it is told, unless it is out of order.
#[derive(Debug, Default)]
struct Keeper {
    broken: Mutex<bool>,
    kept: Mutex<Vec<String>>,
}

#[async_trait]
impl GrantKeeper for Keeper {
    async fn keep(&self, end_user: &str, grant: &Grant) -> Result<()> {
        if *self.broken.lock().expect("a flag") {
            let message = "the store is out of order";
            return Err(Error::new(ErrorKind::Unavailable, Effect::Possible, message));
        }
        let line = format!("{end_user} {}", shown(&grant.refresh));
        self.kept.lock().expect("lines").push(line);
        Ok(())
    }
}

#[tokio::test]
async fn a_grant_is_kept_before_its_token_is_given() {
    let (server, clock) = (issuer().await, Arc::new(ManualClock::new(NOW)));
    let keeper = Arc::new(Keeper::default());
    let tokens = tokens(&server, &clock).keeper(keeper.clone());
    tokens.set(USER, grant(None, "refresh-0"));
    *keeper.broken.lock().expect("a flag") = true;
    let error = tokens.token(USER).await.expect_err("a refusal");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    *keeper.broken.lock().expect("a flag") = false;
    // The refresh is not made again: its first answer is kept now.
    for _ in 0..2 {
        assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
    }
    assert_eq!(refreshes(&server).await, ["refresh-0"]);
    assert_eq!(*keeper.kept.lock().expect("lines"), ["user-1 refresh-1"]);
}

#[tokio::test]
async fn what_the_issuer_leaves_out_is_not_made_up() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "access_token": "access-1" }));
    Mock::given(method("POST"))
        .and(path("/auth/v2/token"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let clock = Arc::new(ManualClock::new(NOW));
    let tokens = tokens(&server, &clock).path("/auth/v2/token").expect("a path");
    let tokens = tokens.header("partnerId", &secret("partner-7")).expect("a header");
    tokens.set(USER, grant(None, "refresh-0"));
    tokens.token(USER).await.expect("a token");
    // Without an end it is good until it is refused; the old refresh token stays good.
    clock.advance(Duration::from_secs(365 * 24 * 3600));
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
    tokens.invalidate(USER, &secret("access-1")).await;
    tokens.token(USER).await.expect("a token");
    assert_eq!(refreshes(&server).await, ["refresh-0", "refresh-0"]);
    let requests = server.received_requests().await.unwrap_or_default();
    assert!(requests.iter().all(|request| request.headers["partnerid"] == "partner-7"));
}

/// The token that was given is worth more than the word for how long it lives.
#[tokio::test]
async fn a_life_that_cannot_be_read_costs_no_log_in() {
    for life in [json!("a day"), json!({}), json!(-1), json!(0.5), json!("")] {
        let (server, clock) = (MockServer::start().await, Arc::new(ManualClock::new(NOW)));
        let body = json!({
            "access_token": "access-1", "refresh_token": "refresh-1", "expires_in": life,
        });
        let answer = ResponseTemplate::new(200).set_body_json(&body);
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        let keeper = Arc::new(Keeper::default());
        let tokens = tokens(&server, &clock).keeper(keeper.clone());
        tokens.set(USER, grant(None, "refresh-0"));
        assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1", "{life}");
        assert_eq!(*keeper.kept.lock().expect("lines"), ["user-1 refresh-1"], "{life}");
        // Its end is not known, so it is good until it is refused.
        clock.advance(Duration::from_secs(30 * 24 * 3600));
        assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1", "{life}");
    }
}

/// A log-in that comes while the older grant is refreshed is the newer word, whether the refresh
/// works out or not.
#[tokio::test]
async fn a_grant_that_is_set_during_a_refresh_wins() {
    for status in [200, 401] {
        let (server, clock) = (MockServer::start().await, Arc::new(ManualClock::new(NOW)));
        let keeper = Arc::new(Keeper::default());
        let tokens = Arc::new(tokens(&server, &clock).keeper(keeper.clone()));
        tokens.set(USER, grant(None, "refresh-0"));
        let logged_in = Arc::clone(&tokens);
        let answer = move |_: &Request| {
            logged_in.set(USER, grant(Some(("access-new", None)), "refresh-new"));
            ResponseTemplate::new(status).set_body_json(json!({
                "access_token": "access-old", "refresh_token": "refresh-old", "expires_in": 3600,
            }))
        };
        Mock::given(method("POST")).respond_with(answer).mount(&server).await;
        assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-new", "{status}");
        assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-new", "{status}");
        assert!(keeper.kept.lock().expect("lines").is_empty(), "the older one is not stored");
        assert_eq!(refreshes(&server).await, ["refresh-0"]);
    }
}

/// A keeper during whose work somebody logs in.
#[derive(Debug, Default)]
struct LateKeeper {
    tokens: std::sync::OnceLock<Arc<RefreshingTokens>>,
    kept: Mutex<Vec<String>>,
}

#[async_trait]
impl GrantKeeper for LateKeeper {
    async fn keep(&self, _: &str, grant: &Grant) -> Result<()> {
        let refresh = shown(&grant.refresh).to_owned();
        if refresh == "refresh-1" {
            let tokens = self.tokens.get().expect("a source");
            tokens.set(USER, self::grant(Some(("access-new", None)), "refresh-new"));
        }
        self.kept.lock().expect("lines").push(refresh);
        Ok(())
    }
}

#[tokio::test]
async fn a_grant_that_is_set_while_the_older_one_is_stored_is_stored_last() {
    let (server, clock) = (issuer().await, Arc::new(ManualClock::new(NOW)));
    let keeper = Arc::new(LateKeeper::default());
    let tokens = Arc::new(tokens(&server, &clock).keeper(keeper.clone()));
    tokens.set(USER, grant(None, "refresh-0"));
    keeper.tokens.set(Arc::clone(&tokens)).expect("once");
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-new");
    assert_eq!(*keeper.kept.lock().expect("lines"), ["refresh-1", "refresh-new"]);
}
