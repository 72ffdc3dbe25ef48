//! The rules without HTTP.

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::accounts::{RampUser, USUAL_USER};
use super::errors::Refusal;
use super::gateway::Act;
use super::objects::{Kind, RampDiscount, RampInvoice};
use super::payments::Order;
use super::settings::{
    Approval, CheckoutWebhooks, ConfirmUnpaid, RampSettings, Reuse, SessionForm,
};
use super::state::{Moment, State};
use super::status::Status;
use crate::clock;
use crate::random::Random;

const USD: &str = "2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f5";
const ETH: &str = "2d4f6a80-91b3-4c5d-8e7f-a0b1c2d3e4f8";

/// A state with a clock that stands until it is moved.
struct Play {
    state: State,
    random: Random,
    now: Timestamp,
}

impl Play {
    fn new() -> Self {
        Play::with(RampSettings::default())
    }

    fn with(settings: RampSettings) -> Self {
        let base = Url::parse("http://127.0.0.1:1/ramp/").unwrap();
        Play {
            state: State::new(base, settings),
            random: Random::new(Some(1)).unwrap(),
            now: Timestamp::from_second(1_717_430_400).unwrap(),
        }
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut State, Moment<'_>) -> T) -> T {
        act(&mut self.state, Moment { now: self.now, random: &self.random })
    }

    fn invoice(&mut self, amount: &str, currency: &str) -> String {
        let (amount, currency) = (amount.to_owned(), currency.to_owned());
        let invoice = RampInvoice { amount, currency, ..RampInvoice::default() };
        self.act(|state, moment| state.add_invoice(invoice, moment)).unwrap()
    }

    fn create(&mut self, order: &Order) -> Result<String, Refusal> {
        self.act(|state, moment| state.create_payment(USUAL_USER, order, moment))
    }

    /// A new payment of a new invoice over 10.50 USD.
    fn payment(&mut self, kind: Kind) -> (Order, String) {
        let order = order(&self.invoice("10.50", "USD"), kind);
        let id = self.create(&order).unwrap();
        (Order { payment_id: Some(id.clone()), ..order }, id)
    }

    fn update(&mut self, order: &Order) -> Result<String, Refusal> {
        self.act(|state, moment| state.update_payment(USUAL_USER, order, moment))
    }

    fn confirm(&mut self, order: &Order) -> Result<Status, Refusal> {
        let id = self.act(|state, moment| state.confirm_payment(USUAL_USER, order, moment.now))?;
        Ok(self.status(&id))
    }

    fn check_out(&mut self, id: &str, act: Act) -> Result<Option<String>, Refusal> {
        self.act(|state, moment| state.check_out(id, act, moment))
    }

    fn change(&mut self, id: &str, next: Status) -> Result<(), Refusal> {
        self.act(|state, moment| state.change(id, next, moment.now))
    }

    fn advance(&mut self, seconds: i64) {
        self.now = clock::add(self.now, SignedDuration::from_secs(seconds));
        self.state.settle_due(self.now);
    }

    fn status(&self, id: &str) -> Status {
        self.state.payment(id).unwrap().status
    }

    fn invoice_status(&self, order: &Order) -> Status {
        self.state.invoice(&order.invoice_id).unwrap().status
    }

    fn balance(&self, account: &str) -> String {
        self.state.account(account).unwrap().balance.to_string()
    }

    /// The names of the webhooks since the last time.
    fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.state.events).into_iter().map(|event| event.name).collect()
    }
}

fn order(invoice: &str, kind: Kind) -> Order {
    Order {
        payment_id: None,
        invoice_id: invoice.to_owned(),
        kind,
        account: (kind == Kind::Platform).then(|| USD.to_owned()),
        discount: None,
        some_data: None,
        redirect_url: None,
    }
}

fn conflict(message: &str) -> Refusal {
    Refusal::Conflict(message.to_owned())
}

#[test]
fn a_payment_goes_forward_only() {
    use Status::{
        Authorized, Canceled, Expired, Failed, PartiallyRefunded, Pending, Processing, Refunded,
        Succeeded,
    };
    let table: [(Status, &[Status]); 9] = [
        (Pending, &[Processing, Authorized, Succeeded, Failed, Canceled, Expired]),
        (Processing, &[Authorized, Succeeded, Failed, Canceled, Expired]),
        (Authorized, &[Succeeded, Failed, Canceled, Expired]),
        (Succeeded, &[PartiallyRefunded, Refunded]),
        (PartiallyRefunded, &[PartiallyRefunded, Refunded]),
        (Failed, &[]),
        (Canceled, &[]),
        (Expired, &[]),
        (Refunded, &[]),
    ];
    for (from, allowed) in table {
        for (to, _) in Status::ALL {
            assert_eq!(from.may_become(to), allowed.contains(&to), "{from:?} to {to:?}");
        }
        let settled = !matches!(from, Pending | Processing | Authorized);
        assert_eq!(from.is_final(), settled, "{from:?}");
    }
}

#[test]
fn a_platform_payment_takes_the_money_once() {
    let mut play = Play::new();
    let (order, id) = play.payment(Kind::Platform);
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::Pending, "10000"));
    assert_eq!(play.confirm(&order), Ok(Status::Succeeded));
    assert_eq!(play.balance(USD), "9989.5");
    assert_eq!(play.invoice_status(&order), Status::Succeeded);
    assert_eq!(play.confirm(&order), Err(Refusal::already_paid()));
    assert_eq!(play.balance(USD), "9989.5");
    assert_eq!(play.told(), ["platform.succeeded"]);
    let again = Order { payment_id: None, ..order };
    assert_eq!(play.create(&again), Ok(id), "get or create finds the payment that paid");
}

#[test]
fn money_under_way_is_taken_once_and_comes_back_when_it_fails() {
    let mut play = Play::with(RampSettings { settle_seconds: 60, ..RampSettings::default() });
    let (order, id) = play.payment(Kind::Platform);
    assert_eq!(play.confirm(&order), Ok(Status::Processing));
    assert_eq!(play.balance(USD), "9989.5");
    assert_eq!(play.confirm(&order), Err(conflict("Payment is already PROCESSING")));
    play.advance(59);
    assert_eq!(play.status(&id), Status::Processing);
    play.advance(1);
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::Succeeded, "9989.5"));
    assert_eq!(play.told(), ["platform.processing", "platform.succeeded"]);

    let (order, id) = play.payment(Kind::Platform);
    play.confirm(&order).unwrap();
    play.change(&id, Status::Failed).unwrap();
    assert_eq!(play.balance(USD), "9989.5");
    play.advance(60);
    assert_eq!(play.status(&id), Status::Failed, "what was decided by hand stays so");
    assert_eq!(play.invoice_status(&order), Status::Pending);
}

#[test]
fn without_enough_money_the_payment_fails_and_the_invoice_can_be_paid_by_another() {
    let mut play = Play::new();
    let poor =
        play.act(|state, moment| state.add_account(USUAL_USER, "USD", "10.49", moment)).unwrap();
    let (first, id) = play.payment(Kind::Platform);
    let from_poor = Order { account: Some(poor.clone()), ..first.clone() };
    assert_eq!(play.confirm(&from_poor), Ok(Status::Failed));
    assert_eq!(play.balance(&poor), "10.49");
    assert_eq!(play.confirm(&first), Err(conflict("Payment is already FAILED")));
    let second = Order { payment_id: None, ..first.clone() };
    let second_id = play.create(&second).unwrap();
    assert_ne!(second_id, id);
    let second = Order { payment_id: Some(second_id), ..second };
    assert_eq!(play.confirm(&second), Ok(Status::Succeeded));
    assert_eq!(play.status(&id), Status::Failed);
    assert_eq!(play.told(), ["platform.failed", "platform.succeeded"]);
}

#[test]
fn two_payments_of_one_invoice_take_the_money_once() {
    let settings = RampSettings { settle_seconds: 60, ..RampSettings::default() };
    let mut play = Play::with(RampSettings { reuse: Reuse::Never, ..settings });
    let (one, _) = play.payment(Kind::Platform);
    let id = play.create(&Order { payment_id: None, ..one.clone() }).unwrap();
    let two = Order { payment_id: Some(id), ..one.clone() };
    assert_ne!(one.payment_id, two.payment_id);
    assert_eq!(play.confirm(&one), Ok(Status::Processing));
    assert_eq!(play.confirm(&two), Err(conflict("Invoice is being paid")));
    play.advance(60);
    assert_eq!(play.confirm(&two), Err(Refusal::already_paid()));
    assert_eq!(play.balance(USD), "9989.5");
    assert_eq!(play.create(&Order { payment_id: None, ..one }), Err(Refusal::already_paid()));
}

#[test]
fn a_creation_finds_the_open_payment_as_the_settings_say() {
    for (reuse, same_type, other_type) in
        [(Reuse::OfType, true, false), (Reuse::Any, true, true), (Reuse::Never, false, false)]
    {
        let mut play = Play::with(RampSettings { reuse, ..RampSettings::default() });
        let (first, id) = play.payment(Kind::Checkout);
        let again = play.create(&order(&first.invoice_id, Kind::Checkout)).unwrap();
        assert_eq!(again == id, same_type, "{reuse:?}");
        let mut play = Play::with(RampSettings { reuse, ..RampSettings::default() });
        let (first, id) = play.payment(Kind::Checkout);
        let other = play.create(&order(&first.invoice_id, Kind::External)).unwrap();
        assert_eq!(other == id, other_type, "{reuse:?}");
        assert_eq!(play.state.payment(&id).unwrap().kind, Kind::Checkout);
    }
}

#[test]
fn amounts_are_exact_in_every_currency() {
    let mut play = Play::new();
    let amount = "0.123456789012345678";
    let invoice = play.invoice(amount, "ETH");
    let order = Order { account: Some(ETH.to_owned()), ..order(&invoice, Kind::Platform) };
    let id = play.create(&order).unwrap();
    play.confirm(&Order { payment_id: Some(id), ..order }).unwrap();
    assert_eq!(play.balance(ETH), "99.876543210987654322");
    let body = play.state.events[0].body(None);
    assert!(body.contains(&format!(r#""amount":{amount},"#)), "{body}");
    let body = play.state.events[0].body(Some("ODD"));
    assert!(body.contains(&format!(r#""amount":{amount},"#)), "{body}");
    for (amount, currency) in [
        ("10.505", "USD"),
        ("0", "USD"),
        ("-1", "USD"),
        ("1e40", "ETH"),
        ("1000000000000000000", "ETH"),
        ("10", "XYZ"),
        ("", "USD"),
    ] {
        let (amount, currency) = (amount.to_owned(), currency.to_owned());
        let invoice = RampInvoice { amount, currency, ..RampInvoice::default() };
        let refused = play.act(|state, moment| state.add_invoice(invoice.clone(), moment));
        assert!(refused.is_err(), "{invoice:?}");
    }
}

#[test]
fn discounts_are_taken_off_once() {
    let fixed = |amount: &str, currency: &str| RampDiscount::Fixed {
        amount: amount.to_owned(),
        currency: currency.to_owned(),
    };
    let cases = [
        ("11.67", "USD", RampDiscount::Percent("10".to_owned()), Some("10.5")),
        ("0.05", "USD", RampDiscount::Percent("50".to_owned()), Some("0.02")),
        ("0.015678", "USDT", RampDiscount::Percent("12.5".to_owned()), Some("0.013718")),
        ("500", "JPY", RampDiscount::Percent("0.1".to_owned()), Some("499")),
        ("500", "JPY", RampDiscount::Percent("0.01".to_owned()), Some("500")),
        ("10.50", "USD", fixed("0.51", "USD"), Some("9.99")),
        ("10.50", "USD", fixed("10.50", "USD"), None),
        ("10.50", "USD", fixed("1", "EUR"), None),
        ("10.50", "USD", RampDiscount::Percent("100".to_owned()), None),
    ];
    for (amount, currency, discount, expected) in cases {
        let mut play = Play::new();
        play.act(|state, _| state.add_discount("CODE", discount.clone())).unwrap();
        let invoice = play.invoice(amount, currency);
        let applied = play.act(|state, _| state.apply_discount(&invoice, "CODE"));
        assert_eq!(applied, expected.map(|_| ()).ok_or_else(Refusal::discount), "{discount:?}");
        // The same code again changes nothing.
        let _same = play.act(|state, _| state.apply_discount(&invoice, "CODE"));
        let invoice = play.state.invoice(&invoice).unwrap();
        let unchanged = invoice.before_discount.to_string();
        assert_eq!(invoice.amount.to_string(), expected.unwrap_or(&unchanged));
    }
    let mut play = Play::new();
    for percent in ["0", "-1", "100.01", "ten", ""] {
        let discount = RampDiscount::Percent(percent.to_owned());
        assert!(play.act(|state, _| state.add_discount("CODE", discount)).is_err(), "{percent}");
    }
}

#[test]
fn a_discount_is_applied_whole_or_the_call_changes_nothing() {
    let mut play = Play::new();
    let invoice = play.invoice("11.67", "USD");
    let nonsense = Some("NOBODY".to_owned());
    let bad = Order { discount: nonsense.clone(), ..order(&invoice, Kind::Platform) };
    assert_eq!(play.create(&bad), Err(Refusal::discount()));
    assert!(play.state.payments.rows().is_empty());
    let good = Order { discount: Some("WELCOME10".to_owned()), ..bad };
    let id = play.create(&good).unwrap();
    let good = Order { payment_id: Some(id.clone()), ..good };
    let bad = Order { discount: nonsense, ..good.clone() };
    assert_eq!(play.update(&bad), Err(Refusal::discount()));
    assert_eq!(play.confirm(&bad), Err(Refusal::discount()));
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::Pending, "10000"));
    assert_eq!(play.confirm(&good), Ok(Status::Succeeded));
    assert_eq!(play.balance(USD), "9989.5");
    let late = play.act(|state, _| state.apply_discount(&invoice, "OTHER"));
    assert_eq!(late, Err(Refusal::already_paid()));
}

#[test]
fn only_the_owner_pays_from_an_account_of_the_right_currency() {
    let mut play = Play::new();
    let user = RampUser { email: "carl@example.com".to_owned(), password: "secret".to_owned() };
    let carl = play.act(|state, moment| state.add_user(user, moment)).unwrap();
    let account = play.act(|state, moment| state.add_account(&carl, "USD", "50", moment)).unwrap();
    let invoice = play.invoice("10.50", "USD");
    let with = |account: &str| Order {
        account: Some(account.to_owned()),
        ..order(&invoice, Kind::Platform)
    };
    assert_eq!(play.create(&with(&account)), Err(Refusal::Forbidden));
    assert_eq!(play.create(&with("nothing")), Err(Refusal::NotFound("Account not found")));
    assert!(matches!(play.create(&with(ETH)), Err(Refusal::Invalid(_))));
    let theirs = play.act(|state, moment| state.create_payment(&carl, &with(&account), moment));
    assert_eq!(theirs, Err(Refusal::Forbidden));
    assert!(play.state.payments.rows().is_empty());
}

#[test]
fn a_checkout_is_approved_declined_or_left() {
    for (approval, expected) in [
        (Approval::Succeeded, Status::Succeeded),
        (Approval::Processing, Status::Processing),
        (Approval::Authorized, Status::Authorized),
    ] {
        let mut play = Play::with(RampSettings { approval, ..RampSettings::default() });
        let (order, id) = play.payment(Kind::Checkout);
        play.check_out(&id, Act::Leave).unwrap();
        assert_eq!(play.status(&id), Status::Pending);
        play.check_out(&id, Act::Approve).unwrap();
        assert_eq!(play.status(&id), expected);
        assert!(play.check_out(&id, Act::Decline).is_err());
        assert_eq!(play.confirm(&order), Ok(Status::Succeeded));
        assert_eq!(play.confirm(&order), Ok(Status::Succeeded), "it only acknowledges");
    }
    for (final_declines, expected) in [(true, Status::Failed), (false, Status::Pending)] {
        let mut play = Play::with(RampSettings { final_declines, ..RampSettings::default() });
        let (_, id) = play.payment(Kind::Checkout);
        play.check_out(&id, Act::Decline).unwrap();
        assert_eq!(play.status(&id), expected);
        assert_eq!(play.check_out(&id, Act::Approve).is_ok(), !final_declines);
    }
    let mut play = Play::new();
    let (_, id) = play.payment(Kind::External);
    assert!(play.check_out(&id, Act::Approve).is_err());
}

#[test]
fn confirming_what_nobody_paid_does_what_the_settings_say() {
    for (confirm_unpaid, expected) in [
        (ConfirmUnpaid::Refused, Err(conflict("Payment has not been made"))),
        (ConfirmUnpaid::Processing, Ok(Status::Processing)),
        (ConfirmUnpaid::Believed, Ok(Status::Succeeded)),
    ] {
        for kind in [Kind::Checkout, Kind::External] {
            let settings = RampSettings { confirm_unpaid, ..RampSettings::default() };
            let mut play = Play::with(settings);
            let (order, _) = play.payment(kind);
            assert_eq!(play.confirm(&order), expected, "{kind:?} {confirm_unpaid:?}");
            let wrong = Order { kind: Kind::Platform, account: Some(USD.to_owned()), ..order };
            assert!(matches!(play.confirm(&wrong), Err(Refusal::Invalid(_))));
            assert_eq!(play.balance(USD), "10000");
        }
    }
}

#[test]
fn redirects_carry_what_there_is() {
    let settings = RampSettings { redirect_status: true, ..RampSettings::default() };
    for (act, own, expected) in [
        (Act::Approve, None, "http://shop/paid?cko-payment-session-id=ps_"),
        (Act::Decline, None, "http://shop/unpaid?cko-payment-session-id=ps_"),
        (Act::Leave, None, "http://shop/unpaid?cko-payment-session-id=ps_"),
        (
            Act::Decline,
            Some("http://shop/r?ref=1"),
            "http://shop/r?ref=1&cko-payment-session-id=ps_",
        ),
    ] {
        let mut play = Play::with(settings.clone());
        play.state.return_urls.success = Url::parse("http://shop/paid").ok();
        play.state.return_urls.failure = Url::parse("http://shop/unpaid").ok();
        let invoice = play.invoice("10.50", "USD");
        let redirect_url = own.map(str::to_owned);
        let id = play.create(&Order { redirect_url, ..order(&invoice, Kind::Checkout) }).unwrap();
        let url = play.check_out(&id, act).unwrap().unwrap();
        assert!(url.starts_with(expected), "{url}");
        let attempted = act != Act::Leave;
        assert_eq!(url.contains("&cko-session-id=sid_"), attempted, "{url}");
        assert_eq!(url.contains("&cko-payment-id=pay_"), attempted, "{url}");
        let word = if act == Act::Approve { "&status=succeeded" } else { "&status=failed" };
        assert!(url.ends_with(word), "{url}");
    }
    let omitted = ["cko-payment-session-id", "cko-session-id"].map(str::to_owned).to_vec();
    let mut play = Play::with(RampSettings { omitted_parameters: omitted, ..settings });
    play.state.return_urls.success = Url::parse("http://shop/paid").ok();
    let (_, id) = play.payment(Kind::Checkout);
    let url = play.check_out(&id, Act::Approve).unwrap().unwrap();
    assert!(url.starts_with("http://shop/paid?cko-payment-id=pay_"), "{url}");
}

#[test]
fn an_external_payment_is_decided_outside() {
    let mut play = Play::new();
    let (_, id) = play.payment(Kind::External);
    let data = Some("{\"reference\":\"BANK-1\"}".to_owned());
    let settle = |play: &mut Play, id: &str, outcome| {
        let data = data.clone();
        play.act(|state, moment| state.settle_external(id, outcome, data, moment.now))
    };
    settle(&mut play, &id, Status::Succeeded).unwrap();
    assert_eq!(settle(&mut play, &id, Status::Failed), Err(Refusal::already_paid()));
    let body = play.state.events[0].body(None);
    assert!(body.contains(r#""externalData":"{\"reference\":\"BANK-1\"}""#), "{body}");
    let (_, id) = play.payment(Kind::External);
    settle(&mut play, &id, Status::Failed).unwrap();
    assert_eq!(play.told(), ["external.succeeded", "external.failed"]);
    let (_, id) = play.payment(Kind::Checkout);
    assert!(settle(&mut play, &id, Status::Succeeded).is_err());
}

#[test]
fn time_ends_payments_and_invoices_but_waits_for_what_is_under_way() {
    let settings = RampSettings {
        payment_lifetime_seconds: 60,
        invoice_lifetime_seconds: 100,
        approval: Approval::Processing,
        ..RampSettings::default()
    };
    let mut play = Play::with(settings);
    let (late, id) = play.payment(Kind::Platform);
    let (under_way, other) = play.payment(Kind::Checkout);
    play.advance(59);
    play.check_out(&other, Act::Approve).unwrap();
    play.advance(1);
    assert_eq!((play.status(&id), play.status(&other)), (Status::Expired, Status::Processing));
    let second = play.create(&Order { payment_id: None, ..late.clone() }).unwrap();
    assert_ne!(second, id);
    play.advance(40);
    assert_eq!(
        (play.invoice_status(&late), play.status(&second)),
        (Status::Expired, Status::Expired)
    );
    let again = play.create(&Order { payment_id: None, ..late });
    assert_eq!(again, Err(conflict("Invoice is expired")));
    assert_eq!(play.invoice_status(&under_way), Status::Pending);
    play.change(&other, Status::Failed).unwrap();
    assert_eq!(play.invoice_status(&under_way), Status::Expired);
    let told = ["external.processing", "platform.expired", "platform.expired", "external.failed"];
    assert_eq!(play.told(), told);
}

#[test]
fn an_update_changes_what_nobody_has_begun() {
    let mut play = Play::new();
    let (first, id) = play.payment(Kind::Checkout);
    let session = play.state.payment(&id).unwrap().session.clone().unwrap();
    let some_data = Some("partner-order-77812".to_owned());
    let external = Order { kind: Kind::External, some_data: some_data.clone(), ..first.clone() };
    // Without an id it is the newest open payment.
    assert_eq!(play.update(&Order { payment_id: None, ..external }), Ok(id.clone()));
    let payment = play.state.payment(&id).unwrap();
    assert_eq!((payment.kind, &payment.some_data), (Kind::External, &some_data));
    assert!(payment.session.is_none() && !play.state.sessions.contains_key(&session.id));
    play.update(&first).unwrap();
    assert!(play.state.payment(&id).unwrap().session.is_some());
    play.check_out(&id, Act::Decline).unwrap();
    assert_eq!(play.update(&first), Err(conflict("Payment is already FAILED")));
    let none_open = play.update(&Order { payment_id: None, ..first });
    assert_eq!(none_open, Err(Refusal::NotFound("Payment not found")));
}

#[test]
fn money_is_given_back_in_parts() {
    let mut play = Play::new();
    let (order, id) = play.payment(Kind::Platform);
    let refund = |play: &mut Play, amount: Option<&str>| {
        play.act(|state, moment| state.refund(&id, amount, moment.now))
    };
    assert!(refund(&mut play, None).is_err(), "nothing was paid");
    play.confirm(&order).unwrap();
    assert!(refund(&mut play, Some("10.51")).is_err());
    refund(&mut play, Some("0.50")).unwrap();
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::PartiallyRefunded, "9990"));
    refund(&mut play, None).unwrap();
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::Refunded, "10000"));
    assert_eq!(play.invoice_status(&order), Status::Refunded);
    assert_eq!(play.confirm(&order), Err(Refusal::already_paid()));
    let told = ["platform.succeeded", "platform.partially_refunded", "platform.refunded"];
    assert_eq!(play.told(), told);
}

#[test]
fn webhooks_about_checkouts_are_a_setting_and_so_are_those_about_creation() {
    for (checkout_webhooks, expected) in [
        (CheckoutWebhooks::External, vec!["external.pending", "external.succeeded"]),
        (CheckoutWebhooks::Platform, vec!["platform.pending", "platform.succeeded"]),
        (CheckoutWebhooks::Off, vec![]),
    ] {
        let mut play = Play::with(RampSettings {
            checkout_webhooks,
            webhook_on_creation: true,
            ..RampSettings::default()
        });
        let (_, id) = play.payment(Kind::Checkout);
        play.check_out(&id, Act::Approve).unwrap();
        assert_eq!(play.told(), expected);
    }
}

#[test]
fn a_hosted_page_has_a_url_and_a_payment_session_has_none() {
    for (session, has_url) in [(SessionForm::Flow, false), (SessionForm::HostedPage, true)] {
        let mut play = Play::with(RampSettings { session, ..RampSettings::default() });
        let (_, id) = play.payment(Kind::Checkout);
        let session = play.state.payment(&id).unwrap().session.clone().unwrap();
        let object = play.state.session_object(&session);
        let href = &object["_links"]["redirect"]["href"];
        assert_eq!(href.as_str() == Some(&play.state.page_url(&session)), has_url, "{object}");
        assert_eq!(object["payment_session_secret"].is_string(), !has_url);
    }
}
