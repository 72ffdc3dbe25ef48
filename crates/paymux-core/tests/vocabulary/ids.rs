//! Identifiers: what is refused, and how keys are made.

use std::collections::HashSet;

use paymux_core::{
    Cursor, Effect, Error, ErrorKind, EventKey, IdempotencyKey, OsRandom, ProviderId,
    ProviderMandateId, ProviderMethodId, ProviderPartId, ProviderPaymentId, ProviderRefundId,
    Random, Reference, SeededRandom,
};

/// Each identifier: its name in errors, the longest it takes, and how it is made.
type Make = fn(String) -> Result<String, Error>;
const ALL: [(&str, usize, Make); 10] = [
    ("provider_id", 1024, |text| ProviderId::new(text).map(String::from)),
    ("reference", 255, |text| Reference::new(text).map(String::from)),
    ("key", 255, |text| IdempotencyKey::new(text).map(String::from)),
    ("payment id", 1024, |text| ProviderPaymentId::new(text).map(String::from)),
    ("part id", 1024, |text| ProviderPartId::new(text).map(String::from)),
    ("refund id", 1024, |text| ProviderRefundId::new(text).map(String::from)),
    ("mandate id", 1024, |text| ProviderMandateId::new(text).map(String::from)),
    ("method id", 1024, |text| ProviderMethodId::new(text).map(String::from)),
    ("cursor", 4096, |text| Cursor::new(text).map(String::from)),
    ("event key", 1024, |text| EventKey::new(text).map(String::from)),
];

const REFUSED: [&str; 17] = [
    "",
    ".",
    "..",
    " ",
    " a",
    "a ",
    "\ta",
    "a\n",
    "a\nb",
    "a\rb",
    "a\r\nX-Admin: 1",
    "a\0b",
    "a\u{7f}b",
    "a\u{85}b",
    "\u{a0}a",
    "a\u{2028}b",
    "a\u{2029}b",
];

#[test]
fn what_could_break_a_header_or_a_line_is_refused() {
    for (field, longest, make) in ALL {
        let too_long = "x".repeat(longest + 1);
        for text in REFUSED.iter().copied().chain([too_long.as_str()]) {
            let error = make(text.to_owned()).expect_err(field);
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{field}: {text:?}");
            assert_eq!(error.effect(), Effect::None, "{field}: {text:?}");
            assert_eq!(error.field(), Some(field), "{text:?}");
        }
        let longest = "x".repeat(longest);
        assert_eq!(make(longest.clone()).unwrap(), longest, "{field}");
        assert_eq!(make("pay_1-A.b:c/d~".to_owned()).unwrap(), "pay_1-A.b:c/d~", "{field}");
    }
}

#[test]
fn a_key_is_visible_ascii_and_a_reference_need_not_be() {
    for text in ["a b", "naïve", "🔑"] {
        assert_eq!(IdempotencyKey::new(text).unwrap_err().field(), Some("key"), "{text}");
        assert_eq!(Reference::new(text).unwrap().as_str(), text);
    }
    let visible: String = (b'!'..=b'~').map(char::from).collect();
    assert_eq!(IdempotencyKey::new(visible.clone()).unwrap().to_string(), visible);
}

/// The length is counted in bytes, as the wire counts it.
#[test]
fn length_is_in_bytes() {
    assert!(Reference::new("é".repeat(127)).is_ok());
    assert!(Reference::new("é".repeat(128)).is_err());
}

#[test]
fn a_store_cannot_bring_in_a_bad_one() {
    let key: IdempotencyKey = serde_json::from_str("\"k1\"").unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), "\"k1\"");
    for text in ["\"\"", "\" k\"", "\"a b\"", "\"a\\nb\"", "1", "null", "[\"k\"]"] {
        assert!(serde_json::from_str::<IdempotencyKey>(text).is_err(), "{text}");
    }
    assert!(serde_json::from_str::<ProviderPaymentId>("\"a\\u0000\"").is_err());
    let error = serde_json::from_str::<ProviderPaymentId>("\"\"").unwrap_err();
    assert!(error.to_string().contains("payment id"), "{error}");
}

#[test]
fn keys_are_thirty_two_characters_that_every_provider_takes() {
    let random = SeededRandom::new(7);
    let mut seen = HashSet::new();
    let mut signs = HashSet::new();
    for _ in 0..10_000 {
        let key = IdempotencyKey::generate(&random);
        assert_eq!(key.as_str().len(), 32);
        signs.extend(key.as_str().bytes());
        assert!(IdempotencyKey::new(key.as_str()).is_ok());
        assert!(seen.insert(key), "a key came twice");
    }
    let alphabet: HashSet<u8> = (b'a'..=b'z').chain(b'2'..=b'7').collect();
    assert_eq!(signs, alphabet, "all signs of the alphabet, and no other");
}

#[test]
fn a_seed_repeats_its_keys() {
    let keys = |seed| {
        let random = SeededRandom::new(seed);
        [(); 5].map(|()| IdempotencyKey::generate(&random))
    };
    assert_eq!(keys(1), keys(1));
    assert_ne!(keys(1), keys(2));
}

#[test]
fn the_system_gives_other_keys_each_time() {
    assert_ne!(IdempotencyKey::generate(&OsRandom), IdempotencyKey::generate(&OsRandom));
}

/// Bytes of a known pattern, to check the encoding against RFC 4648 by hand.
#[derive(Debug)]
struct Pattern(u8);

impl Random for Pattern {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.0);
    }
}

#[test]
fn keys_are_base_32_of_all_the_bits() {
    let key = |byte| IdempotencyKey::generate(&Pattern(byte)).to_string();
    assert_eq!(key(0), "a".repeat(32));
    assert_eq!(key(0xff), "7".repeat(32));
    // 0x5a five times is 01011 01001 01101 00101 10100 10110 10010 11010.
    assert_eq!(key(0x5a), "ljnfuws2".repeat(4));
}

/// The empty text's and `abc`'s digests are those of FIPS 180-2.
#[test]
fn digests_make_event_keys() {
    assert_eq!(
        EventKey::digest(b"").as_str(),
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    let abc = EventKey::digest(b"abc");
    assert_eq!(
        abc.as_str(),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(EventKey::new(abc.as_str()).unwrap(), abc);
}
