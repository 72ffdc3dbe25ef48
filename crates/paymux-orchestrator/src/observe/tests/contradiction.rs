//! A final payment that its provider shows otherwise.

use super::*;

/// Taken and given back by what was known, by a look whose status the table forbids, and after.
#[test]
fn what_a_look_says_of_the_money_counts_whatever_its_status() {
    use PaymentStatus::{Failed, PartiallyPaid, Processing, Succeeded};
    type Row = (PaymentStatus, (i128, i128), PaymentStatus, (Option<i128>, Option<i128>), Ends);
    /// What is known as given back in the end, whether a person has to look.
    type Ends = (i128, bool);
    let table: [Row; 9] = [
        (Succeeded, (1_000, 0), PartiallyPaid, (Some(400), None), (0, true)),
        (Succeeded, (1_000, 0), Processing, (Some(0), None), (0, true)),
        (Succeeded, (1_000, 0), Processing, (Some(1_000), Some(1_000)), (1_000, false)),
        (Succeeded, (1_000, 0), Processing, (None, Some(300)), (300, false)),
        (Succeeded, (1_000, 0), Processing, (None, None), (0, false)),
        // Less than what is known to have gone back does not bring it back.
        (Succeeded, (1_000, 300), Processing, (Some(1_000), Some(0)), (300, false)),
        (Failed, (0, 0), PartiallyPaid, (Some(400), None), (0, true)),
        (Failed, (0, 0), Processing, (None, None), (0, false)),
        (Failed, (0, 0), Processing, (Some(0), None), (0, false)),
    ];
    for (number, (held, (captured, back), word, (said, went), ends)) in (1..).zip(table) {
        let known = |payment: &mut Payment| {
            payment.amounts.captured = (captured > 0).then(|| eur(captured));
            payment.amounts.refunded = Some(eur(back));
        };
        let mut record = accepted(held);
        record.provider.iter_mut().for_each(known);
        let was_paid = record.is_paid();
        let mut payment = seen(word);
        payment.amounts.captured = said.map(eur);
        payment.amounts.refunded = went.map(eur);
        let what = observed(&mut record, payment.clone(), Source::Asked);
        assert_eq!(record.status, held, "number {number}");
        let amounts = &record.provider.as_ref().unwrap().amounts;
        assert_eq!(amounts.refunded, Some(eur(ends.0)), "number {number}");
        assert_eq!(amounts.captured, (captured > 0).then(|| eur(captured)), "number {number}");
        let waits = record.is_under_review(ReviewReason::Contradiction);
        assert_eq!(waits, ends.1, "number {number}");
        let news = waits || ends.0 != back;
        assert_eq!(what == Observed::Changed, news, "number {number}");
        assert_eq!(record.is_paid(), was_paid && !news && back == 0, "number {number}");

        // What was asked for before says nothing, and an event is no look.
        for (asked, source) in [(10, Source::Asked), (100, Source::Event)] {
            let mut record = accepted(held);
            record.provider.iter_mut().for_each(known);
            record.looked_at = Some(at(50));
            let (random, account) = (SeededRandom::new(1), charges());
            let context =
                Context { asked_at: at(asked), source, ..context(&account, &random, at(100)) };
            assert_eq!(observe(&mut record, payment.clone(), &context), Observed::Nothing);
            assert!(record.reviews.is_empty(), "number {number}");
        }
    }
}

#[test]
fn a_dispute_that_is_seen_beside_a_forbidden_status_counts() {
    for unstated in [false, true] {
        let mut record = accepted(PaymentStatus::Succeeded);
        let mut payment = seen(PaymentStatus::Processing);
        payment.amounts.charged_back = (!unstated).then(|| eur(1_000));
        payment.amounts.given_back_unstated = unstated;
        assert_eq!(observed(&mut record, payment, Source::Asked), Observed::Changed);
        assert!(!record.is_paid() && record.status == PaymentStatus::Succeeded);
    }
}
