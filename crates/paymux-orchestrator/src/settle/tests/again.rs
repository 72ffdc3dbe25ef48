//! An answer that is written a second time, since it was not known whether the first time worked.

use super::*;

/// The payment had gone to the next account meanwhile: the answer says nothing about that one.
#[test]
fn an_answer_to_a_step_settles_it_once() {
    let failed = || {
        let mut object = seen(PaymentStatus::Failed);
        object.failure = Some(Failure::new(FailureKind::Declined));
        Outcome::Payment(Box::new(object))
    };
    for (accounts, echoed) in [(2, true), (3, true), (2, false), (3, false)] {
        let mut record = accepted(PaymentStatus::RequiresConfirmation);
        let mut third = record.route[1].clone();
        third.account = account("c");
        record.route.push(third);
        record.route.truncate(accounts);
        push(&mut record, confirm(ConfirmStep::Commit), AttemptState::Sending);
        let mut record = settled(record, 2, failed());
        assert_eq!(state(&record, 1), AttemptState::Rejected);
        let second = crate::testing::create(&record, 3);
        push(&mut record, second, AttemptState::Sending);
        record.attempts[2].account = account("b");
        let before = format!("{record:?}");
        let mut again = failed();
        if let Outcome::Payment(payment) = &mut again
            && !echoed
        {
            payment.reference = None;
        }
        let record = settled(record, 2, again);
        assert_eq!(format!("{record:?}"), before, "{accounts} accounts, echoed: {echoed}");
    }
}

/// Where the payment is still the one that it was, the answer is a word about it.
#[test]
fn an_answer_that_comes_again_is_a_word_about_its_payment() {
    let mut record = accepted(PaymentStatus::Authorized);
    push(&mut record, capture(), AttemptState::Accepted);
    let record = settled(record, 2, ok(PaymentStatus::Succeeded));
    assert_eq!(record.status, PaymentStatus::Succeeded);
    assert_eq!(state(&record, 2), AttemptState::Accepted);
}
