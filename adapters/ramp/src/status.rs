//! The provider's words for the state of a payment. Nobody publishes a list, so the table is closed
//! and defensive: whole words alone, and every other one is kept and means nothing.

use std::collections::BTreeMap;

/// What a word means. Closed on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatusMeaning {
    /// It exists, and nothing is paid: a platform payment waits for our confirmation.
    Pending,
    /// It waits, and the word does not say for whom: for our confirmation, or for a debit that is
    /// under way. So it never asks for one.
    Waiting,
    /// The payer has to do something.
    RequiresAction,
    /// It is under way. Also what sounds final and could mean "confirmed by the payer".
    Processing,
    /// The money is held and not taken.
    Authorized,
    /// Some of the money came.
    PartiallyPaid,
    /// Paid.
    Succeeded,
    /// It failed; the invoice can be paid by another payment.
    Failed,
    /// It was called off.
    Cancelled,
    /// Its time ran out.
    Expired,
    /// Paid, and given back.
    Refunded,
    /// Paid, and partly given back.
    PartiallyRefunded,
    /// A word that is in no table, or none at all.
    Unknown,
}

/// Words that an account knows beside, or otherwise than, the table; by their normalized form.
pub(crate) type Words = BTreeMap<String, StatusMeaning>;

/// A word in the one form that the table has: without space around, in capitals, with `_` between.
pub(crate) fn normalized(word: &str) -> String {
    let mut form = String::new();
    let mut in_gap = false;
    for sign in word.trim().chars() {
        let is_gap = matches!(sign, ' ' | '-' | '.');
        if !is_gap {
            form.push(sign.to_ascii_uppercase());
        } else if !in_gap {
            form.push('_');
        }
        in_gap = is_gap;
    }
    form
}

/// What a word means, by the account's own words first. Source: contract table of words seen at
/// sibling calls of this provider and at the gateway behind it; the rest is assumed.
pub(crate) fn meaning(word: &str, own: &Words) -> StatusMeaning {
    let form = normalized(word);
    own.get(&form).copied().unwrap_or_else(|| known(&form))
}

/// The same, of a word that may be missing.
pub(crate) fn meaning_of(word: Option<&str>, own: &Words) -> StatusMeaning {
    word.map_or(StatusMeaning::Unknown, |word| meaning(word, own))
}

/// What a word proves that answers a call by which something was to happen. One that can be about
/// what went wrong with the call proves nothing of the payment, whose money may yet move. An
/// account's own word means what the account says.
pub(crate) fn believed(word: &str, own: &Words) -> StatusMeaning {
    let form = normalized(word);
    let is_in_doubt =
        !own.contains_key(&form) && matches!(form.as_str(), "ERROR" | "TIMEOUT" | "TIMED_OUT");
    if is_in_doubt { StatusMeaning::Unknown } else { meaning(word, own) }
}

fn known(form: &str) -> StatusMeaning {
    match form {
        "INIT" | "INITIATED" | "NEW" | "CREATED" | "DRAFT" | "OPEN" | "UNPAID" | "PENDING" => {
            StatusMeaning::Pending
        }
        "WAITING" | "AWAITING_PAYMENT" | "PAYMENT_PENDING" | "REQUESTED"
        // A check of a card: no money moved.
        | "CARD_VERIFIED" => StatusMeaning::Waiting,
        "DATA_COLLECTION" | "ACTION_REQUIRED" | "REQUIRES_ACTION" | "AUTHENTICATION_REQUESTED"
        | "WAITING_FOR_USER" => StatusMeaning::RequiresAction,
        "PROCESSING" | "IN_PROGRESS" | "RETRY_SCHEDULED" | "CONFIRMED" | "SUBMITTED"
        | "ACCEPTED" | "PAYMENT_RECEIVED" => StatusMeaning::Processing,
        "AUTHORIZED" | "AUTHORISED" | "APPROVED" => StatusMeaning::Authorized,
        "PARTIALLY_CAPTURED" | "PARTIALLY_PAID" => StatusMeaning::PartiallyPaid,
        "SUCCESS" | "SUCCEEDED" | "SUCCESSFUL" | "PAID" | "COMPLETED" | "COMPLETE" | "CAPTURED"
        | "SETTLED" => StatusMeaning::Succeeded,
        "FAILED" | "FAILURE" | "INVOICE_FAILED" | "ERROR" | "DECLINED" | "REJECTED" => {
            StatusMeaning::Failed
        }
        "CANCELLED" | "CANCELED" | "VOIDED" | "VOID" => StatusMeaning::Cancelled,
        "EXPIRED" | "TIMEOUT" | "TIMED_OUT" | "OVERDUE" => StatusMeaning::Expired,
        "REFUNDED" | "REVERSED" => StatusMeaning::Refunded,
        "PARTIALLY_REFUNDED" => StatusMeaning::PartiallyRefunded,
        _ => StatusMeaning::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_whole_in_any_spelling() {
        let own = Words::new();
        for word in ["SUCCESS", " success ", "Succeeded", "paid"] {
            assert_eq!(meaning(word, &own), StatusMeaning::Succeeded, "{word}");
        }
        for word in ["Retry Scheduled", "retry-scheduled", "RETRY. .SCHEDULED", "RETRY_SCHEDULED"] {
            assert_eq!(meaning(word, &own), StatusMeaning::Processing, "{word}");
        }
        let look_alikes = [
            "",
            " ",
            "UNSUCCESSFUL",
            "NOT_PAID",
            "SUCCESS_PENDING",
            "SUCCESS!",
            "PAID_",
            "_PAID",
            "SUCCESS\u{a0}X",
            "ſuccess",
            "PAID__OUT",
            "null",
        ];
        for word in look_alikes {
            assert_eq!(meaning(word, &own), StatusMeaning::Unknown, "{word:?}");
        }
    }

    #[test]
    fn an_account_can_know_more() {
        let own = Words::from([("PAID_OUT".to_owned(), StatusMeaning::Succeeded)]);
        assert_eq!(meaning("paid out", &own), StatusMeaning::Succeeded);
        assert_eq!(meaning("paid in", &own), StatusMeaning::Unknown);
    }
}
