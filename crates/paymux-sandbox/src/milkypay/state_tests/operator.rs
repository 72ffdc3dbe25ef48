//! What people at the platform and banks do.

use super::{Bench, Status, StatusChange, shown};

#[test]
fn every_status_is_reached_by_hand_with_amounts_that_fit() {
    // Status, usual resolution, processed, refunded and charged back amounts.
    let cases = [
        (Status::Created, "ok", "none", "none", "none"),
        (Status::ProcessPending, "ok", "none", "none", "none"),
        (Status::Processing, "ok", "none", "none", "none"),
        (Status::ProcessError, "error", "none", "none", "none"),
        (Status::Processed, "ok", "100", "none", "none"),
        (Status::PartiallyProcessed, "ok", "50", "none", "none"),
        (Status::ProcessFailed, "declined", "none", "none", "none"),
        (Status::Expired, "expired", "none", "none", "none"),
        (Status::Terminated, "ok", "none", "none", "none"),
        (Status::Verified, "ok", "none", "none", "none"),
        (Status::VerifyFailed, "declined", "none", "none", "none"),
        (Status::Refunding, "ok", "100", "none", "none"),
        (Status::RefundPending, "ok", "100", "none", "none"),
        (Status::RefundError, "error", "100", "none", "none"),
        (Status::PartiallyRefunded, "ok", "100", "50", "none"),
        (Status::Refunded, "ok", "100", "100", "none"),
        (Status::RefundFailed, "declined", "100", "none", "none"),
        (Status::ChargedBack, "ok", "100", "none", "100"),
        (Status::PartiallyChargedBack, "ok", "100", "none", "50"),
    ];
    assert_eq!(cases.map(|case| case.0), Status::ALL.map(|(status, _)| status));
    for (status, resolution, processed, refunded, charged_back) in cases {
        // From every other status: none is a lock.
        for (before, _) in Status::ALL {
            let mut bench = Bench::new();
            let id = bench.invoice_in(before);
            bench.events();
            let change = StatusChange::to(status);
            bench.act(|state, moment| state.set_status(&id, &change, moment.now)).unwrap();
            let invoice = bench.get(&id);
            assert_eq!(
                (invoice.status, invoice.resolution.as_str()),
                (status, resolution),
                "{before:?}"
            );
            let from_partial = before == Status::PartiallyProcessed
                && status.has_taken()
                && !matches!(status, Status::Processed);
            if !from_partial {
                assert_eq!(shown(invoice.processed_amount), processed, "{before:?} {status:?}");
            }
            assert_eq!(invoice.processed_amount.is_some(), invoice.processed.is_some());
            let keeps = matches!(
                status,
                Status::Refunding
                    | Status::RefundPending
                    | Status::RefundError
                    | Status::RefundFailed
            );
            if !keeps && !from_partial {
                assert_eq!(shown(invoice.refunded_amount), refunded, "{before:?} {status:?}");
                let back = shown(invoice.charged_back_amount);
                assert_eq!(back, charged_back, "{before:?} {status:?}");
            }
            assert_eq!(bench.events(), [format!("callback.{}", status.word())], "told once");
        }
    }
}

#[test]
fn a_change_by_hand_takes_resolution_amount_and_flag() {
    let mut bench = Bench::new();
    let id = bench.invoice();
    bench.events();
    let change = StatusChange::to(Status::ProcessPending)
        .resolution("auth_3ds_required")
        .moderation_required();
    bench.act(|state, moment| state.set_status(&id, &change, moment.now)).unwrap();
    let invoice = bench.get(&id);
    assert_eq!(invoice.resolution, "auth_3ds_required");
    assert!(invoice.moderation_required);
    assert_eq!(bench.events().len(), 1);
    let change = StatusChange::to(Status::Processed).amount("60.5");
    bench.act(|state, moment| state.set_status(&id, &change, moment.now)).unwrap();
    assert_eq!(shown(bench.get(&id).processed_amount), "60.5");
    let wrong = StatusChange::to(Status::Processed).amount("60.555");
    assert!(bench.act(|state, moment| state.set_status(&id, &wrong, moment.now)).is_err());
    assert_eq!(shown(bench.get(&id).processed_amount), "60.5");
}

#[test]
fn a_moderator_agrees_or_stops() {
    let mut bench = Bench::new();
    let id = bench.invoice();
    bench.act(|state, moment| state.moderate(&id, moment.now)).unwrap();
    assert!(bench.get(&id).moderation_required && bench.get(&id).has_payer);
    assert!(bench.pay(&id, None).is_err(), "only the moderator can go on");
    bench.act(|state, moment| state.terminate(&id, moment.now)).unwrap();
    assert_eq!(bench.status(&id), Status::Terminated);
    assert!(!bench.get(&id).moderation_required);
    assert!(bench.act(|state, moment| state.approve(&id, moment.now)).is_err());
}

#[test]
fn a_bank_takes_back_what_was_paid() {
    let mut bench = Bench::new();
    let charge_back = |bench: &mut Bench, id: &str, amount: Option<&str>| {
        bench.act(|state, moment| {
            let amount = amount.map(|text| state.amount_for(id, text)).transpose()?;
            state.charge_back(id, amount, moment.now)
        })
    };
    let id = bench.invoice();
    assert!(charge_back(&mut bench, &id, None).is_err(), "nothing was paid");
    bench.pay(&id, None).unwrap();
    assert!(charge_back(&mut bench, &id, Some("100.01")).is_err());
    charge_back(&mut bench, &id, Some("55")).unwrap();
    assert_eq!(bench.status(&id), Status::PartiallyChargedBack);
    charge_back(&mut bench, &id, None).unwrap();
    assert_eq!(bench.status(&id), Status::ChargedBack);
    assert_eq!(shown(bench.get(&id).charged_back_amount), "100");
    // The dispute is won.
    let won = StatusChange::to(Status::Processed);
    bench.act(|state, moment| state.set_status(&id, &won, moment.now)).unwrap();
    assert_eq!(shown(bench.get(&id).charged_back_amount), "none");
}
