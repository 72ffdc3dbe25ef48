use paymux_core::ConfirmStep;

use super::*;
use crate::testing::{accepted, account, at, confirm, push};

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

/// Consent at an account that was given up is none at the next one.
#[test]
fn only_what_was_confirmed_at_the_account_that_has_it_counts() {
    let steps = |record: &PaymentRecord| record.handle().unwrap().confirmed;
    let mut record = accepted(PaymentStatus::Processing);
    push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Accepted);
    assert_eq!(steps(&record), Some(vec![ConfirmStep::Commit]));
    record.attempts[1].account = account("b");
    assert_eq!(steps(&record), Some(Vec::new()));
}
