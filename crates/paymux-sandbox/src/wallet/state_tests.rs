//! The rules without HTTP.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use url::Url;

use super::errors::{Denial, Refusal};
use super::settings::{Lapse, WalletSettings, Words};
use super::state::{Moment, State};
use super::status::{AllowanceStatus, Status};
use super::transactions::{Acceptance, By};
use super::users::{OWN_WALLET, User, WalletUser};
use super::{validate, wire};
use crate::clock;
use crate::random::Random;

const PAYER: i64 = 14471;
const DAY: i64 = 24 * 3600;

/// A state with a clock that stands until it is moved.
pub(super) struct Play {
    pub(super) state: State,
    random: Random,
    pub(super) now: Timestamp,
}

impl Play {
    pub(super) fn new() -> Self {
        Play::with(WalletSettings::default())
    }

    pub(super) fn with(settings: WalletSettings) -> Self {
        let base = Url::parse("http://127.0.0.1:1/wallet/").unwrap();
        Play {
            state: State::new(base, settings),
            random: Random::new(Some(1)).unwrap(),
            now: Timestamp::from_second(1_698_675_600).unwrap(),
        }
    }

    pub(super) fn create(&mut self, body: &Value) -> String {
        let members = body.as_object().unwrap();
        let new = validate::transaction(&self.state.settings, members, &[], self.now).unwrap();
        let moment = Moment { now: self.now, random: &self.random };
        self.state.create_transaction(new, moment).unwrap()
    }

    /// One payment with these members besides its description.
    pub(super) fn pay(&mut self, mut members: Value) -> String {
        members["description"] = "Order".into();
        self.create(&json!({"payments": [members]}))
    }

    pub(super) fn accept(&mut self, key: &str) -> Result<(), Refusal> {
        self.state.accept(key, Acceptance::on_page(PAYER), self.now)
    }

    pub(super) fn confirm(&mut self, key: &str) -> Result<(), Refusal> {
        self.state.confirm(key, &[], self.now)
    }

    fn advance(&mut self, seconds: i64) {
        self.now = clock::add(self.now, SignedDuration::from_secs(seconds));
        self.state.settle_due(self.now);
    }

    fn status(&self, key: &str) -> (Status, Status) {
        let transaction = self.state.transaction(key).unwrap();
        (transaction.status, self.state.payment(transaction.payments[0]).unwrap().status)
    }

    pub(super) fn first_payment(&self, key: &str) -> i64 {
        self.state.transaction(key).unwrap().payments[0]
    }

    /// At disposal and reserved.
    fn money(&self, wallet: i64) -> (i64, i64) {
        let balance = self.state.users[&wallet].holds.get("EUR").copied().unwrap_or_default();
        (balance.at_disposal, balance.reserved)
    }

    fn callbacks(&self) -> Vec<&str> {
        self.state.events.iter().map(|event| event.name.as_str()).collect()
    }
}

#[test]
fn commissions_are_added_and_deducted() {
    for (price, commission, payer, beneficiary, fees) in [
        (10_000, json!({"out_commission": 500}), 10_500, 10_000, 500),
        (10_000, json!({"in_commission": 300}), 10_000, 9_700, 300),
        (10_000, json!({"out_commission": 500, "in_commission": 300}), 10_500, 9_700, 800),
        (7_497, json!({"out_commission_decimal": "2.50"}), 7_747, 7_497, 250),
        (10_000, json!({"in_commission_percent": 3}), 10_000, 9_700, 300),
        (10_000, json!({"out_commission_percent": "0.5"}), 10_050, 10_000, 50),
    ] {
        let mut play = Play::new();
        let key = play.pay(json!({"price": price, "commission": commission}));
        play.accept(&key).unwrap();
        assert_eq!(play.money(PAYER), (1_000_000 - payer, payer));
        play.confirm(&key).unwrap();
        assert_eq!(play.money(PAYER), (1_000_000 - payer, 0));
        assert_eq!(play.money(OWN_WALLET), (beneficiary, 0));
        assert_eq!(play.state.fees["EUR"], fees);
    }
    let settings = WalletSettings { out_commission_included: true, ..WalletSettings::default() };
    let mut play = Play::with(settings);
    let key = play.pay(json!({"price": 10_500, "commission": {"out_commission": 500}}));
    play.accept(&key).unwrap();
    play.confirm(&key).unwrap();
    assert_eq!((play.money(PAYER), play.money(OWN_WALLET)), ((989_500, 0), (10_000, 0)));
    let id = play.first_payment(&key);
    let refused = play.state.check_lower_price(id, 499, "price");
    assert_eq!(refused, Err(Refusal::invalid("price", "Price is less than the commission")));
}

#[test]
fn items_make_the_price() {
    let mut play = Play::new();
    let key = play.pay(json!({"items": [
        {"title": "Laptop", "price": 89_999, "quantity": 1},
        {"title": "Mouse", "price": 2_999, "quantity": 2},
        {"title": "USB Cable", "price": 599, "quantity": 3},
    ]}));
    assert_eq!(play.state.payment(play.first_payment(&key)).unwrap().terms.price, 97_794);
}

#[test]
fn a_split_moves_all_or_nothing() {
    let mut play = Play::new();
    let part =
        |price: i64, to: i64| json!({"description": "Part", "price": price, "beneficiary_id": to});
    let parts = json!([part(5_000, 11_111), part(3_000, 22_222), part(500, 33_333)]);
    let key = play.create(&json!({"payments": parts}));
    play.accept(&key).unwrap();
    assert_eq!(play.money(PAYER), (991_500, 8_500));
    play.confirm(&key).unwrap();
    let got = [11_111, 22_222, 33_333].map(|wallet| play.money(wallet).0);
    assert_eq!(got, [5_000, 3_000, 500]);

    let parts = json!([part(999_000, 11_111), part(3_000, 22_222)]);
    let key = play.create(&json!({"payments": parts}));
    let refused = Refusal::Denied(Denial::InsufficientFunds);
    assert_eq!(play.accept(&key), Err(refused));
    assert_eq!((play.status(&key), play.money(PAYER)), ((Status::New, Status::New), (991_500, 0)));
}

#[test]
fn a_deposit_is_frozen_and_finalized_for_less() {
    let mut play = Play::new();
    let until = play.now.as_second() + 10 * DAY;
    let key = play.pay(json!({"price": 20_000, "freeze_until": until}));
    let id = play.first_payment(&key);
    assert_eq!(play.state.finalize(id, None, play.now), Err(Refusal::InvalidState));
    play.accept(&key).unwrap();
    play.confirm(&key).unwrap();
    assert_eq!(play.status(&key), (Status::Confirmed, Status::Confirmed));
    assert_eq!((play.money(PAYER), play.money(OWN_WALLET)), ((980_000, 20_000), (0, 0)));
    let more = play.state.finalize(id, Some(20_001), play.now);
    assert_eq!(more, Err(Refusal::invalid("price", "Price can only be reduced")));
    play.state.finalize(id, Some(15_000), play.now).unwrap();
    assert_eq!((play.money(PAYER), play.money(OWN_WALLET)), ((985_000, 0), (15_000, 0)));
    assert_eq!(play.state.finalize(id, None, play.now), Err(Refusal::InvalidState));
    assert_eq!(play.state.cancel_payment(id), Err(Refusal::InvalidState));
    // The end of the freeze changes nothing any more.
    play.advance(11 * DAY);
    assert_eq!(play.money(OWN_WALLET), (15_000, 0));
}

#[test]
fn a_freeze_ends_is_lengthened_lifted_or_canceled() {
    let mut play = Play::new();
    let mut frozen = || {
        let key = play.pay(json!({"price": 100, "freeze": {"for": DAY}}));
        play.accept(&key).unwrap();
        play.confirm(&key).unwrap();
        (play.first_payment(&key), key)
    };
    let ((longer, a), (lifted, b), (canceled, c)) = (frozen(), frozen(), frozen());
    let until = super::objects::Span::Until(clock::add(play.now, SignedDuration::from_hours(48)));
    play.state.change_freeze(longer, Some(until), play.now).unwrap();
    play.state.change_freeze(lifted, None, play.now).unwrap();
    play.state.cancel_payment(canceled).unwrap();
    assert_eq!(play.status(&b).1, Status::Done);
    assert_eq!(play.status(&c).1, Status::Canceled);
    play.advance(DAY);
    assert_eq!(play.status(&a).1, Status::Confirmed);
    play.advance(DAY);
    assert_eq!(play.status(&a).1, Status::Done);
    assert_eq!((play.money(PAYER), play.money(OWN_WALLET)), ((999_800, 0), (200, 0)));
    let closed = play.state.change_freeze(longer, Some(until), play.now);
    assert_eq!(closed, Err(Refusal::InvalidState));
}

#[test]
fn what_nobody_accepts_or_confirms_lapses() {
    let mut play = Play::new();
    let new = play.pay(json!({"price": 100}));
    let reserved =
        json!({"payments": [{"description": "x", "price": 100}], "reserve": {"for": DAY}});
    let accepted = play.create(&reserved);
    play.accept(&accepted).unwrap();
    play.advance(DAY);
    assert_eq!(play.status(&accepted), (Status::Revoked, Status::Revoked));
    assert_eq!(play.money(PAYER), (1_000_000, 0));
    play.advance(28 * DAY);
    assert_eq!(play.status(&new).0, Status::New);
    play.advance(DAY);
    assert_eq!(play.status(&new), (Status::Deleted, Status::Deleted));
    assert_eq!(play.callbacks(), ["callback.reserved"]);

    let mut play = Play::with(WalletSettings { lapse: Lapse::Failed, ..WalletSettings::default() });
    let key = play.pay(json!({"price": 100}));
    play.accept(&key).unwrap();
    play.advance(30 * DAY);
    assert_eq!(play.status(&key).0, Status::Failed);
    assert_eq!(play.callbacks(), ["callback.reserved", "callback.failed"]);
}

#[test]
fn each_action_has_its_statuses() {
    let mut play = Play::new();
    let key = play.pay(json!({"price": 100}));
    assert_eq!(play.confirm(&key), Err(Refusal::InvalidState));
    play.accept(&key).unwrap();
    assert_eq!(play.accept(&key), Err(Refusal::InvalidState));
    play.confirm(&key).unwrap();
    for refused in [
        play.confirm(&key),
        play.state.revoke(&key),
        play.state.reject(&key, play.now),
        play.state.lapse(&key, play.now),
    ] {
        assert_eq!(refused, Err(Refusal::InvalidState));
    }
    let key = play.pay(json!({"price": 100}));
    play.state.revoke(&key).unwrap();
    assert_eq!(play.status(&key), (Status::Deleted, Status::Deleted));
    let key = play.pay(json!({"price": 100}));
    play.accept(&key).unwrap();
    play.state.revoke(&key).unwrap();
    assert_eq!(play.status(&key), (Status::Revoked, Status::Revoked));
    assert_eq!(play.money(PAYER), (999_900, 0));
    assert_eq!(play.state.revoke("nothing"), Err(Refusal::NotFound));
}

#[test]
fn an_accepted_transaction_waits_for_what_is_missing() {
    let mut play = Play::new();
    let key = play.pay(json!({"price": 100, "password": "open", "email": "new@example.com"}));
    let broke = Acceptance { funds_later: true, ..Acceptance::on_page(14_472) };
    play.state.accept(&key, broke, play.now).unwrap();
    assert_eq!(play.status(&key).0, Status::WaitingFunds);
    play.state.add_funds(14_472, "EUR", 99, play.now).unwrap();
    assert_eq!(play.status(&key).0, Status::WaitingFunds);
    play.state.add_funds(14_472, "EUR", 1, play.now).unwrap();
    assert_eq!(play.status(&key).0, Status::WaitingPassword);
    assert_eq!(play.money(14_472), (0, 100));
    assert_eq!(play.confirm(&key), Err(Refusal::InvalidState));
    let id = play.first_payment(&key);
    let wrong = play.state.give_password(id, "shut", By::Others, play.now);
    assert!(matches!(wrong, Err(Refusal::Invalid(_))), "{wrong:?}");
    play.state.resend_password(id).unwrap();
    play.state.give_password(id, "open", By::Others, play.now).unwrap();
    assert_eq!(play.status(&key).0, Status::WaitingRegistration);
    let expected =
        ["callback.waiting_funds", "callback.waiting_password", "callback.waiting_registration"];
    assert_eq!(play.callbacks(), expected);
}

#[test]
fn a_closed_restricted_or_same_wallet_is_refused() {
    let mut play = Play::new();
    let closed = WalletUser { active: false, ..WalletUser::new("Closed") };
    let barred = WalletUser::new("Barred").denial(Denial::ClientNotVerified);
    play.state.users.insert(1, User::new(closed));
    play.state.users.insert(2, User::new(barred));
    for (payer, beneficiary, denial) in [
        (1, 11_111, Denial::PayerAccountInactive),
        (2, 11_111, Denial::ClientNotVerified),
        (PAYER, 1, Denial::BeneficiaryAccountInactive),
        (PAYER, PAYER, Denial::PaymentToSameAccount),
        (14_472, 11_111, Denial::InsufficientFunds),
    ] {
        let key = play.pay(json!({"price": 100, "beneficiary_id": beneficiary}));
        let refused = play.state.accept(&key, Acceptance::on_page(payer), play.now);
        assert_eq!(refused, Err(Refusal::Denied(denial)));
    }
}

/// An active allowance of the usual payer.
fn allow(play: &mut Play, allowance: &Value) -> i64 {
    let key = play.create(&json!({"allowance": allowance}));
    play.accept(&key).unwrap();
    play.confirm(&key).unwrap();
    play.state.transaction(&key).unwrap().allowance.unwrap()
}

fn charge(play: &mut Play, id: i64, price: i64) -> Result<String, Refusal> {
    let payments = json!([{"description": "Month", "price": price}]);
    let key = play.create(&json!({"payments": payments, "allowance_id": id}));
    play.state.reserve_under_allowance(&key, PAYER, play.now)?;
    play.confirm(&key)?;
    Ok(key)
}

#[test]
fn an_allowance_covers_its_sum_and_no_more() {
    let mut play = Play::new();
    let id = allow(&mut play, &json!({"currency": "EUR", "max_price": 1_098}));
    assert_eq!(play.state.allowance_limit(PAYER, "EUR", play.now), Ok(1_098));
    assert_eq!(play.state.allowance_limit(PAYER, "USD", play.now), Ok(0));
    charge(&mut play, id, 99).unwrap();
    let exceeded = Err(Refusal::Denied(Denial::LimitsExceeded));
    assert_eq!(charge(&mut play, id, 1_000), exceeded);
    assert_eq!(play.state.allowance(id).unwrap().status, AllowanceStatus::Active);
    charge(&mut play, id, 999).unwrap();
    assert_eq!(play.state.allowance(id).unwrap().status, AllowanceStatus::Inactive);
    assert_eq!(charge(&mut play, id, 1), Err(Refusal::Denied(Denial::NoRights)));
    assert_eq!(play.money(OWN_WALLET), (1_098, 0));
    assert_eq!(play.callbacks(), ["callback.reserved"], "only the payer's own acceptance is told");
}

#[test]
fn limits_slide_with_time_and_revoked_charges_do_not_count() {
    let mut play = Play::new();
    let limits = json!([
        {"max_price": 1_000, "time": DAY},
        {"max_price": 1_500, "period": 48},
        {"max_price": 1_501, "time": i64::MAX},
    ]);
    let id = allow(&mut play, &json!({"currency": "EUR", "limits": limits}));
    charge(&mut play, id, 1_000).unwrap();
    assert!(charge(&mut play, id, 1).is_err());
    play.advance(DAY);
    let payments = json!([{"description": "x", "price": 500}]);
    let key = play.create(&json!({"payments": payments}));
    play.state.reserve_under_allowance(&key, PAYER, play.now).unwrap();
    assert!(charge(&mut play, id, 1).is_err());
    play.state.revoke(&key).unwrap();
    charge(&mut play, id, 500).unwrap();
    assert!(charge(&mut play, id, 1).is_err());
    play.advance(2 * DAY);
    assert!(charge(&mut play, id, 2).is_err());
    charge(&mut play, id, 1).unwrap();
}

#[test]
fn an_allowance_is_replaced_canceled_and_expires() {
    let mut play = Play::new();
    let terms = json!({"currency": "EUR", "max_price": 500, "valid": {"for": DAY}});
    let first = allow(&mut play, &terms);
    let second = allow(&mut play, &terms);
    let status = |play: &Play, id| play.state.allowance(id).unwrap().status;
    assert_eq!(status(&play, first), AllowanceStatus::Inactive);
    assert_eq!(charge(&mut play, first, 1), Err(Refusal::Denied(Denial::NoRights)));
    assert_eq!(play.state.cancel_allowance(first, play.now), Err(Refusal::InvalidState));
    play.state.cancel_allowance(second, play.now).unwrap();
    assert_eq!(status(&play, second), AllowanceStatus::Inactive);
    let third = allow(&mut play, &terms);
    play.advance(DAY);
    assert_eq!(status(&play, third), AllowanceStatus::Inactive);
    let shown = |id| wire::allowance(&play.state, play.state.allowance(id).unwrap());
    assert!(shown(second).get("canceled_at").is_some());
    assert!(shown(third).get("canceled_at").is_none());
    let key = play.create(&json!({"allowance": terms}));
    let unwanted = play.state.transaction(&key).unwrap().allowance.unwrap();
    play.advance(30 * DAY);
    assert_eq!(status(&play, unwanted), AllowanceStatus::Deleted);
}

#[test]
fn words_follow_the_generation() {
    for (words, expected) in [
        (Words::Specification, ["reserved", "waiting", "confirmed", "reserved", "done"]),
        (Words::Guide, ["waiting", "waiting", "confirmed", "reserved", "done"]),
        (Words::Older, ["reserved", "reserved", "confirmed", "confirmed", "done"]),
    ] {
        let mut play =
            Play::with(WalletSettings { words, settle_seconds: 60, ..WalletSettings::default() });
        let key = play.pay(json!({"price": 100}));
        let shown = |play: &Play| {
            let shown = wire::transaction(&play.state, play.state.transaction(&key).unwrap());
            let word = |value: &Value| value["status"].as_str().unwrap().to_owned();
            [word(&shown), word(&shown["payments"][0])]
        };
        assert_eq!(shown(&play), ["new", "new"]);
        play.accept(&key).unwrap();
        assert_eq!(shown(&play), expected[..2]);
        play.confirm(&key).unwrap();
        assert_eq!(shown(&play), expected[2..4]);
        play.advance(60);
        assert_eq!(shown(&play), ["confirmed", expected[4]]);
    }
}
