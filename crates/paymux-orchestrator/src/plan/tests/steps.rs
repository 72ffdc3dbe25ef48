//! Steps that are taken for the merchant.

use super::*;

#[test]
fn our_consent_is_given_once() {
    let account = opens(Replay::Harmless, Replay::Never);
    let waiting = || accepted(PaymentStatus::RequiresConfirmation);
    assert_eq!(next(&waiting(), &account, 0), Move::Confirm(ConfirmStep::Commit));
    // Taken, refused or withdrawn: what still shows the step open may be old.
    for state in [AttemptState::Accepted, AttemptState::Rejected, AttemptState::NotSent] {
        let mut record = waiting();
        push(&mut record, confirm(ConfirmStep::Commit), state);
        assert_eq!(next(&record, &account, 0), Move::Wait(at(60)), "{state:?}");
        // Another step is another thing, and so is another account.
        record.attempts[1].intent = confirm(ConfirmStep::Authorize);
        assert_eq!(next(&record, &account, 0), Move::Confirm(ConfirmStep::Commit), "{state:?}");
        record.attempts[1].intent = confirm(ConfirmStep::Commit);
        record.attempts[1].account = crate::testing::account("b");
        assert_eq!(next(&record, &account, 0), Move::Confirm(ConfirmStep::Commit), "{state:?}");
    }
    let mut merchants = waiting();
    merchants.request.confirm = ConfirmBy::Merchant;
    assert_eq!(next(&merchants, &account, 0), Move::Wait(at(60)));
}

#[test]
fn what_is_held_is_taken_where_the_account_cannot_do_it_itself() {
    let mut account = charges();
    let held = || accepted(PaymentStatus::Authorized);
    assert_eq!(next(&held(), &account, 0), Move::Wait(at(60)));
    account.capture = CaptureChoice::Manual;
    assert_eq!(next(&held(), &account, 0), Move::Capture(None));
    let mut manual = held();
    manual.request.capture = CaptureMethod::Manual;
    assert_eq!(next(&manual, &account, 0), Move::Wait(at(60)));
    for state in [AttemptState::Accepted, AttemptState::Rejected, AttemptState::NotSent] {
        let mut record = held();
        push(&mut record, capture(), state);
        assert_eq!(next(&record, &account, 0), Move::Wait(at(60)), "{state:?}");
    }
    let mut parts = held();
    let part = |id: &str, status| Part::new(ProviderPartId::new(id).unwrap(), status, "a word");
    let known = &mut parts.provider.as_mut().unwrap().parts;
    known.push(part("p1", PaymentStatus::Failed));
    known.push(part("p2", PaymentStatus::Authorized));
    let second = Some(ProviderPartId::new("p2").unwrap());
    assert_eq!(next(&parts, &account, 0), Move::Capture(second));
}

#[test]
fn an_end_is_a_goal_that_is_gone_for_once_by_each_way() {
    let account = charges();
    let mut record = accepted(PaymentStatus::Authorized);
    record.cancel_wanted = true;
    let part = ProviderPartId::new("p1").unwrap();
    let held = Part::new(part.clone(), PaymentStatus::Authorized, "held");
    record.provider.as_mut().unwrap().parts.push(held);
    // What is held first, then the whole, then it is looked at.
    assert_eq!(next(&record, &account, 0), Move::Cancel(Some(part.clone())));
    let no = push(&mut record, cancel(), AttemptState::Accepted);
    if let Intent::Cancel(request) = &mut record.attempt_mut(no).unwrap().intent {
        request.part = Some(part);
    }
    assert_eq!(next(&record, &account, 0), Move::Cancel(None));
    push(&mut record, cancel(), AttemptState::Accepted);
    assert_eq!(next(&record, &account, 0), Move::Wait(at(60)));
    record.seen_at = Some(at(60));
    assert_eq!(next(&record, &account, 60), Move::Cancel(None));
    let mut refused = record.clone();
    push(&mut refused, cancel(), AttemptState::Rejected);
    assert_eq!(next(&refused, &account, 60), Move::Cancel(None));
    for _ in 0..MAX_CANCELS {
        push(&mut record, cancel(), AttemptState::Accepted);
    }
    let park = Move::Park(1, ReviewReason::StepRefused);
    assert_eq!(next(&record, &account, 60), park);
    let mut unable = accepted(PaymentStatus::RequiresAction);
    unable.cancel_wanted = true;
    let mut account = account;
    account.replay.remove(&Operation::CancelPayment);
    assert_eq!(next(&unable, &account, 0), park);
    // Where nobody can pay it, it is left alone, unless a step may have gone through.
    account.create = CreateEffect::OpensOnly;
    assert_eq!(next(&unable, &account, 0), Move::Abandon(1));
    unable.link_shown = true;
    assert_eq!(next(&unable, &account, 0), park);
}

/// It waited to be sent, and meanwhile the payment ended.
#[test]
fn what_takes_money_does_not_leave_for_a_payment_that_is_over() {
    for status in [PaymentStatus::Succeeded, PaymentStatus::Cancelled, PaymentStatus::Failed] {
        for intent in [confirm(ConfirmStep::Commit), capture()] {
            let mut record = accepted(status);
            push(&mut record, intent, AttemptState::Intent);
            record.next_look_at = None;
            assert_eq!(next(&record, &charges(), 0), Move::Withdraw(2), "{status}");
            parked(&mut record, ReviewReason::Contradiction);
            assert_eq!(next(&record, &charges(), 0), Move::Withdraw(2), "{status}");
        }
    }
}

/// Each look changes a payment; since when it waits for our consent is another matter.
#[test]
fn our_consent_is_too_late_by_the_day_that_it_was_wanted() {
    let account = opens(Replay::Harmless, Replay::LookupFirst);
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    record.updated_at = at(6 * DAY);
    record.consent_wanted_at = Some(at(0));
    let late = Move::Park(1, ReviewReason::StepRefused);
    assert_eq!(next(&record, &account, DAY - 1), Move::Confirm(ConfirmStep::Commit));
    assert_eq!(next(&record, &account, DAY), late);
    // What was written down before that was kept.
    record.consent_wanted_at = None;
    assert_eq!(next(&record, &account, 7 * DAY - 1), Move::Confirm(ConfirmStep::Commit));
}

/// The same account can have two objects of one payment: what was asked of the one says nothing of
/// the other.
#[test]
fn what_was_asked_of_another_object_is_not_asked_of_this_one() {
    let mut account = opens(Replay::Harmless, Replay::Never);
    account.capture = CaptureChoice::Manual;
    let other = |mut intent: Intent| {
        let handle = match &mut intent {
            Intent::Confirm(request) => &mut request.payment,
            Intent::Capture(request) => &mut request.payment,
            Intent::Cancel(request) => &mut request.payment,
            Intent::Create(_) | Intent::Refund(_) => panic!("a step"),
        };
        handle.id = crate::testing::object("obj2");
        intent
    };
    let mut waiting = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut waiting, other(confirm(ConfirmStep::Commit)), AttemptState::Accepted);
    assert_eq!(next(&waiting, &account, 0), Move::Confirm(ConfirmStep::Commit));
    let mut held = accepted(PaymentStatus::Authorized);
    push(&mut held, other(capture()), AttemptState::Rejected);
    assert_eq!(next(&held, &account, 0), Move::Capture(None));
    let mut unwanted = accepted(PaymentStatus::Authorized);
    unwanted.cancel_wanted = true;
    for _ in 0..=MAX_CANCELS {
        push(&mut unwanted, other(cancel()), AttemptState::Accepted);
    }
    assert_eq!(next(&unwanted, &account, 0), Move::Cancel(None));
}

/// An answer that is not taken in shows nothing of what a step led to.
#[test]
fn what_a_step_led_to_is_not_seen_by_an_answer_that_is_not_believed() {
    let (random, account) = (SeededRandom::new(1), charges());
    let unknown = seen(PaymentStatus::Unknown);
    let mut other = seen(PaymentStatus::Authorized);
    other.amounts.requested = Some(eur(1));
    let fits = seen(PaymentStatus::Authorized);
    for (payment, is_seen) in [(unknown, false), (other, false), (fits, true)] {
        let what = payment.provider_status.clone();
        let mut record = accepted(PaymentStatus::Authorized);
        record.cancel_wanted = true;
        push(&mut record, cancel(), AttemptState::Accepted);
        push(&mut record, capture(), AttemptState::Accepted);
        observe::observe(&mut record, payment, &context(&account, &random, at(100)));
        assert_eq!(next(&record, &account, 100) == Move::Cancel(None), is_seen, "{what}");
        let unseen = is_unseen(&record.attempts[2], &record);
        assert_eq!(unseen, !is_seen, "{what}");
    }
}
