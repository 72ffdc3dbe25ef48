//! The rules without HTTP.

mod amounts;
mod outside;

use jiff::{SignedDuration, Timestamp};
use url::Url;

use super::accounts::{USUAL_USER, User};
use super::errors::Refusal;
use super::gateway::Act;
use super::objects::{Kind, RampInvoice};
use super::payments::Order;
use super::settings::{Approval, ConfirmAgain, RampSettings, Reuse};
use super::state::{Moment, State};
use super::status::Status;
use super::wire;
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
    assert_eq!(play.balance(USD), "9979");
    play.change(&id, Status::Failed).unwrap();
    assert_eq!(play.balance(USD), "9989.5");
    assert_eq!(play.state.payment(&id).unwrap().debited, None);
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
fn only_the_owner_pays_from_an_account_of_the_right_currency() {
    let mut play = Play::new();
    let user = User { email: "carl@example.com".to_owned(), password: "secret".to_owned() };
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
    let id = play.create(&with(USD)).unwrap();
    let from_theirs = Order { payment_id: Some(id), ..with(&account) };
    assert_eq!(play.update(&from_theirs), Err(Refusal::Forbidden));
    assert_eq!(play.confirm(&from_theirs), Err(Refusal::Forbidden));
    assert_eq!(play.balance(&account), "50");
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
fn a_second_confirmation_can_debit_twice() {
    let balance = |play: &Play| play.balance(USD);
    let mut play = Play::new();
    let (order, id) = play.payment(Kind::Platform);
    let before = balance(&play);
    assert_eq!(play.confirm(&order), Ok(Status::Succeeded));
    let once = balance(&play);
    assert_eq!(play.confirm(&order), Err(Refusal::already_paid()));
    assert_eq!(balance(&play), once);
    play.state.settings.confirm_again = ConfirmAgain::Debits;
    assert_eq!(play.confirm(&order), Ok(Status::Succeeded));
    assert_ne!(before, once);
    assert_ne!(balance(&play), once);
    assert_eq!(play.status(&id), Status::Succeeded);
}

#[test]
fn words_can_hide_what_is_under_way_and_codes_can_change_nothing() {
    let settings = RampSettings {
        settle_seconds: 60,
        pending_while_settling: true,
        ignore_discounts: true,
        omit_invoice_amount: true,
        ..RampSettings::default()
    };
    let mut play = Play::with(settings);
    let (order, id) = play.payment(Kind::Platform);
    let order = Order { discount: Some("WELCOME10".to_owned()), ..order };
    assert_eq!(play.confirm(&order), Ok(Status::Processing));
    let shown = wire::text(&wire::payment(&play.state, play.state.payment(&id).unwrap()));
    assert!(shown.contains(r#""status":"PENDING""#), "{shown}");
    let invoice = play.state.invoice(&order.invoice_id).unwrap();
    assert_eq!(invoice.amount, invoice.before_discount);
    let shown = wire::text(&wire::invoice(&play.state, invoice, true));
    assert!(!shown.contains("amount"), "{shown}");
}
