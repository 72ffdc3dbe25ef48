//! Generated deliveries with `t=,v1=` in one header, valid and forged.

use base64::{Engine, engine::general_purpose::STANDARD};
use fastrand::Rng;
use http::HeaderName;
use paymux_core::{SecretString, Timestamp, signature::TimestampedHmac};
use sha2::{Digest, Sha256, Sha512};

use crate::{
    forgery::{
        Forger, check_forgeries, check_valid, flip_bit, random_body, random_bytes, random_times,
        tamper_body,
    },
    reference::{Delivery, hmac_sha256, is_authentic_timestamped},
};

const HEADER: &str = "x-signature";

struct Valid {
    keys: Vec<Vec<u8>>,
    signed_at: i64,
    /// The signature of the first key, decoded.
    digest: [u8; 32],
    delivery: Delivery,
}

impl Valid {
    /// The delivery with its signature replaced by this text.
    fn with_signature(&self, signature: &str) -> Delivery {
        self.delivery.with(HEADER, format!("t={},v1={signature}", self.signed_at))
    }

    fn signed_with(&self, digest: &[u8]) -> Delivery {
        self.with_signature(&hex::encode(digest))
    }

    fn text(&self) -> Vec<u8> {
        signed_text(&self.signed_at.to_string(), &self.delivery.body)
    }

    fn encoded(&self) -> String {
        hex::encode(self.digest)
    }
}

fn signed_text(seconds: &str, body: &[u8]) -> Vec<u8> {
    [format!("{seconds}.").as_bytes(), body].concat()
}

fn random_key(rng: &mut Rng) -> Vec<u8> {
    let length = rng.usize(16..=96);
    std::iter::repeat_with(|| rng.u8(b'!'..=b'~')).take(length).collect()
}

/// One key, one signature: the plainest delivery, so that nothing covers up for a forgery.
fn plain(rng: &mut Rng) -> Valid {
    let key = random_key(rng);
    let (signed_at, received_at) = random_times(rng);
    let body = random_body(rng);
    let digest = hmac_sha256(&key, &signed_text(&signed_at.to_string(), &body));
    let headers = vec![(HEADER, format!("t={signed_at},v1={}", hex::encode(digest)))];
    let received_at = Timestamp::from_millis(received_at);
    let delivery = Delivery { headers, body, received_at };
    Valid { keys: vec![key], signed_at, digest, delivery }
}

/// Up to three secrets, the right one anywhere among them, the parts in any order, hex in either
/// case, space around, and other signatures beside.
fn dressed(rng: &mut Rng) -> Valid {
    let mut valid = plain(rng);
    for _ in 0..rng.usize(..3) {
        let key = random_key(rng);
        valid.keys.insert(rng.usize(..=valid.keys.len()), key);
    }
    let signature: String = valid
        .encoded()
        .chars()
        .map(|digit| if rng.bool() { digit.to_ascii_uppercase() } else { digit })
        .collect();
    let mut parts = vec![format!("t={}", valid.signed_at), format!("v1={signature}")];
    for _ in 0..rng.usize(..8) {
        let noise = hex::encode(random_bytes(rng, 32));
        let name = rng.choice(["v1", "v1a", "v2", "v0"]).unwrap();
        parts.insert(rng.usize(..=parts.len()), format!("{name}={noise}"));
    }
    rng.shuffle(&mut parts);
    let between = rng.choice([",", ", ", " , "]).unwrap();
    valid.delivery = valid.delivery.with(HEADER, parts.join(between));
    valid
}

fn is_authentic(valid: &Valid, delivery: &Delivery) -> bool {
    is_authentic_timestamped(delivery, &valid.keys)
}

fn verify(valid: &Valid, delivery: &Delivery) -> paymux_core::Result<()> {
    let secret = |key: &Vec<u8>| SecretString::from(String::from_utf8(key.clone()).unwrap());
    let header = HeaderName::from_static(HEADER);
    let verifier = TimestampedHmac::new(header, valid.keys.iter().map(secret))?;
    verifier.verify(&delivery.header_map(), &delivery.body, delivery.received_at).map(drop)
}

fn other_time(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let moved = v.signed_at + rng.choice([-200, -1, 1, 60, 299]).unwrap();
    let forged = v.delivery.with(HEADER, format!("t={moved},v1={}", v.encoded()));
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
    let digest = hmac_sha256(&v.keys[0], &signed_text(&odd, &v.delivery.body));
    Some(v.delivery.with(HEADER, format!("t={odd},v1={}", hex::encode(digest))))
}

/// A fresh time beside the signed one, before or after it.
fn two_times(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let moved = v.signed_at + rng.i64(0..600);
    let (first, second) = rng.choice([(v.signed_at, moved), (moved, v.signed_at)]).unwrap();
    let forged = v.delivery.with(HEADER, format!("t={first},v1={},t={second}", v.encoded()));
    Some(Delivery { received_at: Timestamp::from_seconds(moved), ..forged })
}

/// The end of the time moves into the body, so that the digits signed are the same.
fn moved_dot(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let time = v.signed_at.to_string();
    let (time, rest) = time.split_at(rng.usize(1..10));
    let received_at = Timestamp::from_seconds(time.parse().unwrap());
    let body = [rest.as_bytes(), b".", &v.delivery.body].concat();
    let forged = v.delivery.with(HEADER, format!("t={time},v1={}", v.encoded())).with_body(body);
    Some(Delivery { received_at, ..forged })
}

fn other_encoding(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let hex = v.encoded();
    Some(v.with_signature(&match rng.u8(..5) {
        0 => STANDARD.encode(v.digest),
        1 => format!("0x{hex}"),
        2 => format!("{} {}", &hex[..32], &hex[32..]),
        3 => format!(" {hex}"),
        _ => format!("\"{hex}\""),
    }))
}

fn other_name(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let (time, hex) = (v.signed_at, v.encoded());
    let name = rng.choice(["v1a", "v2", "v0", "V1", "v01", "", "v"]).unwrap();
    let value = match rng.u8(..4) {
        0 => format!("T={time},v1={hex}"),
        1 => format!("t={time};v1={hex}"),
        2 => format!("t={time},v1:{hex}"),
        _ => format!("t={time},{name}={hex}"),
    };
    Some(v.delivery.with(HEADER, value))
}

fn other_length(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let long = v.encoded().repeat(2);
    let length = rng.usize(..128);
    (length != 64).then(|| v.with_signature(&long[..length]))
}

fn cut_text(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let whole = v.delivery.single(HEADER)?;
    Some(v.delivery.with(HEADER, &whole[..rng.usize(..whole.len())]))
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

/// A flipped bit in the text itself, except where it only changes the case of a digit.
fn flipped_text(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut text = v.encoded().into_bytes();
    let place = rng.usize(..text.len());
    text[place] ^= 1 << rng.u8(..7);
    let text = String::from_utf8(text).ok()?;
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    (visible && !text.eq_ignore_ascii_case(&v.encoded())).then(|| v.with_signature(&text))
}

fn other_key(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let key = &v.keys[0];
    let key = match rng.u8(..6) {
        0 => Vec::new(),
        1 => STANDARD.encode(key).into_bytes(),
        2 => [b"whsec_", &key[..]].concat(),
        3 => key[..key.len() - 1].to_vec(),
        4 => key.iter().rev().copied().collect(),
        _ => random_key(rng),
    };
    Some(v.signed_with(&hmac_sha256(&key, &v.text())))
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
    let (time, body) = (v.signed_at, &v.delivery.body);
    let text = match rng.u8(..5) {
        0 => [format!("msg_1.{time}.").as_bytes(), body].concat(),
        1 => body.clone(),
        2 => [time.to_string().as_bytes(), body].concat(),
        3 => [body, format!(".{time}").as_bytes()].concat(),
        _ => signed_text(&(time + 1).to_string(), body),
    };
    Some(v.signed_with(&hmac_sha256(&v.keys[0], &text)))
}

fn other_headers(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut forged = v.delivery.clone();
    match rng.u8(..4) {
        0 => forged.headers.clear(),
        1 => forged.headers[0].1.clear(),
        2 => forged.headers[0].0 = "x-signature-2",
        _ => {
            let other = plain(rng).delivery.headers.remove(0);
            let copy = rng.choice([forged.headers[0].clone(), other]).unwrap();
            forged.headers.insert(rng.usize(..=1), copy);
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
    ("leading zero", |v, _| {
        Some(v.delivery.with(HEADER, format!("t=0{},v1={}", v.signed_at, v.encoded())))
    }),
    ("two times", two_times),
    ("moved dot", moved_dot),
    ("other encoding", other_encoding),
    ("other name", other_name),
    ("other length", other_length),
    ("cut text", cut_text),
    ("other digest", other_digest),
    ("flipped text", flipped_text),
    ("signature of another", |v, rng| Some(v.signed_with(&plain(rng).digest))),
    ("other key", other_key),
    ("other algorithm", other_algorithm),
    ("other text", other_text),
    ("other headers", other_headers),
];

#[test]
fn timestamped_forgeries_are_refused() {
    check_forgeries(0x0074_696d, FORGERS, plain, |v| &v.delivery, is_authentic, verify);
}

#[test]
fn timestamped_valid_deliveries_are_accepted() {
    check_valid(0x0068_6d61, dressed, |v| &v.delivery, is_authentic, verify);
}
