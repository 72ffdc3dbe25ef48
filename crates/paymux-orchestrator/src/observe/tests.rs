use paymux_core::{
    Capabilities, ConfirmStep, CreateEffect, ProviderPartId, ProviderRefundId, Refund,
    RefundStatus, Replay, SeededRandom,
};

use super::*;
use crate::{
    record::AttemptState,
    testing::{
        accepted, at, cancel, capabilities, capture, confirm, context, eur, key_replay, push,
        refund, seen, tried,
    },
};

mod contradiction;
mod doubt;
mod figure;
mod order;
mod refund;
mod steps;

const ALL: [PaymentStatus; 10] = [
    PaymentStatus::RequiresAction,
    PaymentStatus::RequiresConfirmation,
    PaymentStatus::Processing,
    PaymentStatus::Authorized,
    PaymentStatus::PartiallyPaid,
    PaymentStatus::Succeeded,
    PaymentStatus::Cancelled,
    PaymentStatus::Expired,
    PaymentStatus::Failed,
    PaymentStatus::Unknown,
];

fn charges() -> Capabilities {
    capabilities(CreateEffect::MayCharge, key_replay(), Replay::LookupFirst)
}

fn observed(record: &mut PaymentRecord, payment: Payment, source: Source) -> Observed {
    let (random, account) = (SeededRandom::new(1), charges());
    observe(record, payment, &Context { source, ..context(&account, &random, at(100)) })
}

/// Status by status: what we ask for follows the core's table, what we are told only moves on.
#[test]
fn a_word_moves_a_payment_only_along_the_table() {
    for before in ALL.into_iter().filter(|status| *status != PaymentStatus::Unknown) {
        for word in ALL {
            for source in [Source::Asked, Source::Event] {
                let mut record = accepted(before);
                let what = observed(&mut record, seen(word), source);
                let older = source == Source::Event && rank(word) < rank(before);
                let moves = before.can_become(word) && !older;
                let after = if moves { word } else { before };
                assert_eq!(record.status, after, "{before} and {word}, {source:?}");
                assert_eq!(record.provider.as_ref().unwrap().status, after);
                let contradicts = !moves && !older && word.is_final();
                let reviewed = record.is_under_review(ReviewReason::Contradiction);
                assert_eq!(reviewed, contradicts, "{before} and {word}, {source:?}");
                let is_news = contradicts || moves && before != word;
                assert_eq!(what == Observed::Changed, is_news, "{before} and {word}, {source:?}");
                if before.is_final() {
                    assert_eq!(record.status, before);
                }
                let looked = source == Source::Asked;
                assert_eq!(record.looked_at == Some(at(100)), looked, "events are no looks");
            }
        }
    }
}

#[test]
fn the_first_word_counts_whatever_it_is() {
    for word in ALL {
        let mut record = tried(AttemptState::Accepted);
        observed(&mut record, seen(word), Source::Asked);
        let unknown = word == PaymentStatus::Unknown;
        let expected = if unknown { PaymentStatus::Processing } else { word };
        assert_eq!(record.status, expected);
        // Or else nobody would know where to look again.
        assert!(record.provider.is_some(), "{word}");
        assert_eq!(record.undocumented_status.is_some(), unknown);
        assert!(unknown <= record.next_look_at.is_some());
    }
}

#[test]
fn what_was_asked_long_ago_is_no_new_look() {
    let (random, account) = (SeededRandom::new(1), charges());
    let mut record = accepted(PaymentStatus::RequiresAction);
    for (asked, expected) in [(50, 50), (20, 50), (70, 70)] {
        let context = Context { asked_at: at(asked), ..context(&account, &random, at(100)) };
        observe(&mut record, seen(PaymentStatus::RequiresAction), &context);
        assert_eq!(record.looked_at, Some(at(expected)));
    }
}

#[test]
fn amounts_are_completed_by_what_was_said_before() {
    let mut record = accepted(PaymentStatus::Succeeded);
    let mut known = record.provider.clone().unwrap();
    known.amounts.refunded = Some(eur(300));
    record.provider = Some(known);
    let mut silent = seen(PaymentStatus::Succeeded);
    silent.amounts = Amounts::default();
    assert_eq!(observed(&mut record, silent, Source::Asked), Observed::Nothing);
    let amounts = &record.provider.as_ref().unwrap().amounts;
    assert_eq!((amounts.captured, amounts.refunded), (Some(eur(1_000)), Some(eur(300))));
    let mut more = seen(PaymentStatus::Succeeded);
    more.amounts.refunded = Some(eur(400));
    assert_eq!(observed(&mut record, more, Source::Asked), Observed::Changed);
}

#[test]
fn a_word_about_something_else_moves_nothing() {
    let mut record = accepted(PaymentStatus::RequiresAction);
    let mut other = seen(PaymentStatus::Succeeded);
    other.amounts.requested = Some(eur(1));
    observed(&mut record, other, Source::Asked);
    assert_eq!(record.status, PaymentStatus::RequiresAction);
    assert!(record.is_under_review(ReviewReason::Mismatch));
    assert!(!record.is_paid());
}

#[test]
fn looks_come_less_and_less_often_until_something_changes() {
    let mut record = accepted(PaymentStatus::RequiresAction);
    record.next_look_at = None;
    let minutes = [1, 10, 60, 360, 1_440, 1_440];
    let mut now = at(0);
    for minutes in minutes {
        schedule(&mut record, Observed::Nothing, now);
        let next = record.next_look_at.unwrap();
        assert_eq!(next.since(now).as_secs(), minutes * 60);
        // A look that somebody wants in between does not put it off.
        schedule(&mut record, Observed::Nothing, now);
        assert_eq!(record.next_look_at, Some(next));
        now = next;
    }
    schedule(&mut record, Observed::Changed, now);
    assert_eq!(record.next_look_at.unwrap().since(now).as_secs(), 60);
    record.status = PaymentStatus::Failed;
    schedule(&mut record, Observed::Nothing, now);
    assert_eq!(record.next_look_at, None);
    look_again(&mut record, now);
    assert!(record.next_look_at.is_some(), "a look that brought nothing is made again");
}

/// A step in doubt is settled by the state that it was meant to lead to.
#[test]
fn a_step_in_doubt_is_told_by_what_is_seen() {
    use PaymentStatus as Status;
    let yes = AttemptState::Accepted;
    let not_yet = AttemptState::Unknown;
    let table = [
        (confirm(ConfirmStep::Commit), Status::RequiresConfirmation, not_yet),
        (confirm(ConfirmStep::Authorize), Status::RequiresConfirmation, yes),
        (confirm(ConfirmStep::Commit), Status::Processing, yes),
        (confirm(ConfirmStep::Commit), Status::Succeeded, yes),
        (capture(), Status::Authorized, not_yet),
        (capture(), Status::Succeeded, yes),
        (cancel(), Status::Authorized, not_yet),
        (cancel(), Status::Cancelled, yes),
        (cancel(), Status::Succeeded, AttemptState::Rejected),
    ];
    for (intent, word, expected) in table {
        let before = match &intent {
            Intent::Confirm(_) => Status::RequiresConfirmation,
            Intent::Create(_) | Intent::Capture(_) | Intent::Cancel(_) | Intent::Refund(_) => {
                Status::Authorized
            }
        };
        let mut record = accepted(before);
        let words = intent.in_words();
        push(&mut record, intent, AttemptState::Unknown);
        observed(&mut record, seen(word), Source::Asked);
        assert_eq!(record.attempts[1].state, expected, "{words}, then {word}");
        assert_eq!(record.attempts[1].seen_unchanged, expected == not_yet);
    }
}

/// The provider may be at work as long as a call may last.
#[test]
fn a_look_shows_that_nothing_was_done_only_after_the_time_of_the_call() {
    let (random, account) = (SeededRandom::new(1), charges());
    for (asked, shows) in [(0, false), (69, false), (70, true), (100, true)] {
        let mut record = accepted(PaymentStatus::Authorized);
        push(&mut record, capture(), AttemptState::Unknown);
        let context = Context { asked_at: at(asked), ..context(&account, &random, at(100)) };
        observe(&mut record, seen(PaymentStatus::Authorized), &context);
        assert_eq!(record.attempts[1].seen_unchanged, shows, "asked at {asked}");
    }
    // An event, and a look that began before the step left, settle nothing.
    for (source, asked) in [(Source::Event, 100), (Source::Asked, -1)] {
        let mut record = accepted(PaymentStatus::Authorized);
        push(&mut record, capture(), AttemptState::Unknown);
        let context =
            Context { asked_at: at(asked), source, ..context(&account, &random, at(100)) };
        observe(&mut record, seen(PaymentStatus::Succeeded), &context);
        assert_eq!(record.attempts[1].state, AttemptState::Unknown, "{source:?}");
    }
}

#[test]
fn what_says_nothing_of_a_part_that_was_taken_cannot_tell() {
    let mut record = accepted(PaymentStatus::Authorized);
    let mut part = capture();
    if let Intent::Capture(request) = &mut part {
        request.amount = Some(eur(400));
    }
    push(&mut record, part, AttemptState::Unknown);
    observed(&mut record, seen(PaymentStatus::Authorized), Source::Asked);
    assert!(!record.attempts[1].seen_unchanged);
}

#[test]
fn a_step_on_a_part_is_told_by_that_part() {
    let id = ProviderPartId::new("p1").unwrap();
    let with_part = |status| {
        let mut payment = seen(PaymentStatus::Authorized);
        payment.parts.push(Part::new(id.clone(), status, "a word"));
        payment
    };
    let table = [
        (PaymentStatus::Authorized, [AttemptState::Unknown, AttemptState::Unknown]),
        (PaymentStatus::Cancelled, [AttemptState::Accepted, AttemptState::Rejected]),
    ];
    for (status, expected) in table {
        for (mut intent, expected) in [cancel(), capture()].into_iter().zip(expected) {
            match &mut intent {
                Intent::Cancel(request) => request.part = Some(id.clone()),
                Intent::Capture(request) => request.part = Some(id.clone()),
                Intent::Create(_) | Intent::Confirm(_) | Intent::Refund(_) => {}
            }
            let mut record = accepted(PaymentStatus::Authorized);
            push(&mut record, intent, AttemptState::Unknown);
            observed(&mut record, with_part(status), Source::Asked);
            assert_eq!(record.attempts[1].state, expected, "{status}");
        }
    }
}

#[test]
fn a_refund_in_doubt_is_told_by_the_amounts() {
    // Given back before, seen now, and whether 400 more happened.
    let table = [
        (None, None, false),
        (None, Some(0), false),
        (None, Some(399), false),
        (None, Some(400), true),
        (Some(300), Some(300), false),
        (Some(300), Some(400), false),
        (Some(300), Some(700), true),
        (Some(300), Some(1_000), true),
    ];
    for (before, now, happened) in table {
        let mut record = accepted(PaymentStatus::Succeeded);
        push(&mut record, refund(), AttemptState::Unknown);
        record.attempts[1].reserved = Some(eur(400));
        record.attempts[1].amount_before = before.map(eur);
        let mut payment = seen(PaymentStatus::Succeeded);
        payment.amounts.refunded = now.map(eur);
        observed(&mut record, payment, Source::Asked);
        let accepted = record.attempts[1].state == AttemptState::Accepted;
        assert_eq!(accepted, happened, "{before:?} {now:?}");
        // It may be on its way, and others with it.
        assert!(!record.attempts[1].seen_unchanged, "{before:?} {now:?}");
        let status = record.attempts[1].refund.as_ref().map(|refund| refund.status);
        assert_eq!(status, happened.then_some(RefundStatus::Succeeded));
    }
}

#[test]
fn a_refund_moves_only_along_its_table() {
    let all = [
        RefundStatus::Processing,
        RefundStatus::Succeeded,
        RefundStatus::Failed,
        RefundStatus::Cancelled,
        RefundStatus::Unknown,
    ];
    for before in all {
        for word in all {
            let mut record = accepted(PaymentStatus::Succeeded);
            push(&mut record, refund(), AttemptState::Accepted);
            let mut known = Refund::new(before, "before");
            known.id = Some(ProviderRefundId::new("ref1").unwrap());
            record.attempts[1].refund = Some(known);
            observe_refund(&mut record, 2, &Refund::new(word, "now"), at(100));
            let refund = record.attempts[1].refund.as_ref().unwrap();
            let moves = before.can_become(word) && word != RefundStatus::Unknown;
            assert_eq!(refund.status, if moves { word } else { before }, "{before} and {word}");
            assert!(refund.id.is_some(), "its id is not forgotten");
        }
    }
}

#[test]
fn success_is_paid_only_with_its_figure() {
    // Captured, whether less was wanted, and what a person is asked.
    let table = [
        (Some(1_000), false, None),
        (Some(1_001), false, None),
        (Some(999), false, Some(ReviewReason::ShortAmount)),
        (Some(999), true, None),
    ];
    for (captured, less_wanted, review) in table {
        let mut record = accepted(PaymentStatus::Authorized);
        if less_wanted {
            push(&mut record, capture(), AttemptState::Accepted);
            if let Intent::Capture(request) = &mut record.attempts[1].intent {
                request.amount = captured.map(eur);
            }
        }
        let mut payment = seen(PaymentStatus::Succeeded);
        payment.amounts.captured = captured.map(eur);
        observed(&mut record, payment, Source::Asked);
        let reasons: Vec<_> = record.reviews.iter().map(|review| review.reason).collect();
        assert_eq!(reasons, review.into_iter().collect::<Vec<_>>(), "{captured:?}");
        assert_eq!(record.is_paid(), captured >= Some(1_000));
    }
    // No figure: it is asked for once more, and then a person is.
    let mut record = accepted(PaymentStatus::Processing);
    let mut payment = seen(PaymentStatus::Succeeded);
    payment.amounts.captured = None;
    observed(&mut record, payment.clone(), Source::Asked);
    assert!(record.reviews.is_empty() && record.next_look_at == Some(at(100)));
    observed(&mut record, payment.clone(), Source::Asked);
    assert!(record.is_under_review(ReviewReason::UnreportedAmount) && !record.is_paid());
    // It comes after all: too little at first, and then whole.
    payment.amounts.captured = Some(eur(999));
    observed(&mut record, payment.clone(), Source::Asked);
    let reasons: Vec<_> = record.reviews.iter().map(|review| review.reason).collect();
    assert_eq!(reasons, [ReviewReason::ShortAmount]);
    payment.amounts.captured = Some(eur(1_000));
    observed(&mut record, payment, Source::Asked);
    assert!(record.reviews.is_empty() && record.is_paid());
}

#[test]
fn a_part_that_comes_with_an_undocumented_word_is_looked_for_again() {
    let mut record = accepted(PaymentStatus::RequiresAction);
    let mut payment = seen(PaymentStatus::Unknown);
    let id = ProviderPartId::new("part1").unwrap();
    payment.parts.push(Part::new(id.clone(), PaymentStatus::Unknown, "under_review"));
    observed(&mut record, payment.clone(), Source::Asked);
    observed(&mut record, payment, Source::Asked);
    assert_eq!(record.status, PaymentStatus::RequiresAction);
    assert_eq!(record.handle().unwrap().parts, [id]);
}

#[test]
fn a_way_to_pay_that_left_us_is_remembered() {
    let mut record = accepted(PaymentStatus::Processing);
    observed(&mut record, seen(PaymentStatus::RequiresConfirmation), Source::Asked);
    assert!(!record.link_shown, "our own step is nothing a payer can pay");
    observed(&mut record, seen(PaymentStatus::RequiresAction), Source::Asked);
    observed(&mut record, seen(PaymentStatus::Processing), Source::Asked);
    assert!(record.link_shown);
}

/// Whatever word it came with: somebody may be paying.
#[test]
fn a_way_to_pay_that_came_with_an_undocumented_word_is_remembered() {
    let mut payment = seen(PaymentStatus::RequiresAction);
    payment.status = PaymentStatus::Unknown;
    let mut record = accepted(PaymentStatus::RequiresAction);
    record.provider = None;
    record.status = PaymentStatus::Processing;
    observed(&mut record, payment, Source::Asked);
    assert!(record.link_shown || record.next_action().is_none());
}
