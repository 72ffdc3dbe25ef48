//! Resolutions: why an invoice is in its state. The list is open, so a code that nobody documented
//! is kept and not interpreted.

use paymux_core::{Failure, FailureKind, transport::fit_words};

use super::Invoice;

/// Without case: the public API writes capitals.
fn word(invoice: &Invoice) -> Option<String> {
    invoice.resolution.as_deref().map(str::to_ascii_lowercase)
}

/// Nothing is wrong. `forced_captured` is an invoice that a person closed.
pub(super) fn is_fine(invoice: &Invoice) -> bool {
    matches!(word(invoice).as_deref(), None | Some("ok" | "forced_captured"))
}

/// The payer has to confirm.
pub(super) fn asks_the_payer(invoice: &Invoice) -> bool {
    matches!(word(invoice).as_deref(), Some("auth_3ds_required" | "auth_otp_required"))
}

/// The invoice did not fail: nobody paid it in time.
pub(super) fn ran_out_of_time(invoice: &Invoice) -> bool {
    matches!(word(invoice).as_deref(), Some("expired" | "transaction_expired"))
}

/// The failure that the resolution stands for, if it stands for one.
pub(super) fn failure(invoice: &Invoice) -> Option<Failure> {
    if is_fine(invoice) || asks_the_payer(invoice) {
        return None;
    }
    let code = word(invoice)?;
    let mut failure = Failure::new(kind(&code));
    failure.code = Some(fit_words(&code, &[]));
    Some(failure)
}

/// The class of a code. Sources: the provider's page of statuses and the platform's page of test
/// cards; the classes are ours.
fn kind(code: &str) -> FailureKind {
    match code {
        "antifraud_error" | "customer_blocked" => FailureKind::Fraud,
        "card_lost" | "card_stolen" | "lost_or_stolen_card" | "fatal_decline" => {
            FailureKind::DeclinedHard
        }
        "insufficient_funds" => FailureKind::InsufficientFunds,
        "limit_violation" | "card_usage_limit_violation" | "card_usage_issuer_limit_violation" => {
            FailureKind::LimitExceeded
        }
        "card_expired"
        | "invalid_card"
        | "invalid_card_type"
        | "invalid_card_status"
        | "invalid_cardholder"
        | "invalid_cvv"
        | "invalid_pan"
        | "invalid_pin"
        | "invalid_expire_date"
        | "fatal_invalid_card"
        | "card_blocked_by_invalid_pin"
        | "card_restricted"
        | "card_restricted_by_acquirer"
        | "card_type_not_supported" => FailureKind::InvalidMethod,
        "auth_fatal_error"
        | "client_auth_failed"
        | "card_verification_failed"
        | "card_3ds_enrolled"
        | "card_not_3ds_enrolled"
        | "card_is_3ds_enrolled"
        | "card_is_not_3ds_enrolled"
        | "unable_to_determine_3ds_enrolment"
        | "invalid_3ds_code"
        | "invalid_otp"
        | "invalid_otp_code" => FailureKind::Authentication,
        "declined"
        | "issuer_decline"
        | "general_decline"
        | "functionality_is_not_permitted"
        | "access_denied" => FailureKind::Declined,
        "invalid_request"
        | "invalid_details"
        | "invalid_amount"
        | "invalid_credentials"
        | "amount_conversion_error"
        | "error"
        | "fatal_error"
        | "general_fatal_error"
        | "provider_error"
        | "provider_fatal_error" => FailureKind::ProviderFault,
        // `fatal_timeout`, `unable_to_reconcile`, `duplicated_transaction` and `unknown` leave open
        // what happened behind the platform, so they invite nobody to try elsewhere.
        _ => FailureKind::Unknown,
    }
}
