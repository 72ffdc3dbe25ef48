//! What objects show, beside what the tests over HTTP look at.

use serde_json::{Value, json};

use super::errors::Refusal;
use super::settings::WalletSettings;
use super::state_tests::Play;
use super::transactions::By;
use super::{validate_payment, wire};

fn payment(play: &Play, id: i64) -> Value {
    wire::payment(&play.state, play.state.payment(id).unwrap())
}

/// Fields of a payment that is refused.
fn refused(members: &Value) -> Vec<String> {
    let play = Play::new();
    let members = members.as_object().unwrap();
    match validate_payment::terms(&play.state.settings, members, "", play.now) {
        Err(Refusal::Invalid(wrong)) => wrong.into_iter().map(|wrong| wrong.field).collect(),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_beneficiary_that_cannot_be_read_is_not_the_merchant() {
    for beneficiary in [json!({"barcode": "9800000014471"}), json!({"ID": 11_111}), json!({})] {
        let members = json!({"description": "x", "price": 1, "beneficiary": beneficiary});
        assert_eq!(refused(&members), ["beneficiary"], "{beneficiary}");
    }
    let nothing_inside = json!({"description": "x", "price": 1, "beneficiary": {"id": null}});
    assert_eq!(refused(&nothing_inside), ["beneficiary"]);
}

#[test]
fn a_password_has_the_words_of_the_published_clients() {
    let given = json!({"type": "provided", "value": "open", "optional": false});
    for password in [json!("open"), json!({"value": "open"}), given] {
        let mut play = Play::new();
        let key = play.pay(json!({"price": 100, "password": password}));
        let id = play.first_payment(&key);
        play.accept(&key).unwrap();
        let shown = &payment(&play, id)["password"];
        assert_eq!(*shown, json!({"type": "provided", "status": "pending"}));
        play.state.give_password(id, "open", By::Others, play.now).unwrap();
        let shown = &payment(&play, id)["password"];
        assert_eq!(*shown, json!({"type": "provided", "status": "unlocked"}));
    }
}

#[test]
fn a_password_can_be_left_to_the_provider() {
    let mut play = Play::new();
    let key = play.pay(json!({"price": 100, "password": {"type": "generated"}}));
    let id = play.first_payment(&key);
    play.accept(&key).unwrap();
    let shown = &payment(&play, id)["password"];
    assert_eq!(*shown, json!({"type": "generated", "status": "pending"}));
    let snapshot = json!(play.state.payment(id).unwrap());
    let value = snapshot["terms"]["password"]["value"].as_str().unwrap();
    assert!(!value.is_empty(), "the sandbox shows it in its state");
    let wrong = play.state.give_password(id, "", By::Others, play.now);
    assert!(matches!(wrong, Err(Refusal::Invalid(_))), "{wrong:?}");
    play.state.give_password(id, value, By::Others, play.now).unwrap();
    assert_eq!(payment(&play, id)["password"]["status"], "unlocked");

    for (password, field) in [
        (json!({"type": "provided"}), "password.value"),
        (json!({"type": "generated", "value": "x"}), "password.value"),
        (json!({"type": "code", "value": "x"}), "password.type"),
    ] {
        let members = json!({"description": "x", "price": 1, "password": password});
        assert_eq!(refused(&members), [field], "{password}");
    }
}

#[test]
fn a_freeze_shows_in_hours_too_until_its_end_is_known() {
    let mut play = Play::new();
    let key = play.pay(json!({"price": 100, "freeze_for": 24}));
    let id = play.first_payment(&key);
    let shown = payment(&play, id);
    assert_eq!((&shown["freeze"], &shown["freeze_for"]), (&json!({"for": 86_400}), &json!(24)));
    play.accept(&key).unwrap();
    play.confirm(&key).unwrap();
    let shown = payment(&play, id);
    assert_eq!(shown["freeze_until"], play.now.as_second() + 86_400);
    assert_eq!(shown.get("freeze_for"), None, "clients that read it forget freeze_until");

    let key = play.pay(json!({"price": 100, "freeze": {"for": 5400}}));
    let shown = payment(&play, play.first_payment(&key));
    assert_eq!(shown["freeze"], json!({"for": 5400}));
    assert_eq!(shown.get("freeze_for"), None, "an hour and a half is no number of hours");

    let settings = WalletSettings { periods_in_seconds: true, ..WalletSettings::default() };
    let mut play = Play::with(settings);
    let key = play.pay(json!({"price": 100, "freeze_for": 90}));
    assert_eq!(payment(&play, play.first_payment(&key))["freeze_for"], 90);
}

#[test]
fn an_allowance_shows_its_end_in_the_older_spelling_too() {
    let mut play = Play::new();
    let now = play.now.as_second();
    let show = |play: &Play, key: &str| {
        let id = play.state.transaction(key).unwrap().allowance.unwrap();
        wire::allowance(&play.state, play.state.allowance(id).unwrap())
    };
    let terms = |valid: Value| {
        let mut terms = json!({"currency": "EUR", "max_price": 500});
        terms.as_object_mut().unwrap().extend(valid.as_object().unwrap().clone());
        json!({"allowance": terms})
    };
    let key = play.create(&terms(json!({"valid_for": 48})));
    let shown = show(&play, &key);
    assert_eq!((&shown["valid"], &shown["valid_for"]), (&json!({"for": 172_800}), &json!(48)));
    assert_eq!(shown.get("valid_until"), None);
    play.accept(&key).unwrap();
    play.confirm(&key).unwrap();
    let shown = show(&play, &key);
    assert_eq!(shown["valid_until"], now + 172_800);
    assert_eq!(shown["valid_until"], shown["valid"]["until"]);
    assert_eq!(shown.get("valid_for"), None);

    let key = play.create(&terms(json!({"valid_until": now + 5})));
    let shown = show(&play, &key);
    assert_eq!(
        (&shown["valid"], &shown["valid_until"]),
        (&json!({"until": now + 5}), &json!(now + 5))
    );
}
