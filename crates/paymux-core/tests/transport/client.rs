//! How a client is set up, where it refuses to go, and what it shows.

use http::HeaderValue;
use paymux_core::{
    Effect, ErrorKind, SecretString,
    transport::{HttpClient, HttpRequest, HttpSettings, Purpose, secret_header},
};
use url::Url;

use crate::server::{Act, BODY, End, Server, answer, patient, request};

#[test]
fn settings_that_contradict_each_other_are_refused() {
    for (connect, total) in [(30, 30), (31, 30)] {
        let mut settings = HttpSettings::default();
        settings.connect_timeout = std::time::Duration::from_secs(connect);
        settings.timeout = std::time::Duration::from_secs(total);
        let error = HttpClient::new(settings).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Configuration, Effect::None));
        assert_eq!(error.field(), Some("connect_timeout"));
    }
}

#[tokio::test]
async fn nothing_goes_in_clear_text_to_another_machine() {
    let client = patient();
    for url in [
        "http://example.com/",
        "http://10.0.0.1/",
        "http://192.168.0.1:8080/",
        "http://0.0.0.0/",
        "http://128.0.0.1/",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://[::2]/",
        "http://[::ffff:127.0.0.1]/",
        "ftp://127.0.0.1/",
        "file:///etc/hostname",
        "data:,x",
        "unix:/run/x",
    ] {
        for (purpose, body) in [(Purpose::Mutate, BODY), (Purpose::Mutate, ""), (Purpose::Read, "")]
        {
            let error =
                client.send(request(purpose, Url::parse(url).unwrap(), body)).await.expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Configuration, "{url}");
            assert_eq!(error.effect(), Effect::None, "{url}");
            assert_eq!(error.field(), Some("base_url"), "{url}");
            assert_eq!(error.offered(), None, "{url}: no request was made");
            assert!(!error.is_retryable(), "{url}");
        }
    }
}

/// It would be dropped in silence, and shown wherever the URL is.
#[tokio::test]
async fn a_url_with_a_password_is_refused() {
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    for user in ["user:canary", "canary", ":canary"] {
        let url = format!("http://{user}@{}/", server.address());
        let sent = request(Purpose::Mutate, Url::parse(&url).unwrap(), BODY);
        let error = patient().send(sent).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
    assert_eq!(server.accepted(), 0);
}

#[tokio::test]
async fn every_name_of_this_machine_is_reached() {
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    for host in ["127.0.0.1", "localhost", "127.1"] {
        let url = format!("http://{host}:{}/", server.address().port());
        let sent = request(Purpose::Mutate, Url::parse(&url).unwrap(), BODY);
        patient().send(sent).await.unwrap_or_else(|error| panic!("{host}: {error:?}"));
    }
}

fn proxied(url: &str) -> HttpSettings {
    let mut settings = HttpSettings::default();
    settings.proxy = Some(Url::parse(url).unwrap());
    settings
}

/// To this machine clear text is permitted; a proxy could be on another.
#[tokio::test]
async fn a_proxy_is_not_asked_for_this_machine() {
    let proxy = Server::start(Act::AnswerAll(answer("502 Bad Gateway", "")));
    let server = Server::start(Act::AnswerAll(answer("200 OK", "{}")));
    let client = HttpClient::new(proxied(&format!("http://{}", proxy.address()))).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", server.address().port());
        let sent = request(Purpose::Mutate, Url::parse(&url).unwrap(), BODY);
        assert!(client.send(sent).await.unwrap().is_success(), "{host}");
    }
    assert_eq!((server.settled().len(), proxy.accepted()), (2, 0));
}

/// The request itself goes through the tunnel only: a proxy that opens none was shown nothing.
#[tokio::test]
async fn a_proxy_that_opens_no_tunnel_had_nothing() {
    let refusals = [
        answer("407 Proxy Authentication Required", ""),
        answer("502 Bad Gateway", ""),
        b"not a proxy".to_vec(),
        Vec::new(),
    ];
    for refusal in refusals {
        let proxy = Server::start(Act::Answer(refusal, End::Close));
        let client = HttpClient::new(proxied(&format!("http://{}", proxy.address()))).unwrap();
        for body in [BODY, ""] {
            let url = Url::parse("https://pay.invalid/v1/pay").unwrap();
            let error = client.send(request(Purpose::Mutate, url, body)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
            assert_eq!(error.effect(), Effect::None, "{error:?}");
        }
        for asked in proxy.settled() {
            let asked = String::from_utf8(asked).unwrap();
            assert!(asked.starts_with("CONNECT pay.invalid:443 "), "{asked}");
            assert!(!asked.contains("amount"), "{asked}");
        }
    }
}

#[test]
fn a_proxys_password_is_not_shown() {
    let settings = proxied("http://user:canary@127.0.0.1:3128");
    let shown = format!("{settings:?} {:?}", HttpClient::new(settings.clone()).unwrap());
    assert!(shown.contains("127.0.0.1:3128") && !shown.contains("canary"), "{shown}");
    if let Err(error) = HttpClient::new(proxied("gopher://user:canary@127.0.0.1")) {
        assert_eq!(error.field(), Some("proxy"));
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    }
}

#[tokio::test]
async fn a_call_shows_neither_secrets_nor_people() {
    let mut reply = b"HTTP/1.1 200 OK\r\nSet-Cookie: canary\r\n".to_vec();
    reply.extend(b"Content-Length: 8\r\n\r\n\"canary\"");
    let server = Server::start(Act::AnswerAll(reply));
    let secret = SecretString::from("canary");
    let mut url = server.url("http");
    url.set_query(Some("token=canary"));
    let sent = HttpRequest::new(Purpose::Mutate, http::Method::POST, url)
        .header(http::header::AUTHORIZATION, secret_header("key", "Bearer ", &secret).unwrap())
        .header(http::header::COOKIE, HeaderValue::from_static("canary"))
        .json(&"canary")
        .unwrap();
    let shown = format!("{sent:?}");
    assert!(shown.contains("/v1/pay") && shown.contains("authorization"), "{shown}");
    let response = patient().send(sent).await.unwrap();
    let shown = format!("{shown} {response:?}");
    assert!(shown.contains("set-cookie") && shown.contains("200"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn a_secret_that_cannot_stand_in_a_header_is_refused() {
    let long = "canary ".repeat(2);
    for secret in [
        "",
        " ",
        "\t",
        "\n",
        "canary\n",
        "\ncanary",
        "can\r\nX: ary",
        "canary ",
        " canary",
        "canary\0",
        "canarÿ",
        "канарейка",
        "canary\u{7f}",
        long.as_str(),
    ] {
        let secret = SecretString::from(secret);
        let error = secret_header("api_key", "Bearer ", &secret).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Configuration, Effect::None));
        assert_eq!(error.field(), Some("api_key"));
        assert!(!format!("{error} {error:?}").contains("canar"), "{error:?}");
    }
    let secret = SecretString::from("canary");
    let value = secret_header("api_key", "Bearer ", &secret).unwrap();
    assert_eq!(value.as_bytes(), b"Bearer canary");
    assert!(value.is_sensitive());
    assert!(!format!("{value:?}").contains("canary"));
    let error = secret_header("api_key", "bad\nprefix ", &secret).unwrap_err();
    assert_eq!(error.field(), Some("api_key"));
}
