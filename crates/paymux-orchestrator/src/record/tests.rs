use super::*;
use crate::testing::{accepted, at};

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
