//! A payment as the orchestrator knows it: what was asked, every attempt, and the provider's last
//! word.

use std::ops::Not;

use paymux_core::{
    ConfirmStep, Failure, Money, NextAction, Payment, PaymentHandle, PaymentStatus, ProviderId,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{NewPayment, PaymentId, plan::must_not_take, returns::ReturnToken, routing::Elsewhere};

mod attempt;
mod fault;
mod review;
mod sent_as;

pub use attempt::{Attempt, AttemptState, Intent};
pub use fault::Fault;
pub use review::{Review, ReviewReason};
pub use sent_as::SentAs;

/// One payment, from the moment it was asked for. It holds what was sent to providers, the payer's
/// data and the token of the return URL among it: it is for the merchant's program, and never for
/// a browser.
///
/// As it is kept, what is empty, nothing or not so is not written: most of it never happens to most
/// payments.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PaymentRecord {
    /// Ours.
    pub id: PaymentId,
    /// Counts the changes, from 1.
    pub version: u64,
    /// What was asked.
    pub request: NewPayment,
    /// Its status, over all attempts.
    pub status: PaymentStatus,
    /// Why it failed, when it did, or why the last try did not work out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Which accounts may take it, in order, as the routes said when it was asked for.
    pub route: Vec<RouteStep>,
    /// What happens after a decline, as the routes said.
    pub after_decline: Elsewhere,
    /// Everything that was done or tried at providers, oldest first.
    pub attempts: Vec<Attempt>,
    /// The last word of the provider that has the payment, completed by what it said before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<Payment>,
    /// What a person has to look at; empty most of the time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<Review>,
    /// The merchant wants it ended.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub cancel_wanted: bool,
    /// A way to pay has left us: somebody may be paying at this moment.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub link_shown: bool,
    /// Success without a figure counts as paid, by the account's policy.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub unreported_amount_accepted: bool,
    /// A person let this amount count as all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_amount: Option<Money>,
    /// What a person let pass, since when: it is not asked about again, or not soon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub let_pass: Vec<Review>,
    /// A person opened it again after it had ended, said that a step did nothing, or set aside that
    /// one was refused: what takes money there is the merchant's to ask for, and never done by
    /// itself. The next account takes steps as ever.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub steps_by_hand: bool,
    /// Since when the provider waits for the step that it waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent_wanted_at: Option<Timestamp>,
    /// It succeeded without a figure, and the provider was asked for it once more.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub figure_looked_for: bool,
    /// The secret half of the token in the return URL.
    pub return_token: ReturnToken,
    /// When the provider was asked for it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Timestamp>,
    /// When it was asked last for what was taken in: an answer that fits, in a word that is
    /// documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// When to ask for it next, while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_look_at: Option<Timestamp>,
    /// How often it was looked at since it last changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks: u32,
    /// How often our own limits kept such a look back: what else is looked at has its turn then.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub looks_kept_back: u32,
    /// A word of the provider's that nobody documented, the last one seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undocumented_status: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
    /// The digest of the last line of its history.
    pub last_digest: String,
}

/// One account that may take a payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStep {
    /// The account.
    pub account: ProviderId,
    /// The rule that named it.
    pub rule: String,
    /// Why, in words.
    pub why: String,
}

impl PaymentRecord {
    /// The question to ask before shipping: did the provider take at least what was asked, and is
    /// it still there? Nothing is shipped while a person has to look at the payment.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        let Some(payment) = &self.provider else { return false };
        if !self.reviews.is_empty() {
            return false;
        }
        let amounts = &payment.amounts;
        let went_back = [amounts.refunded, amounts.charged_back];
        let nothing_went_back =
            !amounts.given_back_unstated && went_back.into_iter().flatten().all(Money::is_zero);
        let unreported =
            amounts.captured.is_none() && nothing_went_back && self.unreported_amount_accepted;
        self.status == PaymentStatus::Succeeded
            && (payment.is_paid(self.accepted_amount.unwrap_or(self.request.amount)) || unreported)
    }

    /// May money have moved without our knowing? So it is until the doubt is cleared up, also while
    /// the call is being repeated.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.attempts.iter().any(Attempt::is_in_doubt)
    }

    /// What the payer, or the merchant, has to do next. Nothing while the payment is being ended, or
    /// while a person has to say first what is true: nobody is to pay it then, though its link may
    /// still work at the provider.
    #[must_use]
    pub fn next_action(&self) -> Option<&NextAction> {
        let may_be_paid = !self.status.is_final() && !self.cancel_wanted && !must_not_take(self);
        self.provider.as_ref().filter(|_| may_be_paid)?.next_action.as_ref()
    }

    /// Is there a way to pay that this process does not know whole, since a part of it is never
    /// written down?
    pub(crate) fn lacks_way_to_pay(&self) -> bool {
        self.next_action().is_some_and(lacks_a_part)
    }

    /// The account that has the payment, once one has accepted it.
    #[must_use]
    pub fn account(&self) -> Option<&ProviderId> {
        self.provider.as_ref().map(|payment| &payment.provider)
    }

    /// The attempt that holds the right to move money.
    pub(crate) fn live(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.is_create() && attempt.state.holds_slot())
    }

    /// The attempt whose outcome is open: not sent yet, on its way, or unknown. Of two, the one that
    /// does something to the payment, and not the refund of what an attempt left elsewhere.
    #[must_use]
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.open_step().or_else(|| self.attempts.iter().find(|it| it.is_open_elsewhere()))
    }

    /// The same of what does something to the payment alone.
    pub(crate) fn open_step(&self) -> Option<&Attempt> {
        self.attempts.iter().find(|it| it.state.is_open() && it.gives_back.is_none())
    }

    pub(crate) fn attempt(&self, no: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.no == no)
    }

    pub(crate) fn attempt_mut(&mut self, no: u32) -> Option<&mut Attempt> {
        self.attempts.iter_mut().find(|attempt| attempt.no == no)
    }

    pub(crate) fn next_attempt_no(&self) -> u32 {
        self.attempts.last().map_or(1, |attempt| attempt.no.saturating_add(1))
    }

    /// The first account of the route that no create attempt was made at yet.
    pub(crate) fn next_account(&self) -> Option<&RouteStep> {
        self.route.iter().find(|step| {
            !self.attempts.iter().any(|tried| tried.is_create() && tried.account == step.account)
        })
    }

    /// All that the adapter needs to find the payment, with the options it was created with.
    pub(crate) fn handle(&self) -> Option<PaymentHandle> {
        let payment = self.provider.as_ref()?;
        let mut handle = payment.handle(&self.request.options);
        handle.mandate = handle.mandate.or_else(|| self.request.mandate.clone());
        if handle.reference.is_none()
            && let Some(Intent::Create(create)) = self.live().map(|attempt| &attempt.intent)
        {
            handle.reference = Some(create.reference.clone());
        }
        Some(self.with_steps_at(handle, &payment.provider))
    }

    /// The handle of what a refund gives back, whatever counts by now.
    pub(crate) fn handle_of_refund(&self, attempt: &Attempt) -> Option<PaymentHandle> {
        if let Intent::Refund(refund) = &attempt.intent
            && !self.is_of_what_counts(attempt)
        {
            return Some(refund.payment.clone());
        }
        self.handle()
    }

    /// Does an attempt do something to the object that counts? The same account can have another one
    /// of this payment.
    pub(crate) fn is_of_what_counts(&self, attempt: &Attempt) -> bool {
        self.provider.as_ref().is_some_and(|payment| attempt.is_of(payment))
    }

    /// The same handle, saying which confirmations of it were begun: some providers cannot tell a
    /// payment that waits for our consent from one that has it.
    pub(crate) fn with_steps_at(
        &self,
        handle: PaymentHandle,
        account: &ProviderId,
    ) -> PaymentHandle {
        let begun = self.attempts.iter().filter(|attempt| {
            let is_of_it = attempt.intent.object() == Some(&handle.id);
            attempt.account == *account && is_of_it && attempt.may_have_acted()
        });
        let steps = begun.filter_map(|attempt| match &attempt.intent {
            Intent::Confirm(confirm) => Some(confirm.step),
            Intent::Create(_) | Intent::Capture(_) | Intent::Cancel(_) | Intent::Refund(_) => None,
        });
        let steps: Vec<ConfirmStep> = steps.collect();
        steps.into_iter().fold(handle.with_nothing_confirmed(), PaymentHandle::with_confirmed)
    }

    /// Moves it to a status, if the core's table lets it: what is final stays so.
    pub(crate) fn move_to(&mut self, status: PaymentStatus) {
        if self.status.can_become(status) {
            self.status = status;
        }
    }

    /// Has anything been sent, or become known of what was sent, since it looked like this? Then a
    /// look that began at that time may show what was before.
    pub(crate) fn has_acted_since(&self, then: &Self) -> bool {
        let acts = |record: &Self| -> Vec<(u32, AttemptState, u32)> {
            let attempts = record.attempts.iter();
            attempts.map(|attempt| (attempt.no, attempt.state, attempt.sends)).collect()
        };
        acts(self) != acts(then)
    }

    /// Has the payment looked at at this moment at the latest.
    pub(crate) fn look_at(&mut self, moment: Timestamp) {
        self.next_look_at = Some(self.next_look_at.map_or(moment, |known| known.min(moment)));
    }

    /// Keeps a word that nobody documented: it moves nothing and is shown to whoever asks why.
    pub(crate) fn note_word(&mut self, payment: &Payment) {
        self.undocumented_status = Some(payment.provider_status.clone());
    }

    /// Does it wait for a person for this reason?
    pub(crate) fn is_under_review(&self, reason: ReviewReason) -> bool {
        self.reviews.iter().any(|review| review.reason == reason)
    }

    /// Adds something to look at, once for each reason and attempt: what was seen last counts.
    pub(crate) fn add_review(&mut self, review: Review) {
        let same =
            |known: &&mut Review| known.reason == review.reason && known.attempt == review.attempt;
        match self.reviews.iter_mut().find(same) {
            Some(known) => known.note = review.note,
            None => self.reviews.push(review),
        }
    }

    /// Is this what waits for a person, about this attempt?
    pub(crate) fn asks(&self, reason: ReviewReason, attempt: u32) -> bool {
        self.reviews.iter().any(|review| review.is(reason, attempt))
    }

    /// When a person let this pass last.
    pub(crate) fn let_pass_at(&self, reason: ReviewReason, attempt: u32) -> Option<Timestamp> {
        let passed = self.let_pass.iter().filter(|review| review.is(reason, attempt));
        passed.map(|review| review.since).max()
    }

    /// Takes one thing that waits for a person off.
    pub(crate) fn settle_one(&mut self, reason: ReviewReason, attempt: u32) {
        self.reviews.retain(|review| !review.is(reason, attempt));
    }

    /// Takes what waits for a person about one attempt off.
    pub(crate) fn settle_reviews_of(&mut self, attempt: u32) {
        self.reviews.retain(|review| review.attempt != Some(attempt));
    }
}

/// Counts that begin at nothing are written once they do not.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over like this")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// Is it without what is never written down?
pub(crate) fn lacks_a_part(action: &NextAction) -> bool {
    match action {
        NextAction::SubmitForm { fields, .. } => fields.expose().is_none(),
        NextAction::RunClient { session } => session.expose().is_none(),
        NextAction::Redirect { .. } | NextAction::Confirm { .. } | _ => false,
    }
}

#[cfg(test)]
mod tests;
