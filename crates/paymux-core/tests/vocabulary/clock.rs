//! Time: as text, as a span, and moved by hand.

use std::time::Duration;

use paymux_core::{Clock, Effect, ErrorKind, ManualClock, SystemClock, Timestamp};

#[test]
fn text_is_read() {
    let noon = 1_685_620_800_000;
    let table = [
        ("2023-06-01T12:00:00Z", noon),
        ("2023-06-01T12:00:00.5Z", noon + 500),
        ("2023-06-01T12:00:00.123Z", noon + 123),
        ("2023-06-01T12:00:00.123456Z", noon + 123),
        ("2023-06-01T12:00:00.123999Z", noon + 123),
        ("2023-06-01T12:00:00.123456789Z", noon + 123),
        ("2023-06-01T12:00:00.999999999Z", noon + 999),
        ("2023-06-01T12:00:00+00:00", noon),
        ("2023-06-01T14:00:00+02:00", noon),
        ("2023-06-01T06:30:00-05:30", noon),
        ("2023-06-01T14:00:00.25+02:00", noon + 250),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -1000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
    ];
    for (text, millis) in table {
        let moment = Timestamp::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(moment.as_millis(), millis, "{text}");
    }
}

#[test]
fn nonsense_is_refused() {
    for text in [
        "",
        " ",
        "now",
        "1685620800",
        "2023-06-01",
        "2023-06-01T12:00:00",
        "2023-06-01 ",
        "12:00:00Z",
        "2023-13-01T12:00:00Z",
        "2023-02-29T12:00:00Z",
        "2023-06-01T25:00:00Z",
        "2023-06-01T12:61:00Z",
        "2023-06-01T12:00:00.1234567890Z",
        "2023-06-01T12:00:00.Z",
        "2023-06-01T12:00:00+25:99",
        "2023-06-01T12:00:00ZZ",
        " 2023-06-01T12:00:00Z",
        "2023-06-01T12:00:00Z ",
        "0x7ff",
        "２023-06-01T12:00:00Z",
        "99999-01-01T00:00:00Z",
    ] {
        let error = Timestamp::parse(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
        assert_eq!(error.effect(), Effect::None, "{text}");
        assert_eq!(error.field(), Some("timestamp"), "{text}");
    }
}

#[test]
fn a_refused_text_is_not_quoted() {
    let error = Timestamp::parse("canary").unwrap_err();
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn what_is_shown_is_read_back() {
    for millis in [0, 1, 999, 1000, 1_685_620_800_123, -62_135_596_800_000, 253_402_207_200_000] {
        let moment = Timestamp::from_millis(millis);
        assert_eq!(Timestamp::parse(&moment.to_string()).unwrap(), moment, "{moment}");
        let text = serde_json::to_string(&moment).unwrap();
        assert_eq!(text, millis.to_string());
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), moment);
    }
    assert_eq!(Timestamp::from_millis(1_685_620_800_000).to_string(), "2023-06-01T12:00:00Z");
    assert_eq!(Timestamp::from_millis(i64::MAX).to_string(), "9223372036854775807 ms");
}

#[test]
fn spans_stop_at_the_ends() {
    let at = Timestamp::from_millis;
    assert_eq!(at(5).after(Duration::from_millis(7)), at(12));
    assert_eq!(at(5).after(Duration::MAX), at(i64::MAX));
    assert_eq!(at(i64::MAX).after(Duration::from_millis(1)), at(i64::MAX));
    assert_eq!(at(12).since(at(5)), Duration::from_millis(7));
    assert_eq!(at(5).since(at(12)), Duration::ZERO);
    assert_eq!(at(i64::MAX).since(at(i64::MIN)).as_millis(), i64::MAX.unsigned_abs().into());
    assert_eq!(at(i64::MIN).since(at(i64::MAX)), Duration::ZERO);
    assert_eq!(Timestamp::from_seconds(i64::MAX), at(i64::MAX));
    assert_eq!(Timestamp::from_seconds(i64::MIN), at(i64::MIN));
    assert_eq!(Timestamp::from_seconds(-2).as_millis(), -2000);
    assert_eq!(at(-1).as_seconds(), -1, "rounded down, not toward zero");
    assert_eq!(at(1999).as_seconds(), 1);
}

#[test]
fn a_manual_clock_goes_where_it_is_put() {
    let clock = ManualClock::new(Timestamp::from_millis(100));
    assert_eq!(clock.now(), clock.now());
    clock.advance(Duration::from_millis(50));
    assert_eq!(clock.now().as_millis(), 150);
    clock.set(Timestamp::from_millis(20));
    assert_eq!(clock.now().as_millis(), 20);
    clock.advance(Duration::MAX);
    clock.advance(Duration::MAX);
    assert_eq!(clock.now().as_millis(), i64::MAX, "it stops at the end and never runs back");
}

#[test]
fn the_system_clock_tells_a_time_of_this_age() {
    assert!(SystemClock.now() > Timestamp::parse("2025-01-01T00:00:00Z").unwrap());
}
