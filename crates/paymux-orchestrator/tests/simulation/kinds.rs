//! What each kind of provider declares.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use paymux_core::{
    AmountSource, Capabilities, CaptureChoice, CreateEffect, Currencies, Operation, Replay, Trust,
};

use super::truth::{KEYS_LIVE, Kind};

pub(crate) fn capabilities(kind: Kind) -> Capabilities {
    let key = Replay::Key { ttl: KEYS_LIVE, max_len: 255, replays_errors: false };
    let mut capabilities = Capabilities::new("model", false);
    capabilities.currencies = Currencies::Any;
    capabilities.amount = AmountSource::Request;
    capabilities.reports_captured = true;
    capabilities.capture = match kind {
        Kind::Hold => CaptureChoice::Manual,
        Kind::Page | Kind::Invoice | Kind::Steps | Kind::Careless | Kind::Card => {
            CaptureChoice::PerRequest
        }
    };
    capabilities.partial_capture = true;
    capabilities.partial_refund = true;
    capabilities.webhook_trust = trust(kind);
    capabilities.create = match kind {
        Kind::Invoice | Kind::Card | Kind::Hold => CreateEffect::MayCharge,
        Kind::Page | Kind::Steps | Kind::Careless => CreateEffect::OpensOnly,
    };
    let (create, later, refund) = match kind {
        Kind::Page | Kind::Card | Kind::Hold => (key, Replay::LookupFirst, key),
        Kind::Invoice => (Replay::Reference, Replay::LookupFirst, Replay::Never),
        Kind::Steps => (Replay::Harmless, Replay::LookupFirst, Replay::LookupFirst),
        Kind::Careless => (Replay::Harmless, Replay::Never, Replay::Never),
    };
    capabilities.replay = BTreeMap::from([
        (Operation::CreatePayment, create),
        (Operation::CapturePayment, later),
        (Operation::CancelPayment, later),
        (Operation::CreateRefund, refund),
    ]);
    if matches!(kind, Kind::Steps | Kind::Careless) {
        capabilities.replay.insert(Operation::ConfirmPayment, later);
    }
    if kind == Kind::Careless {
        capabilities.replay.remove(&Operation::CancelPayment);
    }
    capabilities.reads = BTreeSet::from([Operation::FetchPayment]);
    if kind == Kind::Invoice {
        capabilities.reference_lookup = Some(Duration::from_secs(60));
    } else {
        capabilities.reads.insert(Operation::FetchRefund);
    }
    if kind == Kind::Steps {
        capabilities.reads.insert(Operation::ListPayments);
        capabilities.list_created = true;
    }
    capabilities
}

/// How far its webhooks may be believed.
pub(crate) fn trust(kind: Kind) -> Trust {
    match kind {
        Kind::Page | Kind::Careless | Kind::Card => Trust::SignedFresh,
        Kind::Invoice | Kind::Hold => Trust::Signed,
        Kind::Steps => Trust::Unsigned,
    }
}
