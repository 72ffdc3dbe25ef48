//! What is refused before anything is sent.

use paymux_core::{Effect, ErrorKind, Url, check};

#[test]
fn an_empty_text_is_none() {
    assert_eq!(check::filled("game_id", " a ").unwrap(), " a ", "the text itself is not changed");
    for text in ["", " ", "\t\n", "\u{a0}"] {
        let error = check::filled("game_id", text).unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidRequest, Effect::None));
        assert_eq!(error.field(), Some("game_id"), "{text:?}");
    }
}

#[test]
fn calls_are_made_below_a_private_place_and_nothing_more() {
    const PRIVATE: &str = "must be https, or http to this machine";
    const NOBODY: &str = "must be without user and password";
    const BARE: &str = "must be without query and fragment";
    let rows = [
        ("https://api.example", None),
        ("https://api.example:8443/proxy/v1/", None),
        ("http://localhost:8080", None),
        ("http://127.0.0.1/", None),
        ("http://[::1]:1/", None),
        ("http://api.example", Some(PRIVATE)),
        ("http://localhost.example", Some(PRIVATE)),
        ("ftp://127.0.0.1/", Some(PRIVATE)),
        ("https://canary@api.example", Some(NOBODY)),
        ("https://:canary@api.example", Some(NOBODY)),
        ("https://api.example/?canary=1", Some(BARE)),
        ("https://api.example/?", Some(BARE)),
        ("https://api.example/#canary", Some(BARE)),
    ];
    for (text, message) in rows {
        let checked = check::base_url("root", &Url::parse(text).unwrap());
        let Some(message) = message else {
            checked.unwrap();
            continue;
        };
        let error = checked.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Configuration, Effect::None));
        assert_eq!((error.field(), error.message()), (Some("root"), message), "{text}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
    }
}
