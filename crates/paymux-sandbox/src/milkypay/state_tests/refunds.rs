//! Refunds, whole and in parts.

use serde_json::json;

use super::{Bench, Refusal, Status, shown};

#[test]
fn refunds_go_on_until_what_was_paid_is_used_up() {
    let mut bench = Bench::new();
    let id = bench.invoice();
    assert!(bench.refund(&id, "early", "1").is_err());
    bench.pay(&id, None).unwrap();
    bench.refund(&id, "one", "10").unwrap();
    assert_eq!(bench.status(&id), Status::PartiallyRefunded);
    let repeated = bench.refund(&id, "one", "10");
    assert_eq!(repeated, Err(Refusal::Duplicate(id.clone())));
    assert!(bench.refund(&id, "two", "90.01").is_err());
    bench.refund(&id, "two", "90").unwrap();
    assert_eq!(bench.status(&id), Status::Refunded);
    assert_eq!(shown(bench.get(&id).refunded_amount), "100");
    assert!(bench.refund(&id, "three", "1").is_err());
}

#[test]
fn a_refund_with_a_delay_is_pending_and_may_fail() {
    let mut bench = Bench::new();
    bench.state.settings.refund_delay_seconds = 60;
    let id = bench.invoice();
    bench.pay(&id, None).unwrap();
    bench.refund(&id, "one", "100").unwrap();
    assert_eq!(bench.status(&id), Status::RefundPending);
    assert!(bench.refund(&id, "two", "1").is_err(), "one at a time");
    bench.act(|state, moment| state.settle_refund(&id, false, moment.now)).unwrap();
    assert_eq!(bench.status(&id), Status::RefundFailed);
    assert_eq!(shown(bench.get(&id).refunded_amount), "none");
    bench.advance(59);
    bench.refund(&id, "three", "100").unwrap();
    bench.advance(1);
    assert_eq!(bench.status(&id), Status::RefundPending, "the first one's time is not its own");
    bench.advance(59);
    assert_eq!(bench.status(&id), Status::Refunded);
}

#[test]
fn refunds_need_a_service_and_funds() {
    let mut bench = Bench::new();
    let mut new = bench.new_invoice("bank_transfer_usd_hpp", "100");
    new.service_fields.insert("account_number".to_owned(), json!("UA213223130000026007"));
    let bank = bench.create(new);
    bench.pay(&bank, None).unwrap();
    assert!(bench.refund(&bank, "one", "1").is_err());
    let card = bench.invoice();
    bench.pay(&card, None).unwrap();
    bench.state.settings.refund_funds = false;
    assert!(bench.refund(&card, "one", "1").is_err());
    assert_eq!(bench.status(&card), Status::Processed);
}
