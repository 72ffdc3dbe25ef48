//! What the toy can do, and what it says it can.

use std::time::Duration;

use paymux_core::{
    Capabilities, CaptureChoice, CreateEffect, Currencies, Currency, Operation, Replay, Result,
    Trust,
};

use super::Bug;

pub(super) const LONGEST_KEY: u16 = 64;

pub(super) fn capabilities(bug: Option<Bug>) -> Result<Capabilities> {
    let key = Replay::Key {
        ttl: Duration::from_secs(86_400),
        max_len: LONGEST_KEY,
        replays_errors: false,
    };
    let mut able = Capabilities::new("toy", false);
    able.replay.insert(Operation::CreatePayment, key);
    able.replay.insert(Operation::CapturePayment, Replay::LookupFirst);
    able.replay.insert(Operation::CreateRefund, key);
    able.reads.extend([Operation::ListPayments, Operation::FetchRefund]);
    if bug == Some(Bug::ClaimsWhatItLacks) {
        able.replay.insert(Operation::CancelPayment, Replay::LookupFirst);
    }
    let codes = ["USD", "EUR", "JPY", "KWD"];
    let currencies: Result<_> = codes.into_iter().map(Currency::iso).collect();
    able.currencies = Currencies::Only(currencies?);
    able.create = CreateEffect::OpensOnly;
    able.capture = CaptureChoice::Automatic;
    able.reports_captured = true;
    able.list_status = true;
    able.list_customer = bug == Some(Bug::ClaimsAFilterItLacks);
    able.webhook_trust =
        if bug == Some(Bug::TrustsAboveItsWord) { Trust::Signed } else { Trust::SignedFresh };
    able.webhook_ack = "OK";
    Ok(able)
}
