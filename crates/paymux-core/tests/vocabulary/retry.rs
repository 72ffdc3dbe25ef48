//! When a call may be repeated, and after how long.

use std::time::Duration;

use paymux_core::{
    Effect, Error, ErrorKind, OsRandom, Random, Replay, SeededRandom,
    retry::{RetryPolicy, may_repeat},
};

const DAY: Duration = Duration::from_secs(86_400);
const MOMENT: Duration = Duration::from_secs(1);

fn failed(effect: Effect, retryable: bool) -> Error {
    Error::new(ErrorKind::Unavailable, effect, "it failed").with_retryable(retryable)
}

fn key(ttl: Duration) -> Replay {
    Replay::Key { ttl, max_len: 64, replays_errors: true }
}

/// For each class of replay: may it be repeated after no effect, after a possible one?
#[test]
fn the_truth_table() {
    let table = [
        (key(DAY), true, true),
        (Replay::Reference, true, true),
        (Replay::Harmless, true, true),
        (Replay::LookupFirst, true, false),
        (Replay::Never, true, false),
    ];
    for (replay, after_none, after_possible) in table {
        for (effect, expected) in [(Effect::None, after_none), (Effect::Possible, after_possible)] {
            let repeat = |retryable| may_repeat(&failed(effect, retryable), replay, MOMENT);
            assert_eq!(repeat(true), expected, "{replay:?} {effect:?}");
            assert!(!repeat(false), "{replay:?} {effect:?}: what cannot succeed is not repeated");
        }
    }
}

/// A key is relied on for four fifths of its life. That holds after "no effect", too: it is said
/// of the last send alone, and an earlier one with this key may have acted.
#[test]
fn an_old_key_is_not_sent_again() {
    let border = DAY * 4 / 5;
    let nanosecond = Duration::from_nanos(1);
    for effect in [Effect::None, Effect::Possible] {
        let error = failed(effect, true);
        assert!(may_repeat(&error, key(DAY), border - nanosecond), "{effect:?}");
        assert!(!may_repeat(&error, key(DAY), border), "{effect:?}");
        assert!(!may_repeat(&error, key(DAY), Duration::MAX), "{effect:?}");
        assert!(!may_repeat(&error, key(Duration::ZERO), Duration::ZERO), "{effect:?}");
        assert!(may_repeat(&error, key(Duration::MAX), DAY), "{effect:?}");
    }
    for replay in [Replay::Reference, Replay::Harmless] {
        assert!(may_repeat(&failed(Effect::Possible, true), replay, Duration::MAX));
    }
}

/// The shortest and the longest roll, and one in the middle.
#[derive(Debug)]
struct Roll(u32);

impl Random for Roll {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.copy_from_slice(&self.0.to_le_bytes());
    }
}

#[test]
fn a_wait_varies_within_its_jitter() {
    let policy = RetryPolicy { delays: vec![Duration::from_secs(10)], jitter_percent: 20 };
    let error = failed(Effect::None, true);
    let wait = |roll| policy.delay(0, &error, &Roll(roll)).unwrap();
    assert_eq!(wait(0), Duration::from_secs(8));
    assert_eq!(wait(20_000), Duration::from_secs(10));
    assert_eq!(wait(40_000), Duration::from_secs(12));
    assert_eq!(wait(40_001), Duration::from_secs(8), "the roll is a remainder");
    let random = SeededRandom::new(3);
    for policy in [RetryPolicy::short(), RetryPolicy::patient()] {
        for (repetition, delay) in policy.delays.iter().enumerate() {
            for _ in 0..500 {
                let wait = policy.delay(repetition, &error, &random).unwrap();
                assert!(wait >= *delay * 4 / 5 && wait <= *delay * 6 / 5, "{wait:?} {delay:?}");
            }
        }
    }
}

#[test]
fn jitter_of_none_and_of_too_much() {
    let error = failed(Effect::None, true);
    let delays = vec![Duration::from_secs(10), Duration::MAX];
    let exact = RetryPolicy { delays: delays.clone(), jitter_percent: 0 };
    assert_eq!(exact.delay(0, &error, &OsRandom), Some(Duration::from_secs(10)));
    let wild = RetryPolicy { delays, jitter_percent: 255 };
    for roll in [0, 100_000, 200_000, u32::MAX] {
        assert!(wild.delay(0, &error, &Roll(roll)).unwrap() <= Duration::from_secs(20));
        assert!(wild.delay(1, &error, &Roll(roll)).is_some(), "no overflow");
    }
}

#[test]
fn there_is_an_end() {
    let error = failed(Effect::None, true);
    for policy in [RetryPolicy::short(), RetryPolicy::patient()] {
        let waits = policy.delays.len();
        assert!(policy.delays.is_sorted(), "each wait is at least as long as the last");
        assert!(policy.delay(waits - 1, &error, &OsRandom).is_some());
        assert_eq!(policy.delay(waits, &error, &OsRandom), None);
        assert_eq!(policy.delay(usize::MAX, &error, &OsRandom), None);
    }
    let none = RetryPolicy { delays: Vec::new(), jitter_percent: 20 };
    assert_eq!(none.delay(0, &error, &OsRandom), None);
}

#[test]
fn the_providers_wish_is_kept_to_when_it_is_longer() {
    let policy = RetryPolicy { delays: vec![Duration::from_secs(10)], jitter_percent: 0 };
    let wait = |wish: Option<u64>| {
        let error = failed(Effect::None, true).with_retry_after(wish.map(Duration::from_secs));
        policy.delay(0, &error, &OsRandom).unwrap()
    };
    assert_eq!(wait(None), Duration::from_secs(10));
    assert_eq!(wait(Some(3)), Duration::from_secs(10));
    assert_eq!(wait(Some(60)), Duration::from_secs(60));
    let error = failed(Effect::None, true).with_retry_after(Some(Duration::from_secs(60)));
    assert_eq!(policy.delay(1, &error, &OsRandom), None, "a wish adds no repetition");
}
