//! The rules of the SHA-1 sandwich that are not about one delivery: secrets, rotation, replay.

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{Error, SecretString, signature::Sha1Sandwich};

use crate::rules::check_secret_refused;

const HEADER: HeaderName = HeaderName::from_static("x-signature");
const OLD: &str = "sk_test_old_secret_of_callbacks";
const NEW: &str = "sk_test_new_secret_of_callbacks";
const THIRD: &str = "sk_test_third_secret_of_callbacks";
const BODY: &[u8] = br#"{"data":{"id":"cpi_1"}}"#;

fn sandwich(secrets: &[&str]) -> Result<Sha1Sandwich, Error> {
    Sha1Sandwich::new(HEADER, secrets.iter().map(|&secret| SecretString::from(secret)))
}

/// The headers of a delivery that is signed with the first of these secrets.
fn signed(secrets: &[&str]) -> HeaderMap {
    let signature = sandwich(secrets).unwrap().sign(BODY);
    HeaderMap::from_iter([(HEADER, HeaderValue::try_from(signature).unwrap())])
}

#[test]
fn unusable_secrets_are_refused() {
    const SHORT: &str = "must have at least 16 bytes";
    const SPACE: &str = "must not begin or end with white space";
    let zeros = "\0".repeat(16);
    let cases: &[(&[&str], &str)] = &[
        (&[], "must be at least one secret"),
        (&[""], "must not be empty"),
        (&["                "], "must not be empty"),
        (&["callback"], SHORT),
        (&["fifteen_bytes__"], SHORT),
        (&["sk_test_with_a_line_end\n"], SPACE),
        (&[" sk_test_with_a_space"], SPACE),
        (&[&zeros], "must not be all zeros"),
        (&[OLD, "short"], SHORT),
        (&[OLD, NEW, THIRD, OLD], "must be at most 3 secrets"),
    ];
    for (secrets, message) in cases {
        check_secret_refused(&sandwich(secrets).unwrap_err(), message, secrets);
    }
    sandwich(&["sixteen__bytes__"]).unwrap();
    sandwich(&["éèêàâîôû"]).unwrap(); // 8 characters, 16 bytes
}

#[test]
fn a_secret_is_replaced_without_losing_a_delivery() {
    let (old, new) = (signed(&[OLD]), signed(&[NEW]));
    let stages: [(&[&str], bool, bool); 4] = [
        (&[OLD], true, false),
        (&[OLD, NEW], true, true),
        (&[NEW, OLD], true, true),
        (&[NEW], false, true),
    ];
    for (secrets, accepts_old, accepts_new) in stages {
        let verifier = sandwich(secrets).unwrap();
        assert_eq!(verifier.verify(&old, BODY).is_ok(), accepts_old, "{secrets:?}");
        assert_eq!(verifier.verify(&new, BODY).is_ok(), accepts_new, "{secrets:?}");
    }
    sandwich(&[THIRD, NEW, OLD]).unwrap().verify(&old, BODY).unwrap();
    // The first secret signs.
    assert_eq!(signed(&[NEW, OLD]), new);
}

/// Nothing in the scheme tells a delivery from its replay: that is for the caller to know.
#[test]
fn a_replay_verifies_for_ever() {
    let (headers, verifier) = (signed(&[OLD]), sandwich(&[OLD]).unwrap());
    for _ in 0..3 {
        verifier.verify(&headers, BODY).unwrap();
    }
}

#[test]
fn no_secret_shows() {
    let text = format!("{:?}", sandwich(&[OLD, NEW]).unwrap());
    assert!(text.contains("x-signature") && text.contains("secrets: 2"), "{text}");
    assert!(!text.contains("sk_test"), "{text}");
}

#[test]
fn a_large_body_is_signed_and_verified() {
    let body = vec![b'x'; 1024 * 1024];
    let verifier = sandwich(&[OLD]).unwrap();
    let value = HeaderValue::try_from(verifier.sign(&body)).unwrap();
    let headers = HeaderMap::from_iter([(HEADER, value)]);
    verifier.verify(&headers, &body).unwrap();
    assert!(verifier.verify(&headers, &body[1..]).is_err());
}
