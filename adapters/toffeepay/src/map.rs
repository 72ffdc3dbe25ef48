//! Between paymux's words and the provider's. Pure.

use paymux_core::{
    Amounts, Failure, FailureKind, Money, NextAction, Part, Payment, PaymentStatus, ProviderId,
    Refund, RefundStatus, transport::fit_words,
};

use crate::{
    objects::{ProviderPayment, ProviderRefund, Reason, Session},
    status::{ProviderPaymentStatus, ProviderRefundStatus, SessionStatus},
};

mod request;

pub(crate) use request::{currencies, limit, new_session, session_list};

/// What a session and the payment below it that says most mean together.
///
/// A final session ends the payment, except that money shows: what was taken is never called
/// unpaid, and what is held or under way is not final. An unknown word of the session proves
/// nothing, whatever stands below it. The README has the table and the reasons.
pub(crate) fn status(
    session: &SessionStatus,
    payment: Option<&ProviderPaymentStatus>,
) -> PaymentStatus {
    match session {
        SessionStatus::Pending => below(payment, PaymentStatus::RequiresAction),
        SessionStatus::Paid => PaymentStatus::Succeeded,
        SessionStatus::Failed => below(payment, PaymentStatus::Failed),
        SessionStatus::Cancelled => below(payment, PaymentStatus::Cancelled),
        SessionStatus::Expired => below(payment, PaymentStatus::Expired),
        SessionStatus::Unknown(_) => PaymentStatus::Unknown,
    }
}

/// What the payment says, or `own` when it came to nothing.
fn below(payment: Option<&ProviderPaymentStatus>, own: PaymentStatus) -> PaymentStatus {
    match payment {
        None | Some(ProviderPaymentStatus::Cancelled | ProviderPaymentStatus::Failed) => own,
        Some(
            status @ (ProviderPaymentStatus::Processing
            | ProviderPaymentStatus::Authorized
            | ProviderPaymentStatus::Succeeded
            | ProviderPaymentStatus::Refunded
            | ProviderPaymentStatus::Unknown(_)),
        ) => part_status(status),
    }
}

/// What a payment below a session means by itself.
pub(crate) fn part_status(status: &ProviderPaymentStatus) -> PaymentStatus {
    match status {
        ProviderPaymentStatus::Processing => PaymentStatus::Processing,
        ProviderPaymentStatus::Authorized => PaymentStatus::Authorized,
        // Given back is read from the amounts: it was taken first.
        ProviderPaymentStatus::Succeeded | ProviderPaymentStatus::Refunded => {
            PaymentStatus::Succeeded
        }
        ProviderPaymentStatus::Cancelled => PaymentStatus::Cancelled,
        ProviderPaymentStatus::Failed => PaymentStatus::Failed,
        ProviderPaymentStatus::Unknown(_) => PaymentStatus::Unknown,
    }
}

/// What a refund's state means.
pub(crate) fn refund_status(status: &ProviderRefundStatus) -> RefundStatus {
    match status {
        ProviderRefundStatus::Pending => RefundStatus::Processing,
        ProviderRefundStatus::Succeeded => RefundStatus::Succeeded,
        ProviderRefundStatus::Failed => RefundStatus::Failed,
        ProviderRefundStatus::Cancelled => RefundStatus::Cancelled,
        ProviderRefundStatus::Unknown(_) => RefundStatus::Unknown,
    }
}

/// How much a payment says about the money: of several below one session, the highest decides.
fn weight(status: &ProviderPaymentStatus) -> u8 {
    match status {
        ProviderPaymentStatus::Cancelled | ProviderPaymentStatus::Failed => 0,
        ProviderPaymentStatus::Unknown(_) => 1,
        ProviderPaymentStatus::Processing => 2,
        ProviderPaymentStatus::Authorized => 3,
        ProviderPaymentStatus::Succeeded | ProviderPaymentStatus::Refunded => 4,
    }
}

/// Was money taken by it?
pub(crate) fn took_money(payment: &ProviderPayment) -> bool {
    part_status(&payment.status) == PaymentStatus::Succeeded
}

/// Has it failed or been cancelled? Then another may be the one that matters.
pub(crate) fn came_to_nothing(payment: &ProviderPayment) -> bool {
    weight(&payment.status) == 0
}

/// A session and the payments below it that were read, oldest first.
pub(crate) fn payment(
    provider: &ProviderId,
    session: &Session,
    payments: &[ProviderPayment],
) -> Payment {
    let deciding = payments.iter().max_by_key(|payment| weight(&payment.status));
    let status = status(&session.status, deciding.map(|payment| &payment.status));
    let mut payment =
        Payment::new(provider.clone(), session.id.clone(), status, session.status.as_str());
    payment.parts = payments.iter().map(part).collect();
    payment.amounts = amounts(session, &payment.parts);
    payment.failure = failure(session, status, &payment.parts);
    if status == PaymentStatus::RequiresAction {
        payment.next_action = session.url.clone().map(|url| NextAction::Redirect { url });
    }
    payment
}

fn amounts(session: &Session, parts: &[Part]) -> Amounts {
    let requested = session.item.as_ref().and_then(|item| item.price);
    let sum = |amount: fn(&Amounts) -> Option<Money>| {
        let mut stated = parts.iter().filter_map(|part| amount(&part.amounts));
        let first = stated.next()?;
        stated.try_fold(first, Money::checked_add)
    };
    Amounts {
        requested,
        // The charged total is derived from the specification: price and tax.
        payable: requested.zip(session.tax).and_then(|(price, tax)| price.checked_add(tax)),
        authorized: sum(|amounts| amounts.authorized),
        captured: sum(|amounts| amounts.captured),
        refunded: sum(|amounts| amounts.refunded),
        charged_back: None,
        given_back_unstated: parts.iter().any(|part| part.amounts.given_back_unstated),
    }
}

/// The last failure, as long as the payment has not been paid all the same.
fn failure(session: &Session, status: PaymentStatus, parts: &[Part]) -> Option<Failure> {
    if status == PaymentStatus::Succeeded {
        return None;
    }
    let last = parts.iter().rev().find_map(|part| part.failure.clone());
    let unnamed = || Failure::new(FailureKind::Unknown);
    last.or_else(|| (session.status == SessionStatus::Failed).then(unnamed))
}

fn part(payment: &ProviderPayment) -> Part {
    let status = part_status(&payment.status);
    let mut part = Part::new(payment.id.clone(), status, payment.status.as_str());
    match &payment.status {
        ProviderPaymentStatus::Authorized => part.amounts.authorized = payment.amount,
        ProviderPaymentStatus::Succeeded => part.amounts.captured = payment.amount,
        ProviderPaymentStatus::Refunded => {
            part.amounts.captured = payment.amount;
            part.amounts.refunded = payment.amount;
            part.amounts.given_back_unstated = payment.amount.is_none();
        }
        ProviderPaymentStatus::Failed => {
            part.failure = Some(payment_failure(payment.error.as_ref()));
        }
        ProviderPaymentStatus::Processing
        | ProviderPaymentStatus::Cancelled
        | ProviderPaymentStatus::Unknown(_) => {}
    }
    part
}

/// The specification documents one code; the others are kept and not interpreted.
fn payment_failure(reason: Option<&Reason>) -> Failure {
    let kind = match reason.and_then(|reason| reason.code.as_deref()) {
        Some("insufficient_funds") => FailureKind::InsufficientFunds,
        Some(_) | None => FailureKind::Unknown,
    };
    with_words(kind, reason)
}

/// `insufficient_funds` is about the merchant's balance here.
fn refund_failure(reason: Option<&Reason>) -> Failure {
    let kind = match reason.and_then(|reason| reason.code.as_deref()) {
        Some("insufficient_funds") => FailureKind::MerchantBalance,
        Some("refund_not_allowed") => FailureKind::InvalidMethod,
        Some(_) | None => FailureKind::Unknown,
    };
    with_words(kind, reason)
}

fn with_words(kind: FailureKind, reason: Option<&Reason>) -> Failure {
    let fit = |words: &str| fit_words(words, &[]);
    let mut failure = Failure::new(kind);
    if let Some(reason) = reason {
        failure.code = reason.code.as_deref().map(fit);
        failure.message = reason.message.as_deref().map(fit);
    }
    failure
}

/// A refund. It is of the whole payment, whose amount it does not say.
pub(crate) fn refund(object: ProviderRefund) -> Refund {
    let status = refund_status(&object.status);
    let mut refund = Refund::new(status, object.status.as_str());
    if status == RefundStatus::Failed {
        refund.failure = Some(refund_failure(object.error.as_ref()));
    }
    refund.id = Some(object.id);
    refund.part = object.payment_id;
    refund
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair. Rows are sessions, columns the payment that says most: none, `processing`,
    /// `authorized`, `succeeded`, `cancelled`, `failed`, `refunded`, another word.
    const TABLE: &str = "
        pending    action     processing authorized succeeded action    action    succeeded unknown
        paid       succeeded  succeeded  succeeded  succeeded succeeded succeeded succeeded succeeded
        failed     failed     processing authorized succeeded failed    failed    succeeded unknown
        cancelled  cancelled  processing authorized succeeded cancelled cancelled succeeded unknown
        expired    expired    processing authorized succeeded expired   expired   succeeded unknown
        disputed   unknown    unknown    unknown    unknown   unknown   unknown   unknown   unknown
    ";
    const PAYMENTS: [&str; 7] =
        ["processing", "authorized", "succeeded", "cancelled", "failed", "refunded", "disputed"];

    fn pairs() -> Vec<(SessionStatus, Option<ProviderPaymentStatus>, &'static str)> {
        let mut pairs = Vec::new();
        for row in TABLE.lines().map(str::trim).filter(|row| !row.is_empty()) {
            let mut words = row.split_whitespace();
            let session = words.next().expect("a session").to_owned();
            let payments = std::iter::once(None).chain(PAYMENTS.map(Some));
            for (payment, wanted) in payments.zip(words) {
                let payment = payment.map(|word| ProviderPaymentStatus::from(word.to_owned()));
                pairs.push((SessionStatus::from(session.clone()), payment, wanted));
            }
        }
        pairs
    }

    #[test]
    fn every_session_with_every_payment() {
        let pairs = pairs();
        assert_eq!(pairs.len(), 48);
        for (session, payment, wanted) in pairs {
            let wanted = if wanted == "action" { "requires_action" } else { wanted };
            let status = status(&session, payment.as_ref());
            assert_eq!(status.as_str(), wanted, "{session:?} with {payment:?}");
        }
    }

    /// What the table has to keep to, whatever it says cell by cell.
    #[test]
    fn success_is_said_by_somebody_and_money_is_never_called_off() {
        use ProviderPaymentStatus::{Authorized, Processing, Refunded, Succeeded};
        for (session, payment, _) in pairs() {
            let status = status(&session, payment.as_ref());
            let said =
                session == SessionStatus::Paid || matches!(payment, Some(Succeeded | Refunded));
            assert!(status != PaymentStatus::Succeeded || said, "{session:?} {payment:?}");
            let moving = matches!(payment, Some(Processing | Authorized | Succeeded | Refunded));
            let called_off = matches!(
                status,
                PaymentStatus::Failed | PaymentStatus::Cancelled | PaymentStatus::Expired
            );
            assert!(!(moving && called_off), "{session:?} {payment:?}");
        }
    }

    /// Words that only look like documented ones prove nothing.
    #[test]
    fn words_are_read_exactly() {
        for word in ["Paid", "PAID", " paid", "canceled", "success", ""] {
            let session = SessionStatus::from(word.to_owned());
            assert_eq!(session, SessionStatus::Unknown(word.to_owned()));
            let payment = ProviderPaymentStatus::from(word.to_owned());
            assert_eq!(part_status(&payment), PaymentStatus::Unknown);
            let refund = ProviderRefundStatus::from(word.to_owned());
            assert_eq!(refund_status(&refund), RefundStatus::Unknown);
        }
    }

    fn try_of(id: &str, status: &str, cents: i128) -> ProviderPayment {
        let amount = Money::new(cents, paymux_core::Currency::USD).expect("an amount");
        let mut payment = crate::read::payment(
            serde_json::from_value(serde_json::json!({
                "id": id, "session_id": "sess_1", "status": status
            }))
            .expect("a payment"),
        )
        .expect("a payment");
        payment.amount = Some(amount);
        payment
    }

    /// Two payments for one session would be a fault of the provider's, and must show.
    #[test]
    fn money_taken_twice_is_counted_twice() {
        let session = crate::read::session(
            serde_json::from_value(serde_json::json!({ "id": "sess_1", "status": "paid" }))
                .expect("a session"),
        )
        .expect("a session");
        let provider = ProviderId::new("toffeepay").expect("an id");
        let tries = [try_of("pay_1", "succeeded", 499), try_of("pay_2", "succeeded", 499)];
        let payment = payment(&provider, &session, &tries);
        assert_eq!(payment.amounts.captured.map(Money::minor), Some(998));
        assert_eq!(payment.parts.len(), 2);
    }
}
