//! States of payments and invoices, what may follow what, and the words for them.

use serde::{Deserialize, Serialize};

/// What has become of a payment. No list of words is published; these are the states that any
/// word stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Status {
    Pending,
    Processing,
    /// The gateway holds the money and has not taken it.
    Authorized,
    Succeeded,
    Failed,
    Canceled,
    Expired,
    PartiallyRefunded,
    Refunded,
}

impl Status {
    pub(super) const ALL: [(Status, &'static str); 9] = [
        (Status::Pending, "pending"),
        (Status::Processing, "processing"),
        (Status::Authorized, "authorized"),
        (Status::Succeeded, "succeeded"),
        (Status::Failed, "failed"),
        (Status::Canceled, "canceled"),
        (Status::Expired, "expired"),
        (Status::PartiallyRefunded, "partially_refunded"),
        (Status::Refunded, "refunded"),
    ];

    /// The sandbox's own word, in names of events.
    pub(super) fn name(self) -> &'static str {
        let known = Status::ALL.into_iter().find(|(status, _)| *status == self);
        known.map_or("", |(_, name)| name)
    }

    /// A payment goes forward only, and what is final stays, except that money is given back.
    pub(super) fn may_become(self, next: Status) -> bool {
        match self {
            Status::Pending => {
                !matches!(next, Status::Pending | Status::PartiallyRefunded | Status::Refunded)
            }
            Status::Processing => matches!(
                next,
                Status::Authorized
                    | Status::Succeeded
                    | Status::Failed
                    | Status::Canceled
                    | Status::Expired
            ),
            Status::Authorized => matches!(
                next,
                Status::Succeeded | Status::Failed | Status::Canceled | Status::Expired
            ),
            Status::Succeeded | Status::PartiallyRefunded => {
                matches!(next, Status::PartiallyRefunded | Status::Refunded)
            }
            Status::Failed | Status::Canceled | Status::Expired | Status::Refunded => false,
        }
    }

    /// Nobody has to do anything any more.
    pub(super) fn is_final(self) -> bool {
        match self {
            Status::Pending | Status::Processing | Status::Authorized => false,
            Status::Succeeded
            | Status::Failed
            | Status::Canceled
            | Status::Expired
            | Status::PartiallyRefunded
            | Status::Refunded => true,
        }
    }

    /// The invoice was paid, whatever was given back since.
    pub(super) fn is_paid(self) -> bool {
        matches!(self, Status::Succeeded | Status::PartiallyRefunded | Status::Refunded)
    }

    /// Money is on its way.
    pub(super) fn is_under_way(self) -> bool {
        matches!(self, Status::Processing | Status::Authorized)
    }
}

/// What answers and webhooks call the states. `PENDING`, `SUCCESS` and `FAILED` were seen on
/// sibling operations of the provider; the others are assumed in its style.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatusWords {
    /// Exists, nothing paid.
    pub pending: String,
    /// Under way.
    pub processing: String,
    /// Held, not taken.
    pub authorized: String,
    /// Paid.
    pub succeeded: String,
    /// Not paid, and never by this payment.
    pub failed: String,
    /// Called off.
    pub canceled: String,
    /// Its time is over.
    pub expired: String,
    /// A part was given back.
    pub partially_refunded: String,
    /// All was given back.
    pub refunded: String,
}

impl Default for StatusWords {
    fn default() -> Self {
        StatusWords {
            pending: "PENDING".to_owned(),
            processing: "PROCESSING".to_owned(),
            authorized: "AUTHORIZED".to_owned(),
            succeeded: "SUCCESS".to_owned(),
            failed: "FAILED".to_owned(),
            canceled: "CANCELLED".to_owned(),
            expired: "EXPIRED".to_owned(),
            partially_refunded: "PARTIALLY_REFUNDED".to_owned(),
            refunded: "REFUNDED".to_owned(),
        }
    }
}

impl StatusWords {
    pub(super) fn of(&self, status: Status) -> &str {
        match status {
            Status::Pending => &self.pending,
            Status::Processing => &self.processing,
            Status::Authorized => &self.authorized,
            Status::Succeeded => &self.succeeded,
            Status::Failed => &self.failed,
            Status::Canceled => &self.canceled,
            Status::Expired => &self.expired,
            Status::PartiallyRefunded => &self.partially_refunded,
            Status::Refunded => &self.refunded,
        }
    }
}
