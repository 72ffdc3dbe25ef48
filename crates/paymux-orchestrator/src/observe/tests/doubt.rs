//! What an answer says about a step in doubt, and what its silence does not.

use super::*;

fn told(mut record: PaymentRecord, payment: Payment, account: &Capabilities) -> Attempt {
    let random = SeededRandom::new(1);
    observe(&mut record, payment, &context(account, &random, at(100)));
    record.attempts.remove(1)
}

fn in_doubt(status: PaymentStatus, intent: Intent) -> PaymentRecord {
    let mut record = accepted(status);
    push(&mut record, intent, AttemptState::Unknown);
    record
}

/// What an older answer said is not said by the newer one.
#[test]
fn silence_after_a_figure_is_silence() {
    for (before, now, unchanged) in
        [(None, None, true), (Some(300), None, false), (Some(300), Some(300), true)]
    {
        let mut record = in_doubt(PaymentStatus::Authorized, capture());
        record.provider.as_mut().unwrap().amounts.captured = before.map(eur);
        record.attempts[1].amount_before = before.map(eur);
        let mut payment = seen(PaymentStatus::Authorized);
        payment.amounts.captured = now.map(eur);
        let attempt = told(record, payment, &charges());
        let what = format!("{before:?}, now {now:?}");
        assert_eq!(
            (attempt.state, attempt.seen_unchanged),
            (AttemptState::Unknown, unchanged),
            "{what}"
        );
    }
}

/// Some answers hold no more than a status.
#[test]
fn a_status_without_its_step_says_nothing_about_the_step() {
    for step in [ConfirmStep::Authorize, ConfirmStep::Commit] {
        let record = in_doubt(PaymentStatus::RequiresConfirmation, confirm(step));
        let mut payment = seen(PaymentStatus::RequiresConfirmation);
        payment.next_action = None;
        let attempt = told(record, payment, &charges());
        assert_eq!((attempt.state, attempt.seen_unchanged), (AttemptState::Unknown, false));
    }
}

#[test]
fn an_answer_that_leaves_a_part_out_says_nothing_about_it() {
    let id = ProviderPartId::new("p1").unwrap();
    let table = [
        (capture(), PaymentStatus::Authorized, AttemptState::Unknown),
        (capture(), PaymentStatus::PartiallyPaid, AttemptState::Unknown),
        (capture(), PaymentStatus::Succeeded, AttemptState::Accepted),
        (cancel(), PaymentStatus::Authorized, AttemptState::Unknown),
        (cancel(), PaymentStatus::Cancelled, AttemptState::Accepted),
    ];
    for (mut intent, status, expected) in table {
        match &mut intent {
            Intent::Capture(request) => request.part = Some(id.clone()),
            Intent::Cancel(request) => request.part = Some(id.clone()),
            Intent::Create(_) | Intent::Confirm(_) | Intent::Refund(_) => {}
        }
        let mut record = in_doubt(PaymentStatus::Authorized, intent);
        let held = Part::new(id.clone(), PaymentStatus::Authorized, "held");
        record.provider.as_mut().unwrap().parts.push(held);
        let attempt = told(record, seen(status), &charges());
        assert_eq!((attempt.state, attempt.seen_unchanged), (expected, false), "{status}");
    }
}

/// Where our consent must never be given twice, a provider may have to say that it is on its way
/// for what in truth still waits for it.
#[test]
fn on_its_way_is_no_proof_where_consent_is_given_once() {
    let table = [
        (Replay::Never, PaymentStatus::Processing, AttemptState::Unknown),
        (Replay::Never, PaymentStatus::Succeeded, AttemptState::Accepted),
        (Replay::Never, PaymentStatus::Authorized, AttemptState::Accepted),
        (Replay::LookupFirst, PaymentStatus::Processing, AttemptState::Accepted),
    ];
    for (replay, status, expected) in table {
        let account = capabilities(CreateEffect::OpensOnly, key_replay(), replay);
        let record = in_doubt(PaymentStatus::RequiresConfirmation, confirm(ConfirmStep::Commit));
        let attempt = told(record, seen(status), &account);
        assert_eq!(
            (attempt.state, attempt.seen_unchanged),
            (expected, false),
            "{replay:?} {status}"
        );
    }
}
