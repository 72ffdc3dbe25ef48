//! A secret in a header: which secrets can be used, what is refused, and generated forgeries.

use fastrand::Rng;
use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{
    Effect, Error, ErrorKind, SecretString, Timestamp,
    signature::{Sha1Sandwich, SharedSecret},
};

use crate::{
    forgery::{Forger, check_forgeries, check_valid, flip_bit, random_body},
    reference::Delivery,
    rules::check_secret_refused,
};

const HEADER: &str = "x-secret";
const OLD: &str = "test_old_secret_of_callbacks";
const NEW: &str = "test_new_secret_of_callbacks";
const THIRD: &str = "test_third_secret_of_callbacks";

fn shared(secrets: &[&str]) -> Result<SharedSecret, Error> {
    let secrets = secrets.iter().map(|&secret| SecretString::from(secret));
    SharedSecret::new(HeaderName::from_static(HEADER), secrets)
}

fn brought(values: &[&[u8]]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

#[test]
fn unusable_secrets_are_refused() {
    const SHORT: &str = "must have at least 16 bytes";
    const SPACE: &str = "must not begin or end with white space";
    const VISIBLE: &str = "must be visible ASCII without spaces";
    let long = "x".repeat(4097);
    let cases: &[(&[&str], &str)] = &[
        (&[], "must be at least one secret"),
        (&[""], "must not be empty"),
        (&["                "], "must not be empty"),
        (&["fifteen_bytes__"], SHORT),
        (&[" test_with_a_space"], SPACE),
        (&["test_with_a_line_end\n"], SPACE),
        (&["test with spaces between"], VISIBLE),
        (&["test_with_a\0_control"], VISIBLE),
        (&["éèêàâîôûéèêàâîôû"], VISIBLE),
        (&[&long], "must have at most 4096 bytes"),
        (&[OLD, "short"], SHORT),
        (&[OLD, NEW, THIRD, OLD], "must be at most 3 secrets"),
    ];
    for (secrets, message) in cases {
        check_secret_refused(&shared(secrets).unwrap_err(), message, secrets);
    }
    shared(&["sixteen__bytes__"]).unwrap();
    let longest = "x".repeat(4096);
    shared(&[&longest]).unwrap().verify(&brought(&[longest.as_bytes()])).unwrap();
}

#[test]
fn what_is_not_the_secret_once_is_refused() {
    let verifier = shared(&[OLD, NEW]).unwrap();
    let rows: &[(&[&[u8]], &str)] = &[
        (&[], "the header x-secret is missing"),
        (&[b""], "the header x-secret is empty"),
        (&[&[b'x'; 4097]], "the header x-secret is too long"),
        (&[b"test_old_secret\xe9"], "the header x-secret is not ASCII"),
        // Two readers could take two different ones, even where both are right.
        (&[OLD.as_bytes(), OLD.as_bytes()], "the header x-secret occurs more than once"),
        (&[OLD.as_bytes(), b"another"], "the header x-secret occurs more than once"),
        (&[THIRD.as_bytes()], "the secret does not match"),
        (&[b"test_old_secret_of_callback"], "the secret does not match"),
        (&[b"test_old_secret_of_callbackss"], "the secret does not match"),
        (&[b"TEST_OLD_SECRET_OF_CALLBACKS"], "the secret does not match"),
        (&[b"Bearer test_old_secret_of_callbacks"], "the secret does not match"),
    ];
    for (values, message) in rows {
        let error = verifier.verify(&brought(values)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSignature, "{values:?}");
        assert_eq!(error.effect(), Effect::None, "{values:?}");
        assert_eq!(error.message(), *message, "{values:?}");
    }
    verifier.verify(&brought(&[b" test_new_secret_of_callbacks\t"])).unwrap();
}

#[test]
fn a_secret_is_replaced_without_losing_a_delivery() {
    let (old, new) = (brought(&[OLD.as_bytes()]), brought(&[NEW.as_bytes()]));
    let stages: [(&[&str], bool, bool); 4] = [
        (&[OLD], true, false),
        (&[OLD, NEW], true, true),
        (&[NEW, OLD], true, true),
        (&[NEW], false, true),
    ];
    for (secrets, accepts_old, accepts_new) in stages {
        let verifier = shared(secrets).unwrap();
        assert_eq!(verifier.verify(&old).is_ok(), accepts_old, "{secrets:?}");
        assert_eq!(verifier.verify(&new).is_ok(), accepts_new, "{secrets:?}");
    }
    shared(&[THIRD, NEW, OLD]).unwrap().verify(&old).unwrap();
}

#[test]
fn no_secret_shows() {
    let text = format!("{:?}", shared(&[OLD, NEW]).unwrap());
    assert!(text.contains("x-secret") && text.contains("secrets: 2"), "{text}");
    assert!(!text.contains("test_"), "{text}");
}

struct Valid {
    secrets: Vec<String>,
    delivery: Delivery,
}

fn random_secret(rng: &mut Rng) -> String {
    let length = rng.usize(16..=96);
    std::iter::repeat_with(|| char::from(rng.u8(b'!'..=b'~'))).take(length).collect()
}

fn plain(rng: &mut Rng) -> Valid {
    let secret = random_secret(rng);
    let headers = vec![(HEADER, secret.clone())];
    let delivery =
        Delivery { headers, body: random_body(rng), received_at: Timestamp::from_millis(0) };
    Valid { secrets: vec![secret], delivery }
}

/// Up to three secrets, the right one anywhere among them, and space around the value.
fn dressed(rng: &mut Rng) -> Valid {
    let mut valid = plain(rng);
    let spaces = [" ".repeat(rng.usize(..3)), " ".repeat(rng.usize(..3))];
    let value = format!("{}{}{}", spaces[0], valid.secrets[0], spaces[1]);
    valid.delivery = valid.delivery.with(HEADER, value);
    for _ in 0..rng.usize(..3) {
        let secret = random_secret(rng);
        valid.secrets.insert(rng.usize(..=valid.secrets.len()), secret);
    }
    valid
}

fn is_authentic(valid: &Valid, delivery: &Delivery) -> bool {
    let given = delivery.single(HEADER);
    given.is_some_and(|given| valid.secrets.iter().any(|secret| given.trim() == secret))
}

fn verify(valid: &Valid, delivery: &Delivery) -> paymux_core::Result<()> {
    let secrets: Vec<&str> = valid.secrets.iter().map(String::as_str).collect();
    shared(&secrets)?.verify(&delivery.header_map())
}

fn flipped(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut text = v.secrets[0].clone().into_bytes();
    flip_bit(rng, &mut text);
    let visible = text.iter().all(u8::is_ascii_graphic);
    visible.then(|| v.delivery.with(HEADER, String::from_utf8_lossy(&text)))
}

fn cut(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let secret = &v.secrets[0];
    let at = rng.usize(1..secret.len());
    let part = if rng.bool() { &secret[..at] } else { &secret[at..] };
    Some(v.delivery.with(HEADER, part))
}

fn longer(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let secret = &v.secrets[0];
    let value = match rng.u8(..4) {
        0 => format!("{secret}{secret}"),
        1 => format!("{secret},{secret}"),
        2 => format!("\"{secret}\""),
        _ => format!("Bearer {secret}"),
    };
    Some(v.delivery.with(HEADER, value))
}

/// A signature made with the secret is not the secret.
fn signed(v: &Valid, _: &mut Rng) -> Option<Delivery> {
    let secret = SecretString::from(v.secrets[0].as_str());
    let signer = Sha1Sandwich::new(HeaderName::from_static(HEADER), [secret]).ok()?;
    Some(v.delivery.with(HEADER, signer.sign(&v.delivery.body)))
}

fn other_headers(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut forged = v.delivery.clone();
    match rng.u8(..4) {
        0 => forged.headers.clear(),
        1 => forged.headers[0].1.clear(),
        2 => forged.headers[0].0 = "x-secret-2",
        _ => {
            let other = plain(rng).delivery.headers.remove(0);
            let copy = rng.choice([forged.headers[0].clone(), other])?;
            forged.headers.insert(rng.usize(..=1), copy);
        }
    }
    Some(forged)
}

const FORGERS: &[Forger<Valid>] = &[
    ("flipped", flipped),
    ("cut", cut),
    ("longer", longer),
    ("signed", signed),
    ("secret of another", |v, rng| Some(v.delivery.with(HEADER, random_secret(rng)))),
    ("other headers", other_headers),
];

#[test]
fn shared_secret_forgeries_are_refused() {
    check_forgeries(0x0073_6873, FORGERS, plain, |v| &v.delivery, is_authentic, verify);
}

#[test]
fn shared_secret_valid_deliveries_are_accepted() {
    check_valid(0x0064_6873, dressed, |v| &v.delivery, is_authentic, verify);
}
