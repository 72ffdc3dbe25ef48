//! Amounts, discounts and refunds.

use super::{ETH, Play, USD, order};
use crate::ramp::errors::Refusal;
use crate::ramp::objects::{Kind, RampDiscount, RampInvoice};
use crate::ramp::payments::Order;
use crate::ramp::status::Status;

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
fn money_is_given_back_in_parts() {
    let mut play = Play::new();
    let (order, id) = play.payment(Kind::Platform);
    let refund = |play: &mut Play, amount: Option<&str>| {
        play.act(|state, moment| state.refund(&id, amount, moment.now))
    };
    assert!(refund(&mut play, None).is_err(), "nothing was paid");
    play.confirm(&order).unwrap();
    let paid_at = play.now;
    play.advance(60);
    assert!(refund(&mut play, Some("10.51")).is_err());
    refund(&mut play, Some("0.50")).unwrap();
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::PartiallyRefunded, "9990"));
    refund(&mut play, None).unwrap();
    assert_eq!((play.status(&id), play.balance(USD).as_str()), (Status::Refunded, "10000"));
    assert_eq!(play.invoice_status(&order), Status::Refunded);
    assert_eq!(play.state.payment(&id).unwrap().ended_at, Some(paid_at));
    assert_eq!(play.state.invoice(&order.invoice_id).unwrap().paid_at, Some(paid_at));
    assert_eq!(play.confirm(&order), Err(Refusal::already_paid()));
    let told = ["platform.succeeded", "platform.partially_refunded", "platform.refunded"];
    assert_eq!(play.told(), told);
}
