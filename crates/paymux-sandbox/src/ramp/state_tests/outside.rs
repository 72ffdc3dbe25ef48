//! Checkouts and systems outside: what their people do, and what is told of it.

use url::Url;

use super::{Play, USD, conflict, order};
use crate::ramp::errors::Refusal;
use crate::ramp::gateway::Act;
use crate::ramp::objects::Kind;
use crate::ramp::payments::Order;
use crate::ramp::settings::{Approval, CheckoutWebhooks, ConfirmUnpaid, RampSettings, SessionForm};
use crate::ramp::status::Status;

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
    let late = Some("too late".to_owned());
    let now = play.now;
    let refused = play.act(|state, _| state.settle_external(&id, Status::Failed, late, now));
    assert_eq!(refused, Err(Refusal::already_paid()));
    assert_eq!(play.state.payment(&id).unwrap().external_data, data);
    let body = play.state.events[0].body(None);
    assert!(body.contains(r#""externalData":"{\"reference\":\"BANK-1\"}""#), "{body}");
    let (_, id) = play.payment(Kind::External);
    settle(&mut play, &id, Status::Failed).unwrap();
    assert_eq!(play.told(), ["external.succeeded", "external.failed"]);
    let (_, id) = play.payment(Kind::Checkout);
    assert!(settle(&mut play, &id, Status::Succeeded).is_err());
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
