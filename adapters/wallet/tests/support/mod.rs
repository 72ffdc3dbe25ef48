//! What signs callbacks in tests.

use aws_lc_rs::{
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::form_urlencoded;

/// The key that the recorded callbacks are signed by; its other half was thrown away.
pub(crate) const PUBLISHED_KEY: &str = include_str!("../vectors/callback_key.pem");

/// A key pair of one run.
pub(crate) struct CallbackKey {
    pair: RsaKeyPair,
    /// The public half.
    pub(crate) pem: String,
}

impl CallbackKey {
    /// A fresh one: no test depends on which.
    pub(crate) fn generate() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der = pair.public_key().as_der().expect("an encoding");
        let encoded = STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n");
        Self { pair, pem }
    }

    /// The signature of an event, as it travels.
    pub(crate) fn sign(&self, event: &[u8]) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        let signed = self.pair.sign(&RSA_PKCS1_SHA256, &random, event, &mut signature);
        signed.expect("a signature");
        STANDARD.encode(signature)
    }
}

/// The body of a callback.
pub(crate) fn form(event: &[u8], signature: &str) -> Vec<u8> {
    let mut body = b"event=".to_vec();
    body.extend(form_urlencoded::byte_serialize(event).flat_map(str::bytes));
    let sign = form_urlencoded::byte_serialize(signature.as_bytes()).collect::<String>();
    body.extend(format!("&sign={sign}").into_bytes());
    body
}
