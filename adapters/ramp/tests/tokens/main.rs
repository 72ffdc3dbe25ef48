//! Where tokens come from: refreshed in time and once, kept before they are used, and never sent
//! where they are not good.

#![expect(clippy::expect_used, reason = "a test that cannot be set up has failed")]

mod account;
mod refreshing;

use paymux_core::{
    Effect, ErrorKind, SecretString, Timestamp,
    transport::{HttpClient, HttpSettings},
};
use paymux_ramp::{Grant, OneToken, RefreshingTokens, TokenMap, TokenSource};
use secrecy::ExposeSecret;
use url::Url;

const USER: &str = "user-1";

fn http() -> HttpClient {
    HttpClient::new(HttpSettings::default()).expect("a client")
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn shown(token: &SecretString) -> &str {
    token.expose_secret()
}

fn grant(access: Option<(&str, Option<Timestamp>)>, refresh: &str) -> Grant {
    let grant = Grant::new(secret(refresh));
    match access {
        Some((token, until)) => grant.access(secret(token), until),
        None => grant,
    }
}

#[tokio::test]
async fn a_token_of_a_map_is_forgotten_once_refused() {
    let tokens = TokenMap::new();
    let error = tokens.token(USER).await.expect_err("a refusal");
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unauthenticated, Effect::None));
    tokens.set(USER, secret("access-0"));
    tokens.invalidate(USER, &secret("another")).await;
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-0");
    tokens.invalidate(USER, &secret("access-0")).await;
    assert!(tokens.token(USER).await.is_err());
    tokens.set(USER, secret("access-1"));
    tokens.invalidate(USER, &secret("access-0")).await;
    assert_eq!(shown(&tokens.token(USER).await.expect("a token")), "access-1");
}

#[tokio::test]
async fn one_token_stays() {
    let token = OneToken::new(secret("access-0"));
    token.invalidate(USER, &secret("access-0")).await;
    assert_eq!(shown(&token.token("anybody").await.expect("a token")), "access-0");
}

#[test]
fn nothing_shows_a_token() {
    let url = Url::parse("https://ramp.example").expect("a URL");
    let refreshing = RefreshingTokens::new(&url, http()).expect("a source");
    let one = grant(Some(("access-canary", None)), "refresh-canary");
    refreshing.set(USER, one.clone());
    let map = TokenMap::new();
    map.set(USER, secret("access-canary"));
    let token = OneToken::new(secret("access-canary"));
    let text = format!("{one:?} {refreshing:?} {map:?} {token:?}");
    assert!(!text.contains("canary") && !text.contains(USER), "{text}");
}

#[test]
fn where_tokens_are_given_must_be_private() {
    for bad in ["http://ramp.example", "https://u:p@ramp.example", "https://ramp.example?x=1"] {
        let error = RefreshingTokens::new(&Url::parse(bad).expect("a URL"), http());
        assert_eq!(error.expect_err("a refusal").field(), Some("base_url"), "{bad}");
    }
    let url = Url::parse("https://ramp.example").expect("a URL");
    let source = || RefreshingTokens::new(&url, http()).expect("a source");
    for bad in ["", "token", "//", "/a/../b", "/a?b", "/a b"] {
        let error = source().path(bad).expect_err("a refusal");
        assert_eq!(error.field(), Some("token_path"), "{bad}");
    }
    let error = source().header("authorization", &secret("x")).expect_err("a refusal");
    assert_eq!(error.field(), Some("header"));
}
