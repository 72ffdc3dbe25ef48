//! Known answers, as data: the published ones, and ours, made with another HMAC.

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{
    Effect, Error, ErrorKind, SecretString, Timestamp,
    signature::{Sha1Sandwich, StandardWebhooks, TimestampedHmac},
};
use serde_json::Value;

const STANDARD: [&str; 2] = [
    include_str!("../data/signatures/standard_webhooks.contract.json"),
    include_str!("../data/signatures/standard_webhooks.own.json"),
];
const TIMESTAMPED: [&str; 2] = [
    include_str!("../data/signatures/timestamped_hmac.contract.json"),
    include_str!("../data/signatures/timestamped_hmac.own.json"),
];

const SANDWICH: &str = include_str!("../data/signatures/sha1_sandwich.own.json");

/// What each reason in the contract's files is called here.
const REASONS: [(&str, &[&str]); 6] = [
    ("timestamp too old", &["the timestamp is too old"]),
    ("timestamp in the future", &["the timestamp is in the future"]),
    ("signature mismatch", &["no v1 signature matches"]),
    ("no v1 signature", &["there is no v1 signature"]),
    ("malformed signature", &["the v1 signature is malformed"]),
    (
        "malformed header",
        &["there is no v1 signature", "t is missing", "the timestamp is not 1 to 12 digits"],
    ),
];

struct Vector {
    name: String,
    secret: SecretString,
    headers: HeaderMap,
    body: Vec<u8>,
    now: Timestamp,
    valid: bool,
    /// The messages that may explain a refusal.
    messages: Vec<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Header values as bytes, since some rows break the rules for text on purpose.
fn read_headers(row: &Value, header: &str) -> HeaderMap {
    let pairs: Vec<(String, String)> = match (&row["headers"], &row["header"]) {
        (Value::Array(pairs), _) => pairs.iter().map(|p| (text(&p[0]), text(&p[1]))).collect(),
        (Value::Object(pairs), _) => pairs.iter().map(|(n, v)| (n.clone(), text(v))).collect(),
        (_, value) => vec![(header.to_owned(), text(value))],
    };
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn read_messages(row: &Value) -> Vec<String> {
    if row["valid"] == true {
        return Vec::new();
    }
    if let Some(error) = row["error"].as_str() {
        return vec![error.to_owned()];
    }
    let (_, known) = REASONS.iter().find(|(reason, _)| row["reason"] == *reason).unwrap();
    known.iter().map(|&message| message.to_owned()).collect()
}

fn read_vectors(file: &str) -> Vec<Vector> {
    let file: Value = serde_json::from_str(file).unwrap();
    let header = file["scheme"].as_str().unwrap();
    let read = |row: &Value| Vector {
        name: text(&row["name"]),
        secret: text(&row["secret"]).into(),
        headers: read_headers(row, header),
        body: match row["body_hex"].as_str() {
            Some(bytes) => hex::decode(bytes).unwrap(),
            None => text(&row["body"]).into_bytes(),
        },
        now: Timestamp::from_seconds(row["now"].as_i64().unwrap()),
        valid: row["valid"].as_bool().unwrap(),
        messages: read_messages(row),
    };
    file["vectors"].as_array().unwrap().iter().map(read).collect()
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers[name].to_str().unwrap()
}

fn check_refusal(vector: &Vector, error: &Error) {
    let name = &vector.name;
    assert_eq!(error.kind(), ErrorKind::InvalidSignature, "{name}");
    assert_eq!(error.effect(), Effect::None, "{name}");
    assert!(vector.messages.iter().any(|m| m == error.message()), "{name}: {error}");
}

fn check_counts(vectors: &[Vector], valid: usize, invalid: usize) {
    assert_eq!(vectors.iter().filter(|vector| vector.valid).count(), valid);
    assert_eq!(vectors.iter().filter(|vector| !vector.valid).count(), invalid);
}

#[test]
fn standard_webhooks() {
    let vectors: Vec<Vector> = STANDARD.into_iter().flat_map(read_vectors).collect();
    check_counts(&vectors, 7 + 17, 5 + 77);
    for vector in vectors {
        let Vector { name, secret, headers, body, now, .. } = &vector;
        let verifier = StandardWebhooks::new([secret.clone()]).unwrap();
        match verifier.verify(headers, body, *now) {
            Ok(message) => {
                assert!(vector.valid, "{name} was accepted");
                let seconds = header(headers, "webhook-timestamp");
                assert_eq!(message.id, header(headers, "webhook-id"), "{name}");
                assert_eq!(
                    message.signed_at.as_seconds(),
                    seconds.parse::<i64>().unwrap(),
                    "{name}"
                );
                if seconds == "0" || !seconds.starts_with('0') {
                    let made = verifier.sign(&message.id, message.signed_at, body).unwrap();
                    let mut given = header(headers, "webhook-signature").split(' ');
                    assert!(given.any(|one| one == made), "{name}: {made}");
                }
            }
            Err(error) => {
                assert!(!vector.valid, "{name}: {error}");
                check_refusal(&vector, &error);
            }
        }
    }
}

#[test]
fn timestamped_hmac() {
    let vectors: Vec<Vector> = TIMESTAMPED.into_iter().flat_map(read_vectors).collect();
    check_counts(&vectors, 9 + 14, 9 + 59);
    for vector in vectors {
        let Vector { name, secret, headers, body, now, .. } = &vector;
        let signature = HeaderName::from_static("x-toffeepay-signature");
        let verifier = TimestampedHmac::new(signature.clone(), [secret.clone()]).unwrap();
        match verifier.verify(headers, body, *now) {
            Ok(signed_at) => {
                assert!(vector.valid, "{name} was accepted");
                let given = header(headers, signature.as_str()).to_lowercase();
                let seconds = given.split(',').find_map(|part| part.trim().strip_prefix("t="));
                let seconds = seconds.unwrap();
                assert_eq!(signed_at.as_seconds(), seconds.parse::<i64>().unwrap(), "{name}");
                if seconds == "0" || !seconds.starts_with('0') {
                    let made = verifier.sign(signed_at, body);
                    let (_, made) = made.split_once(',').unwrap();
                    assert!(given.split(',').any(|part| part.trim() == made), "{name}: {made}");
                }
            }
            Err(error) => {
                assert!(!vector.valid, "{name}: {error}");
                check_refusal(&vector, &error);
            }
        }
    }
}

#[test]
fn sha1_sandwich() {
    let vectors = read_vectors(SANDWICH);
    check_counts(&vectors, 8, 35);
    for vector in vectors {
        let Vector { name, secret, headers, body, .. } = &vector;
        let signature = HeaderName::from_static("x-signature");
        let verifier = Sha1Sandwich::new(signature.clone(), [secret.clone()]).unwrap();
        match verifier.verify(headers, body) {
            Ok(()) => {
                assert!(vector.valid, "{name} was accepted");
                let given = header(headers, signature.as_str());
                assert_eq!(verifier.sign(body), given.trim(), "{name}");
            }
            Err(error) => {
                assert!(!vector.valid, "{name}: {error}");
                check_refusal(&vector, &error);
            }
        }
    }
}
