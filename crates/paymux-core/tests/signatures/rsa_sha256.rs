//! RSA with SHA-256: known answers, generated forgeries, and keys that are none.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use paymux_core::{Effect, ErrorKind, signature::RsaSha256};
use serde_json::Value;

fn pem(der: &[u8]) -> String {
    let encoded = STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n")
}

fn key_pair(size: KeySize) -> (RsaKeyPair, String) {
    let pair = RsaKeyPair::generate(size).expect("a key");
    let der = pair.public_key().as_der().expect("an encoding");
    let pem = pem(der.as_ref());
    (pair, pem)
}

fn sign(pair: &RsaKeyPair, text: &[u8]) -> String {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature).expect("a signature");
    STANDARD.encode(signature)
}

#[test]
fn recorded_deliveries() {
    let file = include_str!("../data/signatures/rsa_sha256.contract.json");
    let file: Value = serde_json::from_str(file).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list");
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let text = |key: &str| vector[key].as_str().expect("a text");
        let keys = RsaSha256::new([text("key")]).expect("a key");
        let result = keys.verify(text("signed").as_bytes(), text("signature"));
        assert_eq!(result.is_ok(), vector["valid"] == true, "{}", text("name"));
        if let Err(error) = result {
            assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidSignature, Effect::None));
        }
    }
}

#[test]
fn any_of_three_keys_and_no_fourth() {
    let (first, first_pem) = key_pair(KeySize::Rsa2048);
    let (second, second_pem) = key_pair(KeySize::Rsa3072);
    let (stranger, stranger_pem) = key_pair(KeySize::Rsa2048);
    let keys = RsaSha256::new([first_pem.as_str(), &second_pem]).expect("keys");
    assert!(keys.verify(b"text", &sign(&first, b"text")).is_ok());
    assert!(keys.verify(b"text", &sign(&second, b"text")).is_ok());
    assert!(keys.verify(b"text", &sign(&stranger, b"text")).is_err());
    assert!(keys.verify(b"", &sign(&first, b"")).is_ok(), "nothing can be signed, too");
    let four = [first_pem.as_str(), &second_pem, &stranger_pem, &first_pem];
    assert!(RsaSha256::new(four).is_err());
    assert!(RsaSha256::new(four.into_iter().take(3)).is_ok());
}

#[test]
fn other_schemes_with_the_same_key_are_refused() {
    let (pair, pem) = key_pair(KeySize::Rsa2048);
    let keys = RsaSha256::new([pem.as_str()]).expect("a key");
    let mut signature = vec![0; pair.public_modulus_len()];
    for scheme in [&RSA_PSS_SHA256, &RSA_PKCS1_SHA512] {
        let random = SystemRandom::new();
        pair.sign(scheme, &random, b"text", &mut signature).expect("a signature");
        assert!(keys.verify(b"text", &STANDARD.encode(&signature)).is_err());
    }
}

/// One signature has one text, and any change of either ends it.
#[test]
fn changed_texts_and_signatures_are_refused() {
    let (pair, pem) = key_pair(KeySize::Rsa2048);
    let keys = RsaSha256::new([pem.as_str()]).expect("a key");
    let text = br#"{"type":"reserved"}"#;
    let signature = sign(&pair, text);
    assert!(keys.verify(text, &signature).is_ok());
    for at in 0..text.len() {
        let mut changed = text.to_vec();
        changed[at] ^= 1;
        assert!(keys.verify(&changed, &signature).is_err(), "byte {at}");
    }
    let bytes = STANDARD.decode(&signature).expect("base64");
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(keys.verify(text, &STANDARD.encode(changed)).is_err(), "byte {at}");
    }
    let unpadded = signature.trim_end_matches('=').to_owned();
    let url_safe = signature.replace('+', "-").replace('/', "_");
    let longer = STANDARD.encode([bytes.as_slice(), &[0]].concat());
    let shorter = STANDARD.encode(&bytes[..bytes.len() - 1]);
    let hex = hex::encode(&bytes);
    let endless = "A".repeat(100_000);
    for bad in [
        "",
        "=",
        " ",
        unpadded.as_str(),
        &longer,
        &shorter,
        &hex,
        &endless,
        &format!(" {signature}"),
        &format!("{signature}\n"),
        &format!("{signature}{signature}"),
    ] {
        let error = keys.verify(text, bad).expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::InvalidSignature);
    }
    assert!(url_safe == signature || keys.verify(text, &url_safe).is_err());
}

#[test]
fn keys_that_are_none_are_refused_and_named() {
    let (_, good) = key_pair(KeySize::Rsa2048);
    let body: String = good.lines().filter(|line| !line.starts_with("--")).collect();
    let elliptic = aws_lc_rs::signature::EcdsaKeyPair::generate(
        &aws_lc_rs::signature::ECDSA_P256_SHA256_ASN1_SIGNING,
    )
    .expect("a key");
    let elliptic = pem(elliptic.public_key().as_der().expect("an encoding").as_ref());
    // 1024 bits, made for this test.
    let short = include_str!("../data/signatures/rsa_1024.pem");
    let bad = [
        String::new(),
        "key".to_owned(),
        body.clone(),
        good.replace("PUBLIC", "PRIVATE"),
        good.replace("BEGIN PUBLIC KEY", "BEGIN CERTIFICATE"),
        format!("{good}{good}"),
        good.replace(&body, ""),
        good.replace(&body, "AAAA"),
        good.replace(&body, &body[..body.len() - 4]),
        good.replace(&body, "*not base64*"),
        format!("{}{}", "x".repeat(5000), good),
        elliptic,
        short.to_owned(),
    ];
    for pem in &bad {
        let error = RsaSha256::new([pem.as_str()]).expect_err(pem);
        assert_eq!((error.kind(), error.field()), (ErrorKind::Configuration, Some("webhook_key")));
        // One good key does not excuse a bad one.
        assert!(RsaSha256::new([good.as_str(), pem]).is_err());
    }
    assert!(RsaSha256::new([]).is_err());
    for good in [good.replace('\n', "\r\n"), format!("\n  {good}\n"), good] {
        let keys = RsaSha256::new([good.as_str()]).expect("a key");
        assert_eq!(format!("{keys:?}"), "RsaSha256 { keys: 1 }");
    }
}
