//! The rules that are not about one delivery: secrets, rotation, tolerance, replay, size.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{
    Clock, Effect, Error, ErrorKind, ManualClock, SecretString, Timestamp,
    signature::{StandardWebhooks, TimestampedHmac},
};

const HEADER: HeaderName = HeaderName::from_static("x-signature");
const OLD: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const NOW: Timestamp = Timestamp::from_seconds(1_717_000_000);
const BODY: &[u8] = br#"{"type":"payment.succeeded"}"#;

fn standard(secrets: &[&str]) -> Result<StandardWebhooks, Error> {
    StandardWebhooks::new(secrets.iter().map(|&secret| SecretString::from(secret)))
}

fn timestamped(secrets: &[&str]) -> Result<TimestampedHmac, Error> {
    TimestampedHmac::new(HEADER, secrets.iter().map(|&secret| SecretString::from(secret)))
}

fn standard_headers(seconds: i64, signature: &str) -> HeaderMap {
    HeaderMap::from_iter([
        (HeaderName::from_static("webhook-id"), HeaderValue::from_static("msg_1")),
        (HeaderName::from_static("webhook-timestamp"), HeaderValue::from(seconds)),
        (HeaderName::from_static("webhook-signature"), signature.parse().unwrap()),
    ])
}

fn timestamped_headers(signature: &str) -> HeaderMap {
    HeaderMap::from_iter([(HEADER, signature.parse().unwrap())])
}

/// A delivery of each scheme, signed now with the first of these secrets.
fn signed(secrets: &[&str]) -> (HeaderMap, HeaderMap) {
    let signature = standard(secrets).unwrap().sign("msg_1", NOW, BODY).unwrap();
    let both = timestamped(secrets).unwrap().sign(NOW, BODY);
    (standard_headers(NOW.as_seconds(), &signature), timestamped_headers(&both))
}

/// Secrets that no scheme takes: refused by name, without effect, and never quoted.
pub(crate) fn check_secret_refused(error: &Error, message: &str, secrets: &[&str]) {
    assert_eq!(error.kind(), ErrorKind::Configuration, "{secrets:?}");
    assert_eq!(error.effect(), Effect::None, "{secrets:?}");
    assert_eq!(error.field(), Some("webhook_secret"), "{secrets:?}");
    assert_eq!(error.message(), message, "{secrets:?}");
    for secret in secrets.iter().filter(|secret| !secret.trim().is_empty()) {
        assert!(!format!("{error} {error:?}").contains(secret), "{secrets:?}");
    }
}

#[test]
fn unusable_standard_secrets_are_refused() {
    const BASE64: &str = "must be whsec_ and standard base64 with its padding";
    const SHORT: &str = "must have at least 24 bytes";
    const SPACE: &str = "must not begin or end with white space";
    let cases: &[(&[&str], &str)] = &[
        (&[], "must be at least one secret"),
        (&[""], "must not be empty"),
        (&[" \t\n"], "must not be empty"),
        (&["whsec_"], SHORT),
        (&["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRY="], SHORT), // 23 bytes
        (&["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"], BASE64), // without padding
        (&["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="], BASE64), // stray bits
        (&["whsec_-_ECAwQFBgcICQoLDA0ODxAREhMUFRYX"], BASE64), // the URL alphabet
        (&["whsec_MfKQ9r8GKYqrTwju\nPD8ILPZIo2LaLaSw"], BASE64),
        (&["whsec_whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], BASE64),
        (&["whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], BASE64), // a key of the asymmetric scheme
        (&["toffee_test_webhook_secret"], BASE64),
        (&["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"], SPACE),
        (&[" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], SPACE),
        (&["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"], "must not be all zeros"),
        (&[OLD, ""], "must not be empty"),
        (&[OLD, NEW, OLD, NEW], "must be at most 3 secrets"),
    ];
    for (secrets, message) in cases {
        check_secret_refused(&standard(secrets).unwrap_err(), message, secrets);
    }
    standard(&["whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"]).unwrap(); // 24 bytes
    standard(&[OLD, NEW, OLD]).unwrap();
}

#[test]
fn unusable_timestamped_secrets_are_refused() {
    const SHORT: &str = "must have at least 16 bytes";
    let zeros = "\0".repeat(16);
    let cases: &[(&[&str], &str)] = &[
        (&[], "must be at least one secret"),
        (&[""], "must not be empty"),
        (&["                "], "must not be empty"),
        (&["fifteen_bytes__"], SHORT),
        (&["whsec_test_secret\n"], "must not begin or end with white space"),
        (&[&zeros], "must not be all zeros"),
        (&[OLD, "short"], SHORT),
        (&[OLD, NEW, OLD, NEW], "must be at most 3 secrets"),
    ];
    for (secrets, message) in cases {
        check_secret_refused(&timestamped(secrets).unwrap_err(), message, secrets);
    }
    timestamped(&["sixteen__bytes__"]).unwrap();
    timestamped(&["a secret with spaces"]).unwrap();
    timestamped(&["éèêàâîôû"]).unwrap(); // 8 characters, 16 bytes
}

#[test]
fn a_secret_is_replaced_without_losing_a_delivery() {
    let (old, old_both) = signed(&[OLD]);
    let (new, new_both) = signed(&[NEW]);
    // Before, while both are configured in either order, and after: who is accepted.
    let stages: [(&[&str], bool, bool); 4] = [
        (&[OLD], true, false),
        (&[OLD, NEW], true, true),
        (&[NEW, OLD], true, true),
        (&[NEW], false, true),
    ];
    for (secrets, accepts_old, accepts_new) in stages {
        let verifier = standard(secrets).unwrap();
        assert_eq!(verifier.verify(&old, BODY, NOW).is_ok(), accepts_old, "{secrets:?}");
        assert_eq!(verifier.verify(&new, BODY, NOW).is_ok(), accepts_new, "{secrets:?}");
        let verifier = timestamped(secrets).unwrap();
        assert_eq!(verifier.verify(&old_both, BODY, NOW).is_ok(), accepts_old, "{secrets:?}");
        assert_eq!(verifier.verify(&new_both, BODY, NOW).is_ok(), accepts_new, "{secrets:?}");
    }
    let third = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    standard(&[third, NEW, OLD]).unwrap().verify(&old, BODY, NOW).unwrap();
    // The first secret signs.
    assert_eq!(signed(&[NEW, OLD]), (new, new_both));
}

/// The same delivery again: accepted as long as it is fresh, to the millisecond, and never after.
#[test]
fn a_replay_verifies_only_while_it_is_fresh() {
    let (headers, both) = signed(&[OLD]);
    let (verifier, verifier_both) = (standard(&[OLD]).unwrap(), timestamped(&[OLD]).unwrap());
    let clock = ManualClock::new(NOW);
    let step = |clock: &ManualClock| {
        let result = verifier.verify(&headers, BODY, clock.now()).map(|message| message.signed_at);
        let other = verifier_both.verify(&both, BODY, clock.now());
        let result = result.map_err(|error| error.message().to_owned());
        assert_eq!(result, other.map_err(|error| error.message().to_owned()));
        result
    };
    let old = Err("the timestamp is too old".to_owned());
    let future = Err("the timestamp is in the future".to_owned());
    assert_eq!(step(&clock), Ok(NOW));
    clock.advance(Duration::from_secs(300));
    assert_eq!(step(&clock), Ok(NOW));
    clock.advance(Duration::from_millis(1));
    assert_eq!(step(&clock), old);
    clock.advance(Duration::from_secs(86_400));
    assert_eq!(step(&clock), old);
    clock.set(Timestamp::from_millis(NOW.as_millis() - 300_000));
    assert_eq!(step(&clock), Ok(NOW));
    clock.set(Timestamp::from_millis(NOW.as_millis() - 300_001));
    assert_eq!(step(&clock), future);
    for (extreme, expected) in [(i64::MIN, &future), (i64::MAX, &old), (0, &future)] {
        clock.set(Timestamp::from_millis(extreme));
        assert_eq!(&step(&clock), expected, "{extreme}");
    }
}

#[test]
fn the_tolerance_can_be_changed_and_not_turned_off() {
    let (headers, both) = signed(&[OLD]);
    let narrow = Duration::from_secs(5);
    let verifier = standard(&[OLD]).unwrap().with_tolerance(narrow).unwrap();
    let verifier_both = timestamped(&[OLD]).unwrap().with_tolerance(narrow).unwrap();
    for (apart, accepted) in [(-5_001, false), (-5_000, true), (5_000, true), (5_001, false)] {
        let now = Timestamp::from_millis(NOW.as_millis() + apart);
        assert_eq!(verifier.verify(&headers, BODY, now).is_ok(), accepted, "{apart}");
        assert_eq!(verifier_both.verify(&both, BODY, now).is_ok(), accepted, "{apart}");
    }
    let day = Duration::from_secs(86_400);
    standard(&[OLD]).unwrap().with_tolerance(day).unwrap();
    for refused in [Duration::ZERO, day + Duration::from_nanos(1), Duration::MAX] {
        let error = standard(&[OLD]).unwrap().with_tolerance(refused).unwrap_err();
        let other = timestamped(&[OLD]).unwrap().with_tolerance(refused).unwrap_err();
        for error in [error, other] {
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert_eq!(error.field(), Some("webhook_tolerance"));
        }
    }
}

#[test]
fn a_hundred_thousand_signatures_are_refused_by_their_length() {
    let (headers, both) = signed(&[OLD]);
    let one = headers["webhook-signature"].to_str().unwrap();
    let flood = vec![one; 100_000].join(" ");
    let error = standard(&[OLD])
        .unwrap()
        .verify(&standard_headers(NOW.as_seconds(), &flood), BODY, NOW)
        .unwrap_err();
    assert_eq!(error.message(), "the header webhook-signature is too long");
    let one = both[HEADER].to_str().unwrap();
    let (_, signature) = one.split_once(',').unwrap();
    let flood = format!("{one}{}", format!(",{signature}").repeat(100_000));
    let headers = timestamped_headers(&flood);
    let error = timestamped(&[OLD]).unwrap().verify(&headers, BODY, NOW).unwrap_err();
    assert_eq!(error.message(), "the header x-signature is too long");
}

#[test]
fn signing_refuses_what_verifying_would() {
    let verifier = standard(&[OLD]).unwrap();
    for id in ["", "msg_1.5", "msg 1", "msg_é", &"m".repeat(257)] {
        let error = verifier.sign(id, NOW, BODY).unwrap_err();
        assert_eq!((error.kind(), error.field()), (ErrorKind::InvalidRequest, Some("id")), "{id}");
    }
    for seconds in [-1, i64::MIN, 1_000_000_000_000] {
        let error = verifier.sign("msg_1", Timestamp::from_seconds(seconds), BODY).unwrap_err();
        assert_eq!(error.field(), Some("timestamp"), "{seconds}");
    }
    // This one has no error to give: what it makes is refused.
    let verifier = timestamped(&[OLD]).unwrap();
    let before = Timestamp::from_millis(-1);
    let headers = timestamped_headers(&verifier.sign(before, BODY));
    let error = verifier.verify(&headers, BODY, before).unwrap_err();
    assert_eq!(error.message(), "the timestamp is not 1 to 12 digits");
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!("{:?}", standard(&[OLD, NEW]).unwrap());
    assert_eq!(shown, "StandardWebhooks { secrets: 2, tolerance: Tolerance(300s) }");
    let shown = format!("{:?}", timestamped(&[OLD]).unwrap());
    assert_eq!(
        shown,
        r#"TimestampedHmac { header: "x-signature", secrets: 1, tolerance: Tolerance(300s) }"#
    );
}
