//! What the forgers of all schemes share: chance, bodies, and how a run is counted.

use std::collections::BTreeMap;

use fastrand::Rng;
use paymux_core::{Effect, ErrorKind, Result};

use crate::reference::Delivery;

pub(crate) const FORGERIES: usize = 6_000;
pub(crate) const VALID: usize = 600;

/// One way to tamper: gives the forged delivery, or nothing where this way changes nothing.
pub(crate) type Forger<V> = (&'static str, fn(&V, &mut Rng) -> Option<Delivery>);

/// Makes forgeries of every kind in turn and checks that all are refused.
///
/// The forger is checked too: the delivery it begins with is authentic, what it makes differs
/// from it, and an independent reading finds it not authentic.
pub(crate) fn check_forgeries<V>(
    seed: u64,
    forgers: &[Forger<V>],
    make_valid: fn(&mut Rng) -> V,
    delivery: fn(&V) -> &Delivery,
    is_authentic: fn(&V, &Delivery) -> bool,
    verify: fn(&V, &Delivery) -> Result<()>,
) {
    let mut rng = Rng::with_seed(seed);
    let mut made: BTreeMap<&str, usize> = BTreeMap::new();
    let mut total = 0;
    for turn in 0.. {
        if total == FORGERIES {
            break;
        }
        let (kind, forge) = forgers[turn % forgers.len()];
        let valid = make_valid(&mut rng);
        let original = delivery(&valid);
        assert!(is_authentic(&valid, original), "{kind}: began with {original:?}");
        verify(&valid, original).unwrap();
        let Some(forged) = forge(&valid, &mut rng) else { continue };
        assert_ne!(&forged, original, "{kind}: nothing was changed");
        assert!(!is_authentic(&valid, &forged), "{kind}: no forgery: {forged:?}");
        match verify(&valid, &forged) {
            Ok(()) => panic!("{kind}: accepted {forged:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::InvalidSignature, "{kind}");
                assert_eq!(error.effect(), Effect::None, "{kind}");
            }
        }
        *made.entry(kind).or_default() += 1;
        total += 1;
    }
    assert_eq!(made.len(), forgers.len(), "{made:?}");
    assert!(made.values().all(|&count| count >= 75), "{made:?}");
}

/// Makes valid deliveries in all the forms they may take and checks that all are accepted.
pub(crate) fn check_valid<V>(
    seed: u64,
    make_valid: fn(&mut Rng) -> V,
    delivery: fn(&V) -> &Delivery,
    is_authentic: fn(&V, &Delivery) -> bool,
    verify: fn(&V, &Delivery) -> Result<()>,
) {
    let mut rng = Rng::with_seed(seed);
    for _ in 0..VALID {
        let valid = make_valid(&mut rng);
        let delivery = delivery(&valid);
        assert!(is_authentic(&valid, delivery), "{delivery:?}");
        if let Err(error) = verify(&valid, delivery) {
            panic!("{error}: {delivery:?}");
        }
    }
}

pub(crate) fn random_bytes(rng: &mut Rng, length: usize) -> Vec<u8> {
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

/// JSON mostly, and sometimes nothing or no text at all: the scheme does not care.
pub(crate) fn random_body(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..10) {
        0 => Vec::new(),
        1..3 => {
            let length = rng.usize(1..120);
            random_bytes(rng, length)
        }
        _ => format!(
            r#"{{"id":"evt_{}","type":"payment.succeeded","data":{{"amount":{},"currency":"EUR"}}}}"#,
            rng.u32(..),
            rng.u16(..)
        )
        .into_bytes(),
    }
}

/// A time of signing, with the arrival anywhere within the tolerance.
pub(crate) fn random_times(rng: &mut Rng) -> (i64, i64) {
    let signed_at = rng.i64(1_000_000_000..2_000_000_000);
    (signed_at, signed_at * 1000 + rng.i64(-300_000..=300_000))
}

pub(crate) fn flip_bit(rng: &mut Rng, bytes: &mut [u8]) {
    let place = rng.usize(..bytes.len());
    bytes[place] ^= 1 << rng.u8(..8);
}

/// The ways to change a body that both schemes must notice.
pub(crate) fn tamper_body(rng: &mut Rng, body: &[u8]) -> Vec<u8> {
    let mut changed = body.to_vec();
    match rng.u8(..8) {
        0 => changed.push(b'\n'),
        1 => changed.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        2 => changed.push(0),
        3 => changed.insert(rng.usize(..=body.len()), b' '),
        4 if !body.is_empty() => changed.truncate(rng.usize(..body.len())),
        5 if !body.is_empty() => drop(changed.remove(0)),
        6 => changed = [body, b"\r\n", body].concat(),
        _ if !body.is_empty() => flip_bit(rng, &mut changed),
        _ => changed.push(b'.'),
    }
    changed
}
