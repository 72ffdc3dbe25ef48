//! How much was taken, and when success counts without it.

use super::*;

/// The account's policy stands for a figure that does not come, not for one that is still to come.
#[test]
fn a_success_is_believed_without_a_figure_only_after_it_was_looked_for() {
    let (random, account) = (SeededRandom::new(1), charges());
    let look = |record: &mut PaymentRecord, captured: Option<i128>| {
        let mut payment = seen(PaymentStatus::Succeeded);
        payment.amounts.captured = captured.map(eur);
        let context =
            Context { accept_unreported_amount: true, ..context(&account, &random, at(100)) };
        observe(record, payment, &context);
    };
    let table = [
        (None, true, None),
        (Some(1_000), true, None),
        (Some(100), false, Some(ReviewReason::ShortAmount)),
    ];
    for (figure, paid, review) in table {
        let mut record = accepted(PaymentStatus::Processing);
        look(&mut record, None);
        assert!(!record.is_paid() && record.reviews.is_empty(), "the figure is looked for");
        assert_eq!(record.next_look_at, Some(at(100)));
        look(&mut record, figure);
        assert_eq!(record.is_paid(), paid, "{figure:?}");
        assert_eq!(record.reviews.first().map(|review| review.reason), review, "{figure:?}");
    }
    // Where the account never reports a figure, nobody waits for one.
    let mut silent = charges();
    silent.reports_captured = false;
    let mut record = accepted(PaymentStatus::Processing);
    let mut payment = seen(PaymentStatus::Succeeded);
    payment.amounts.captured = None;
    let context = Context { accept_unreported_amount: true, ..context(&silent, &random, at(100)) };
    observe(&mut record, payment, &context);
    assert!(record.is_paid());
}

/// Two looks in a row met a provider that could not read it. A person is asked, and it is looked for
/// all the same: when it is said, nobody has to answer any more.
#[test]
fn a_figure_that_comes_late_answers_the_question_itself() {
    let (random, account) = (SeededRandom::new(1), charges());
    let mut record = accepted(PaymentStatus::Processing);
    let look = |record: &mut PaymentRecord, captured: Option<i128>| {
        let mut payment = seen(PaymentStatus::Succeeded);
        payment.amounts.captured = captured.map(eur);
        observe(record, payment, &context(&account, &random, at(100)));
    };
    look(&mut record, None);
    for _ in 0..3 {
        look(&mut record, None);
        assert!(record.is_under_review(ReviewReason::UnreportedAmount));
        assert!(record.next_look_at > Some(at(100)), "{:?}", record.next_look_at);
    }
    look(&mut record, Some(1_000));
    assert!(record.is_paid() && record.next_look_at.is_none(), "{record:#?}");
}
