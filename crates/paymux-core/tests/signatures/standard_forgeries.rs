//! Generated deliveries of Standard Webhooks, valid and forged.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
};
use fastrand::Rng;
use paymux_core::{SecretString, Timestamp, signature::StandardWebhooks};
use sha2::{Digest, Sha256, Sha512};

use crate::{
    forgery::{
        Forger, check_forgeries, check_valid, flip_bit, random_body, random_bytes, random_times,
        tamper_body,
    },
    reference::{Delivery, hmac_sha256, is_authentic_standard},
};

const ID: &str = "webhook-id";
const TIME: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

struct Valid {
    keys: Vec<Vec<u8>>,
    id: String,
    signed_at: i64,
    /// The signature of the first key, decoded.
    digest: [u8; 32],
    delivery: Delivery,
}

impl Valid {
    /// The delivery with its signature replaced by these bytes.
    fn signed_with(&self, digest: &[u8]) -> Delivery {
        self.delivery.with(SIGNATURE, format!("v1,{}", STANDARD.encode(digest)))
    }

    fn text(&self) -> Vec<u8> {
        signed_text(&self.id, &self.signed_at.to_string(), &self.delivery.body)
    }

    fn encoded(&self) -> String {
        STANDARD.encode(self.digest)
    }
}

fn signed_text(id: &str, seconds: &str, body: &[u8]) -> Vec<u8> {
    [format!("{id}.{seconds}.").as_bytes(), body].concat()
}

fn random_key(rng: &mut Rng) -> Vec<u8> {
    let length = rng.usize(24..=96);
    random_bytes(rng, length)
}

/// One key, one signature: the plainest delivery, so that nothing covers up for a forgery.
fn plain(rng: &mut Rng) -> Valid {
    let key = random_key(rng);
    let length = rng.usize(1..40);
    let id: String = std::iter::repeat_with(|| rng.alphanumeric()).take(length).collect();
    let (signed_at, received_at) = random_times(rng);
    let body = random_body(rng);
    let digest = hmac_sha256(&key, &signed_text(&id, &signed_at.to_string(), &body));
    let signature = format!("v1,{}", STANDARD.encode(digest));
    let headers = vec![(ID, id.clone()), (TIME, signed_at.to_string()), (SIGNATURE, signature)];
    let received_at = Timestamp::from_millis(received_at);
    let delivery = Delivery { headers, body, received_at };
    Valid { keys: vec![key], id, signed_at, digest, delivery }
}

/// Up to three secrets, the right one anywhere among them, and the signature anywhere in a list
/// with others of this and other versions.
fn dressed(rng: &mut Rng) -> Valid {
    let mut valid = plain(rng);
    for _ in 0..rng.usize(..3) {
        let key = random_key(rng);
        valid.keys.insert(rng.usize(..=valid.keys.len()), key);
    }
    let mut list = vec![format!("v1,{}", valid.encoded())];
    for _ in 0..rng.usize(..8) {
        let length = if rng.bool() { 32 } else { 64 };
        let noise = STANDARD.encode(random_bytes(rng, length));
        let version = rng.choice(["v1", "v1a", "v2", "v0"]).unwrap();
        list.insert(rng.usize(..=list.len()), format!("{version},{noise}"));
    }
    valid.delivery = valid.delivery.with(SIGNATURE, list.join(" "));
    valid
}

fn is_authentic(valid: &Valid, delivery: &Delivery) -> bool {
    is_authentic_standard(delivery, &valid.keys)
}

fn verify(valid: &Valid, delivery: &Delivery) -> paymux_core::Result<()> {
    let secret = |key: &Vec<u8>| SecretString::from(format!("whsec_{}", STANDARD.encode(key)));
    let verifier = StandardWebhooks::new(valid.keys.iter().map(secret))?;
    verifier.verify(&delivery.header_map(), &delivery.body, delivery.received_at).map(drop)
}

fn other_time(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let moved = v.signed_at + rng.choice([-200, -1, 1, 60, 299]).unwrap();
    let forged = v.delivery.with(TIME, moved.to_string());
    Some(Delivery { received_at: Timestamp::from_seconds(moved), ..forged })
}

fn out_of_time(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let apart = rng.i64(300_001..400_000_000_000) * if rng.bool() { 1 } else { -1 };
    let received_at = Timestamp::from_millis(v.signed_at * 1000 + apart);
    Some(Delivery { received_at, ..v.delivery.clone() })
}

/// Signed as it stands, so that only the rule for the text of a time can refuse it.
fn odd_time(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let t = v.signed_at;
    let odd =
        [format!("+{t}"), format!("-{t}"), format!("{t}.0"), format!(" {t}"), format!("{t}s")];
    let odd = rng.choice(odd).unwrap();
    let digest = hmac_sha256(&v.keys[0], &signed_text(&v.id, &odd, &v.delivery.body));
    Some(v.signed_with(&digest).with(TIME, odd))
}

fn other_id(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut id = v.id.clone().into_bytes();
    let place = rng.usize(..id.len());
    id[place] = if id[place] == b'A' { b'B' } else { b'A' };
    let id = String::from_utf8(id).unwrap();
    let id = rng.choice([id, format!("{}x", v.id), v.id[1..].to_owned()]).unwrap();
    Some(v.delivery.with(ID, id))
}

/// The same signed text, divided elsewhere: the id ends with what was the time.
fn moved_dots(v: &Valid, _: &mut Rng) -> Option<Delivery> {
    let time = v.signed_at.to_string();
    let digest = hmac_sha256(&v.keys[0], &signed_text(&v.id, "5", &v.text()));
    let forged = v.signed_with(&digest).with(ID, format!("{}.5.{}", v.id, v.id));
    assert_eq!(
        signed_text(&v.id, "5", &v.text()),
        signed_text(&format!("{}.5.{}", v.id, v.id), &time, &v.delivery.body)
    );
    Some(forged)
}

fn stray_bits(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = v.encoded().into_bytes();
    let place = ALPHABET.iter().position(|letter| *letter == text[42]).unwrap();
    text[42] = ALPHABET[place + rng.usize(1..4)];
    Some(v.delivery.with(SIGNATURE, format!("v1,{}", String::from_utf8(text).unwrap())))
}

fn other_encoding(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let encoded = match rng.u8(..5) {
        0 => hex::encode(v.digest),
        1 => STANDARD_NO_PAD.encode(v.digest),
        2 => URL_SAFE.encode(v.digest),
        3 => format!("{}=", v.encoded()),
        _ => v.encoded().to_lowercase(),
    };
    (encoded != v.encoded()).then(|| v.delivery.with(SIGNATURE, format!("v1,{encoded}")))
}

fn other_version(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let version = rng.choice(["v1a", "v2", "v0", "V1", "v01", "v11", "", "v"]).unwrap();
    Some(v.delivery.with(SIGNATURE, format!("{version},{}", v.encoded())))
}

fn other_length(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let long = [&v.digest[..], &v.digest[..]].concat();
    let length = rng.usize(..64);
    (length != 32).then(|| v.signed_with(&long[..length]))
}

fn cut_text(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let whole = v.delivery.single(SIGNATURE)?;
    Some(v.delivery.with(SIGNATURE, &whole[..rng.usize(..whole.len())]))
}

fn other_digest(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut digest = v.digest;
    match rng.u8(..3) {
        0 => digest.reverse(),
        1 => digest.fill(rng.u8(..)),
        _ => flip_bit(rng, &mut digest),
    }
    Some(v.signed_with(&digest))
}

fn other_key(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let key = &v.keys[0];
    let key = match rng.u8(..6) {
        0 => Vec::new(),
        1 => STANDARD.encode(key).into_bytes(),
        2 => format!("whsec_{}", STANDARD.encode(key)).into_bytes(),
        3 => key[..key.len() - 1].to_vec(),
        4 => key.iter().rev().copied().collect(),
        _ => random_key(rng),
    };
    // A key that ends in zero is the same key without it, to HMAC.
    let digest = hmac_sha256(&key, &v.text());
    (digest != v.digest).then(|| v.signed_with(&digest))
}

fn other_algorithm(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let secret_first = [&v.keys[0][..], &v.text()].concat();
    let secret_last = [&v.text()[..], &v.keys[0]].concat();
    Some(v.signed_with(&match rng.u8(..4) {
        0 => Sha256::digest(v.text()).to_vec(),
        1 => Sha256::digest(secret_first).to_vec(),
        2 => Sha256::digest(secret_last).to_vec(),
        _ => Sha512::digest(secret_first)[..32].to_vec(),
    }))
}

/// What the same key signs elsewhere: other schemes, other fields, other messages.
fn other_text(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let (id, time, body) = (&v.id, v.signed_at, &v.delivery.body);
    let text = match rng.u8(..6) {
        0 => [format!("{time}.").as_bytes(), body].concat(),
        1 => body.clone(),
        2 => [format!("{id}.").as_bytes(), body].concat(),
        3 => [format!("{id}{time}").as_bytes(), body].concat(),
        4 => [format!("{time}.{id}.").as_bytes(), body].concat(),
        _ => signed_text(&plain(rng).id, &time.to_string(), body),
    };
    Some(v.signed_with(&hmac_sha256(&v.keys[0], &text)))
}

fn other_headers(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut forged = v.delivery.clone();
    let place = rng.usize(..forged.headers.len());
    match rng.u8(..3) {
        0 => drop(forged.headers.remove(place)),
        1 => forged.headers[place].1.clear(),
        _ => {
            let (name, value) = forged.headers[place].clone();
            let value = rng.choice([value, "1".to_owned()]).unwrap();
            forged.headers.insert(rng.usize(..=3), (name, value));
        }
    }
    Some(forged)
}

const FORGERS: &[Forger<Valid>] = &[
    ("body", |v, rng| Some(v.delivery.with_body(tamper_body(rng, &v.delivery.body)))),
    ("body of another", |v, rng| Some(v.delivery.with_body(random_bytes(rng, 40)))),
    ("other time", other_time),
    ("out of time", out_of_time),
    ("odd time", odd_time),
    ("leading zero", |v, _| Some(v.delivery.with(TIME, format!("0{}", v.signed_at)))),
    ("other id", other_id),
    ("moved dots", moved_dots),
    ("stray bits", stray_bits),
    ("other encoding", other_encoding),
    ("other version", other_version),
    ("other length", other_length),
    ("cut text", cut_text),
    ("other digest", other_digest),
    ("signature of another", |v, rng| Some(v.signed_with(&plain(rng).digest))),
    ("other key", other_key),
    ("other algorithm", other_algorithm),
    ("other text", other_text),
    ("other headers", other_headers),
];

#[test]
fn standard_forgeries_are_refused() {
    check_forgeries(0x0070_6179, FORGERS, plain, |v| &v.delivery, is_authentic, verify);
}

#[test]
fn standard_valid_deliveries_are_accepted() {
    check_valid(0x006d_7578, dressed, |v| &v.delivery, is_authentic, verify);
}
