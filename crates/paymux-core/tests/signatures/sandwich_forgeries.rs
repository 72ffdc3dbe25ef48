//! Generated deliveries with the body between two secrets, valid and forged.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE},
};
use fastrand::Rng;
use http::HeaderName;
use paymux_core::{SecretString, Timestamp, signature::Sha1Sandwich};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::{
    forgery::{
        Forger, check_forgeries, check_valid, flip_bit, random_body, random_bytes, tamper_body,
    },
    reference::{Delivery, is_authentic_sandwich, sandwich},
};

const HEADER: &str = "x-signature";

struct Valid {
    secrets: Vec<Vec<u8>>,
    delivery: Delivery,
}

impl Valid {
    fn signature(&self) -> String {
        sandwich(&self.secrets[0], &self.delivery.body)
    }

    fn digest(&self) -> Vec<u8> {
        STANDARD.decode(self.signature()).unwrap()
    }

    fn with_signature(&self, signature: &str) -> Delivery {
        self.delivery.with(HEADER, signature)
    }

    fn signed_with(&self, digest: &[u8]) -> Delivery {
        self.with_signature(&STANDARD.encode(digest))
    }
}

fn random_secret(rng: &mut Rng) -> Vec<u8> {
    let length = rng.usize(16..=96);
    std::iter::repeat_with(|| rng.u8(b'!'..=b'~')).take(length).collect()
}

/// One secret: the plainest delivery, so that nothing covers up for a forgery.
fn plain(rng: &mut Rng) -> Valid {
    let secret = random_secret(rng);
    let body = random_body(rng);
    let headers = vec![(HEADER, sandwich(&secret, &body))];
    let delivery = Delivery { headers, body, received_at: Timestamp::from_millis(0) };
    Valid { secrets: vec![secret], delivery }
}

/// Up to three secrets, the right one anywhere among them, and space around the value.
fn dressed(rng: &mut Rng) -> Valid {
    let mut valid = plain(rng);
    let spaces = [" ".repeat(rng.usize(..3)), " ".repeat(rng.usize(..3))];
    let value = format!("{}{}{}", spaces[0], valid.signature(), spaces[1]);
    valid.delivery = valid.with_signature(&value);
    for _ in 0..rng.usize(..3) {
        let secret = random_secret(rng);
        valid.secrets.insert(rng.usize(..=valid.secrets.len()), secret);
    }
    valid
}

fn is_authentic(valid: &Valid, delivery: &Delivery) -> bool {
    is_authentic_sandwich(delivery, &valid.secrets)
}

fn verify(valid: &Valid, delivery: &Delivery) -> paymux_core::Result<()> {
    let secret = |secret: &Vec<u8>| SecretString::from(String::from_utf8(secret.clone()).unwrap());
    let header = HeaderName::from_static(HEADER);
    let verifier = Sha1Sandwich::new(header, valid.secrets.iter().map(secret))?;
    verifier.verify(&delivery.header_map(), &delivery.body)
}

/// The end of the secret moves into the body, or the body's ends into the secrets: what is hashed
/// in front stays the same.
fn moved_bounds(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let (secret, body) = (&v.secrets[0], &v.delivery.body);
    let cut = rng.usize(1..secret.len());
    let body = match rng.u8(..3) {
        0 => [&secret[cut..], body].concat(),
        1 => [body, &secret[..cut]].concat(),
        _ => [&secret[..], body, secret].concat(),
    };
    Some(v.delivery.with_body(body))
}

fn other_encoding(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let (signature, digest) = (v.signature(), v.digest());
    let text = match rng.u8(..9) {
        0 => hex::encode(&digest),
        1 => STANDARD.encode(hex::encode(&digest)),
        2 => STANDARD_NO_PAD.encode(&digest),
        3 => URL_SAFE.encode(&digest),
        4 => format!("sha1={signature}"),
        5 => format!("\"{signature}\""),
        6 => format!("{signature},{signature}"),
        7 => format!("{} {}", &signature[..14], &signature[14..]),
        _ => STANDARD.encode(&signature),
    };
    (text != signature).then(|| v.with_signature(&text))
}

fn stray_bits(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = v.signature().into_bytes();
    let value = ALPHABET.iter().position(|letter| *letter == text[26])?;
    text[26] = ALPHABET[value ^ rng.usize(1..4)];
    Some(v.with_signature(&String::from_utf8(text).ok()?))
}

fn other_length(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let long = [v.digest(), v.digest()].concat();
    let length = rng.usize(..40);
    (length != 20).then(|| v.signed_with(&long[..length]))
}

fn cut_text(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let whole = v.signature();
    Some(v.with_signature(&whole[..rng.usize(..whole.len())]))
}

fn other_digest(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut digest = v.digest();
    match rng.u8(..3) {
        0 => digest.reverse(),
        1 => digest.fill(rng.u8(..)),
        _ => flip_bit(rng, &mut digest),
    }
    Some(v.signed_with(&digest))
}

fn flipped_text(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let mut text = v.signature().into_bytes();
    let place = rng.usize(..text.len());
    text[place] ^= 1 << rng.u8(..7);
    let visible = text.iter().all(u8::is_ascii_graphic);
    visible.then(|| v.with_signature(&String::from_utf8_lossy(&text)))
}

fn other_secret(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let secret = &v.secrets[0];
    let secret = match rng.u8(..6) {
        0 => Vec::new(),
        1 => STANDARD.encode(secret).into_bytes(),
        2 => secret[..secret.len() - 1].to_vec(),
        3 => [secret, &b"\n"[..]].concat(),
        4 => secret.iter().rev().copied().collect(),
        _ => random_secret(rng),
    };
    Some(v.with_signature(&sandwich(&secret, &v.delivery.body)))
}

/// The same secret and body, put together or hashed in another way.
fn other_algorithm(v: &Valid, rng: &mut Rng) -> Option<Delivery> {
    let (secret, body) = (&v.secrets[0][..], &v.delivery.body[..]);
    let whole = [secret, body, secret].concat();
    let digest = match rng.u8(..8) {
        0 => Sha1::digest(body).to_vec(),
        1 => Sha1::digest([secret, body].concat()).to_vec(),
        2 => Sha1::digest([body, secret].concat()).to_vec(),
        3 => Sha1::digest([secret, secret].concat()).to_vec(),
        4 => Sha1::digest(Sha1::digest(&whole)).to_vec(),
        5 => Sha1::digest([body, secret, body].concat()).to_vec(),
        6 => Sha256::digest(&whole)[..20].to_vec(),
        _ => Sha512::digest(&whole)[..20].to_vec(),
    };
    // Around an empty body some of these are the scheme itself.
    (digest != v.digest()).then(|| v.signed_with(&digest))
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
    ("moved bounds", moved_bounds),
    ("other encoding", other_encoding),
    ("stray bits", stray_bits),
    ("other length", other_length),
    ("cut text", cut_text),
    ("other digest", other_digest),
    ("flipped text", flipped_text),
    ("signature of another", |v, rng| Some(v.with_signature(&plain(rng).signature()))),
    ("other secret", other_secret),
    ("other algorithm", other_algorithm),
    ("other headers", other_headers),
];

#[test]
fn sandwich_forgeries_are_refused() {
    check_forgeries(0x0073_6168, FORGERS, plain, |v| &v.delivery, is_authentic, verify);
}

#[test]
fn sandwich_valid_deliveries_are_accepted() {
    check_valid(0x0077_6963, dressed, |v| &v.delivery, is_authentic, verify);
}
