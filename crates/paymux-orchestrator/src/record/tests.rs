use paymux_core::ConfirmStep;

use super::*;
use crate::testing::{accepted, account, at, confirm, object, push, refund};

/// What the merchant ends, and what a person has to look at, is not shown to a payer as payable.
#[test]
fn a_way_to_pay_is_shown_only_while_more_money_may_come() {
    let all = [
        (ReviewReason::Mismatch, false),
        (ReviewReason::Contradiction, false),
        (ReviewReason::LateSuccess, false),
        (ReviewReason::SharedObject, false),
        (ReviewReason::StepRefused, true),
        (ReviewReason::StillInDoubt, true),
        (ReviewReason::UnreportedAmount, true),
        (ReviewReason::ShortAmount, true),
        (ReviewReason::NoEnd, true),
    ];
    for status in [PaymentStatus::RequiresAction, PaymentStatus::RequiresConfirmation] {
        let open = accepted(status);
        assert!(open.next_action().is_some());
        let ending = PaymentRecord { cancel_wanted: true, ..open.clone() };
        assert!(ending.next_action().is_none(), "{status}");
        for (reason, shown) in all {
            let mut record = open.clone();
            let note = String::new();
            record.add_review(Review { reason, attempt: Some(1), note, since: at(0) });
            assert_eq!(record.next_action().is_some(), shown, "{status}, {reason}");
        }
    }
}

/// A provider that cannot tell what waits for our consent would take it as given.
#[test]
fn what_was_confirmed_at_one_account_is_not_confirmed_at_the_next() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(ConfirmStep::Authorize), AttemptState::Accepted);
    let confirmed = |record: &PaymentRecord| record.handle().unwrap().confirmed;
    assert_eq!(confirmed(&record), Some(vec![ConfirmStep::Authorize]));
    crate::settle::abandon(&mut record, 1, at(1));
    let second = crate::testing::create(&record, 3);
    let no = push(&mut record, second, AttemptState::Accepted);
    record.attempt_mut(no).unwrap().account = account("b");
    let mut payment = crate::testing::seen(PaymentStatus::RequiresConfirmation);
    payment.provider = account("b");
    record.provider = Some(payment);
    assert_eq!(confirmed(&record), Some(vec![]));
}

/// The same account can have two objects of one payment.
#[test]
fn what_was_confirmed_of_one_object_is_not_confirmed_of_another() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(ConfirmStep::Authorize), AttemptState::Accepted);
    record.provider.as_mut().unwrap().id = object("obj2");
    assert_eq!(record.handle().unwrap().confirmed, Some(vec![]));
}

/// Its provider knows a refund by what it gives back, whatever counts by now.
#[test]
fn a_refund_is_asked_for_by_the_object_that_it_gives_back() {
    let mut record = accepted(PaymentStatus::Succeeded);
    let no = push(&mut record, refund(), AttemptState::Accepted);
    let asked = |record: &PaymentRecord| {
        record.handle_of_refund(record.attempt(no).unwrap()).map(|handle| handle.id)
    };
    assert_eq!(asked(&record), Some(object("obj1")));
    record.provider.as_mut().unwrap().id = object("obj2");
    assert_eq!(asked(&record), Some(object("obj1")));
    record.provider = None;
    assert_eq!(asked(&record), Some(object("obj1")));
}
