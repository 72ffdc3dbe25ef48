//! The rows of the table: payments that wait for a person, each for its reason.

use std::pin::Pin;

use paymux_core::PaymentStatus;
use paymux_orchestrator::ReviewReason;

use super::{
    Waiting,
    scenes::{
        about_another, captured_with_a_fee, contradicted, created_with_a_fee, doubted, ended,
        forgotten, key_of_a_refund_used, key_used, late, left_what_is_shared, not_what_was_sent,
        refund_in_doubt, refund_in_doubt_of_another, refund_of_another, refund_turned_round,
        refund_without_end, seen_with_a_fee, shares_a_part, step_refused, unasked, unpaid,
    },
};
use crate::simulation::truth::{Fault, Kind};

type Set = fn() -> Pin<Box<dyn Future<Output = Waiting>>>;

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) reason: ReviewReason,
    /// What is possible, and what is so after the provider was asked.
    possible: &'static [&'static str],
    asked: &'static [&'static str],
    set: Set,
}

impl Row {
    pub(super) async fn set(&self) -> Waiting {
        (self.set)().await
    }

    pub(super) fn allows(&self, word: &str) -> bool {
        self.possible.contains(&word) || self.asks(word)
    }

    pub(super) fn asks(&self, word: &str) -> bool {
        self.asked.contains(&word)
    }
}

const fn row(
    name: &'static str,
    reason: ReviewReason,
    possible: &'static [&'static str],
    asked: &'static [&'static str],
    set: Set,
) -> Row {
    Row { name, reason, possible, asked, set }
}

use ReviewReason::{
    Contradiction, EndedWithMoney, LateSuccess, Mismatch, NoEnd, SharedObject, ShortAmount,
    StepRefused, StillInDoubt, UnreportedAmount,
};

pub(super) const ALL: &[Row] = &[
    row(
        "still in doubt: a create, its provider has nothing",
        StillInDoubt,
        &["dismiss", "try again"],
        &["did nothing"],
        || Box::pin(doubted(&[])),
    ),
    row(
        "still in doubt: a create, its provider has it",
        StillInDoubt,
        &["dismiss", "try again"],
        &["it is"],
        || Box::pin(doubted(&[Fault::LostAfter])),
    ),
    row(
        "still in doubt: a create, its provider cannot be asked",
        StillInDoubt,
        &["did nothing", "dismiss", "try again"],
        &[],
        || Box::pin(unasked()),
    ),
    row(
        "still in doubt: a refund",
        StillInDoubt,
        &["dismiss", "try again"],
        &["did nothing", "was done"],
        || Box::pin(refund_in_doubt()),
    ),
    row(
        "mismatch: a create in doubt, with another amount",
        Mismatch,
        &["try again"],
        &["it counts"],
        || Box::pin(created_with_a_fee()),
    ),
    row(
        "mismatch: a create in doubt, about another payment",
        Mismatch,
        &["did nothing", "try again"],
        &["it is", "it counts"],
        || Box::pin(about_another(Kind::Card)),
    ),
    row(
        "mismatch: a create in doubt, whose key stands for something else",
        Mismatch,
        &["did nothing", "try again"],
        &["it is", "it counts"],
        || Box::pin(key_used()),
    ),
    row(
        "mismatch: a create in doubt, which is not what was sent",
        Mismatch,
        &["did nothing", "try again"],
        &["it is", "it counts"],
        || Box::pin(not_what_was_sent()),
    ),
    row("mismatch: a step in doubt", Mismatch, &["try again"], &["it counts"], || {
        Box::pin(captured_with_a_fee())
    }),
    row("mismatch: what its account has", Mismatch, &["try again"], &["it counts"], || {
        Box::pin(seen_with_a_fee(false))
    }),
    row(
        "mismatch: what its account has, and it fits again",
        Mismatch,
        &["try again"],
        &["it counts", "dismiss"],
        || Box::pin(seen_with_a_fee(true)),
    ),
    row(
        "mismatch: a refund in doubt",
        Mismatch,
        &["try again"],
        &["did nothing", "was done"],
        || Box::pin(refund_in_doubt_of_another()),
    ),
    row(
        "mismatch: a refund in doubt, whose key stands for something else",
        Mismatch,
        &["try again"],
        &["did nothing", "was done"],
        || Box::pin(key_of_a_refund_used()),
    ),
    row("mismatch: a refund under way", Mismatch, &["try again"], &[], || {
        Box::pin(refund_of_another(false))
    }),
    row(
        "mismatch: a refund under way, and it was done and fits again",
        Mismatch,
        &["try again"],
        &["was done", "dismiss"],
        || Box::pin(refund_of_another(true)),
    ),
    row("contradiction", Contradiction, &["try again"], &["provider is right"], || {
        Box::pin(contradicted(false))
    }),
    row(
        "contradiction, and its provider says the old again",
        Contradiction,
        &["try again"],
        &["provider is right", "dismiss"],
        || Box::pin(contradicted(true)),
    ),
    row(
        "contradiction, and its provider does not know it any more",
        Contradiction,
        &["try again"],
        &["dismiss"],
        || Box::pin(forgotten()),
    ),
    row("contradiction: a refund", Contradiction, &[], &["provider is right"], || {
        Box::pin(refund_turned_round(false))
    }),
    row(
        "contradiction: a refund, and its provider says the old again",
        Contradiction,
        &[],
        &["provider is right", "dismiss"],
        || Box::pin(refund_turned_round(true)),
    ),
    row("late success", LateSuccess, &[], &["it counts", "give back"], || {
        Box::pin(late(false, false))
    }),
    row(
        "late success, and the money went back",
        LateSuccess,
        &[],
        &["it counts", "dismiss"],
        || Box::pin(late(false, true)),
    ),
    row("late success beside one that can take money", LateSuccess, &[], &["give back"], || {
        Box::pin(late(true, false))
    }),
    row(
        "late success beside one that can take money, and the money went back",
        LateSuccess,
        &[],
        &["dismiss"],
        || Box::pin(late(true, true)),
    ),
    row("unreported amount", UnreportedAmount, &["try again"], &["accept amount"], || {
        Box::pin(ended(PaymentStatus::Succeeded, 0))
    }),
    row("short amount", ShortAmount, &["try again"], &["accept amount"], || {
        Box::pin(ended(PaymentStatus::Succeeded, 400))
    }),
    row("ended with money", EndedWithMoney, &["try again"], &["accept amount"], || {
        Box::pin(ended(PaymentStatus::Expired, 400))
    }),
    row(
        "shared object: a create in doubt",
        SharedObject,
        &["did nothing", "try again"],
        &["it is"],
        || Box::pin(about_another(Kind::Page)),
    ),
    row("shared object: what its account has", SharedObject, &["try again"], &[], || {
        Box::pin(shares_a_part(false))
    }),
    row(
        "shared object: what its account has, and it is named no more",
        SharedObject,
        &["try again"],
        &["dismiss"],
        || Box::pin(shares_a_part(true)),
    ),
    row("shared object: what was given up", SharedObject, &["try again"], &[], || {
        Box::pin(left_what_is_shared(false))
    }),
    row(
        "shared object: what was given up, and it is named no more",
        SharedObject,
        &["try again"],
        &["dismiss"],
        || Box::pin(left_what_is_shared(true)),
    ),
    row("no end", NoEnd, &["dismiss", "try again"], &[], || Box::pin(unpaid())),
    row(
        "no end: a refund under way",
        NoEnd,
        &["dismiss", "try again"],
        &["did nothing", "was done"],
        || Box::pin(refund_without_end()),
    ),
    row("step refused", StepRefused, &["dismiss"], &[], || Box::pin(step_refused())),
];
