//! The transitions as tables, without HTTP.

mod operator;
mod refunds;

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, json};
use url::Url;

use super::errors::Refusal;
use super::objects::{Flow, Invoice, NewInvoice, Source};
use super::refunds::NewRefund;
use super::settings::{Expiry, MilkyPaySettings};
use super::state::{Moment, State};
use super::{Status, StatusChange};
use crate::amount::Amount;
use crate::random::Random;

/// A state, its time and its ids.
struct Bench {
    state: State,
    now: Timestamp,
    random: Random,
}

impl Bench {
    fn new() -> Self {
        let base = Url::parse("http://127.0.0.1/milkypay/").unwrap();
        Bench {
            state: State::new(base, MilkyPaySettings::default()),
            now: "2023-06-01T12:00:00Z".parse().unwrap(),
            random: Random::new(Some(1)).unwrap(),
        }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut State, Moment<'_>) -> T) -> T {
        self.state.settle_due(self.now);
        act(&mut self.state, Moment { now: self.now, random: &self.random })
    }

    fn new_invoice(&self, service: &str, amount: &str) -> NewInvoice {
        NewInvoice {
            reference_id: None,
            service: service.to_owned(),
            amount: self.state.services[service].amount(amount).unwrap(),
            flow: Flow::Charge,
            source: Source::MerchantApi,
            test_mode: true,
            description: None,
            metadata: Map::new(),
            service_fields: Map::new(),
            gateway_options: Map::new(),
            customer: None,
            return_url: None,
            return_urls: None,
            callback_url: None,
            expires: None,
        }
    }

    fn create(&mut self, new: NewInvoice) -> String {
        self.act(|state, moment| state.create_invoice(new, moment)).unwrap()
    }

    /// An invoice over 100 USD.
    fn invoice(&mut self) -> String {
        self.create(self.new_invoice("payment_card_usd_hpp", "100"))
    }

    fn verification(&mut self) -> String {
        let new = self.new_invoice("payment_card_usd_hpp", "1");
        self.create(NewInvoice { flow: Flow::Verify, ..new })
    }

    fn invoice_in(&mut self, status: Status) -> String {
        let id = self.invoice();
        self.act(|state, moment| state.set_status(&id, &StatusChange::to(status), moment.now))
            .unwrap();
        id
    }

    fn get(&self, id: &str) -> &Invoice {
        self.state.invoice(id).unwrap()
    }

    fn status(&self, id: &str) -> Status {
        self.get(id).status
    }

    fn pay(&mut self, id: &str, amount: Option<&str>) -> Result<(), Refusal> {
        self.act(|state, moment| {
            let amount = amount.map(|text| state.amount_for(id, text)).transpose()?;
            state.pay(id, amount, moment.now)
        })
    }

    fn refund(&mut self, id: &str, reference: &str, amount: &str) -> Result<(), Refusal> {
        self.act(|state, moment| {
            let amount = state.amount_for(id, amount)?;
            let reference_id = reference.to_owned();
            let new = NewRefund { reference_id, amount, description: None };
            state.create_refund(id, new, moment.now)
        })
    }

    fn advance(&mut self, seconds: u64) {
        self.now = self.now.checked_add(Duration::from_secs(seconds)).unwrap();
        self.act(|_, _| ());
    }

    /// Names of the events since the last look.
    fn events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.state.events).into_iter().map(|event| event.name).collect()
    }
}

fn shown(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string())
}

#[test]
fn only_an_open_invoice_is_paid_declined_started_or_moderated() {
    for (status, _) in Status::ALL {
        let open = status.is_payable();
        for action in 0..5 {
            let mut bench = Bench::new();
            let id = bench.invoice_in(status);
            let result = bench.act(|state, moment| match action {
                0 => state.pay(&id, None, moment.now),
                1 => state.decline(&id, "declined", moment.now),
                2 => state.start_payment(&id, moment.now),
                3 => state.fail(&id, "declined", moment.now),
                _ => state.moderate(&id, moment.now),
            });
            assert_eq!(result.is_ok(), open, "{status:?} {action}");
            if !open {
                assert_eq!(bench.status(&id), status, "a refusal changes nothing");
            }
        }
        let mut bench = Bench::new();
        let id = bench.invoice_in(status);
        let expired = bench.act(|state, moment| state.expire(&id, moment.now));
        let waits = matches!(status, Status::Created | Status::ProcessPending);
        assert_eq!(expired.is_ok(), waits, "{status:?}");
        let mut bench = Bench::new();
        let id = bench.invoice_in(status);
        let stopped = bench.act(|state, moment| state.terminate(&id, moment.now));
        assert_eq!(stopped.is_ok(), open && status != Status::PartiallyProcessed, "{status:?}");
    }
}

#[test]
fn a_part_then_the_rest_or_too_much() {
    let mut bench = Bench::new();
    let id = bench.invoice();
    bench.pay(&id, Some("60.50")).unwrap();
    assert_eq!(bench.status(&id), Status::PartiallyProcessed);
    assert_eq!(shown(bench.get(&id).processed_amount), "60.5");
    bench.pay(&id, None).unwrap();
    assert_eq!(bench.status(&id), Status::Processed);
    assert_eq!(shown(bench.get(&id).processed_amount), "100");
    let expected =
        ["callback.process_pending", "callback.partially_processed", "callback.processed"];
    assert_eq!(bench.events(), expected);

    let id = bench.invoice();
    bench.pay(&id, Some("100.01")).unwrap();
    assert_eq!(bench.status(&id), Status::Processed);
    assert_eq!(shown(bench.get(&id).processed_amount), "100.01");
    for wrong in ["0", "-1", "0.001", "x"] {
        let id = bench.invoice();
        assert!(bench.pay(&id, Some(wrong)).is_err(), "{wrong}");
    }
}

#[test]
fn the_rest_cannot_follow_once_the_time_is_over() {
    let mut bench = Bench::new();
    let id = bench.invoice();
    bench.pay(&id, Some("1")).unwrap();
    bench.advance(1800);
    assert_eq!(bench.status(&id), Status::PartiallyProcessed);
    assert!(bench.pay(&id, None).is_err());
}

#[test]
fn a_verification_takes_nothing() {
    let mut bench = Bench::new();
    let id = bench.verification();
    assert!(bench.pay(&id, Some("1")).is_err());
    bench.pay(&id, None).unwrap();
    let invoice = bench.get(&id);
    assert_eq!(invoice.status, Status::Verified);
    assert_eq!((invoice.processed_amount, invoice.processed), (None, None));
    let id = bench.verification();
    bench.act(|state, moment| state.fail(&id, "invalid_cvv", moment.now)).unwrap();
    assert_eq!(bench.status(&id), Status::VerifyFailed);
    assert_eq!(bench.get(&id).resolution, "invalid_cvv");
}

#[test]
fn the_last_declined_attempt_ends_an_invoice() {
    let mut bench = Bench::new();
    let id = bench.invoice();
    for attempt in 1..=5 {
        let code = "insufficient_funds";
        bench.act(|state, moment| state.decline(&id, code, moment.now)).unwrap();
        let invoice = bench.get(&id);
        assert_eq!(invoice.active_payment.resolution, "insufficient_funds");
        let expected = if attempt < 5 { Status::ProcessPending } else { Status::ProcessFailed };
        let resolution = if attempt < 5 { "ok" } else { "insufficient_funds" };
        assert_eq!(
            (invoice.status, invoice.resolution.as_str()),
            (expected, resolution),
            "{attempt}"
        );
    }
    assert_eq!(bench.events(), ["callback.process_pending", "callback.process_failed"]);
}

#[test]
fn time_ends_what_waits_and_nothing_else() {
    for (expiry, expected) in
        [(Expiry::ProcessFailed, Status::ProcessFailed), (Expiry::Expired, Status::Expired)]
    {
        let mut bench = Bench::new();
        bench.state.settings.expiry = expiry;
        let waiting = bench.invoice();
        let paid = bench.invoice();
        bench.pay(&paid, None).unwrap();
        let started = bench.invoice();
        bench.act(|state, moment| state.start_payment(&started, moment.now)).unwrap();
        let moderated = bench.invoice();
        bench.act(|state, moment| state.moderate(&moderated, moment.now)).unwrap();
        bench.advance(1799);
        assert_eq!(bench.status(&waiting), Status::ProcessPending);
        bench.advance(1);
        assert_eq!(bench.status(&waiting), expected);
        assert_eq!(bench.get(&waiting).resolution, "expired");
        assert_eq!(bench.status(&paid), Status::Processed);
        assert_eq!(bench.status(&started), Status::ProcessPending, "the attempt decides first");
        assert_eq!(bench.status(&moderated), Status::ProcessPending, "the moderator decides");
        bench.act(|state, moment| state.decline(&started, "declined", moment.now)).unwrap();
        bench.act(|_, _| ());
        assert_eq!(bench.status(&started), expected, "declined after its time");
        bench.act(|state, moment| state.approve(&moderated, moment.now)).unwrap();
        assert_eq!(bench.status(&moderated), Status::Processed);
    }
}

#[test]
fn fees_are_taken_from_the_merchant_or_put_on_top() {
    let mut bench = Bench::new();
    // 2.5 % and 0.25 out of the amount.
    let internal = bench.create(bench.new_invoice("payment_card_eur_hpp", "100"));
    bench.pay(&internal, None).unwrap();
    let invoice = bench.get(&internal);
    assert_eq!(invoice.payment_amount.to_string(), "100");
    assert_eq!(shown(invoice.processed_fee), "2.75");
    assert_eq!(shown(invoice.processed_deposit), "97.25");
    // 3 % on top of the amount.
    let external = bench.create(bench.new_invoice("payment_card_gbp_hpp", "100"));
    bench.pay(&external, None).unwrap();
    let invoice = bench.get(&external);
    assert_eq!(invoice.payment_amount.to_string(), "103");
    assert_eq!(shown(invoice.processed_amount), "103");
    assert_eq!(shown(invoice.processed_deposit), "100");
    // Whatever was paid, fee and deposit are what was paid.
    for paid in ["0.1", "1", "50", "103.5"] {
        for service in ["payment_card_eur_hpp", "payment_card_gbp_hpp"] {
            let id = bench.create(bench.new_invoice(service, "100"));
            bench.pay(&id, Some(paid)).unwrap();
            let invoice = bench.get(&id);
            let sum = invoice.processed_fee.unwrap().plus(invoice.processed_deposit.unwrap());
            assert_eq!(Some(sum), invoice.processed_amount, "{service} {paid}");
        }
    }
}

#[test]
fn a_reserve_is_withheld_and_authorizes_nothing() {
    let mut bench = Bench::new();
    let id = bench.create(bench.new_invoice("payment_card_cad_hpp", "100"));
    bench.pay(&id, None).unwrap();
    let invoice = bench.get(&id);
    assert_eq!(shown(invoice.reserved_amount), "10");
    assert_eq!(invoice.reserve_expires.unwrap().to_string(), "2023-06-08T12:00:00Z");
    assert_eq!(invoice.status, Status::Processed);
}

#[test]
fn a_reference_is_used_once() {
    let mut bench = Bench::new();
    let mut new = bench.new_invoice("payment_card_usd_hpp", "100");
    new.reference_id = Some("order-7".to_owned());
    let first = bench.create(new.clone());
    let live = NewInvoice { test_mode: false, ..new };
    let again = bench.act(|state, moment| state.create_invoice(live, moment));
    assert_eq!(again, Err(Refusal::Duplicate(first)));
    assert_eq!(bench.state.invoices.rows().len(), 1);
}

#[test]
fn the_test_service_ends_as_its_field_says() {
    for (word, expected) in [
        ("processed", Status::Processed),
        ("process_failed", Status::ProcessFailed),
        ("something_else", Status::ProcessPending),
    ] {
        let mut bench = Bench::new();
        let mut new = bench.new_invoice("test_usd_test", "5");
        new.service_fields.insert("status".to_owned(), json!(word));
        let id = bench.create(new);
        assert_eq!(bench.status(&id), expected, "{word}");
    }
}
