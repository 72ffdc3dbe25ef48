//! The provider's words for states. A word that nobody documented is kept as it came.

use serde::Serialize;

/// The state of a transaction. The specification shows `confirmed` alone; the others are from the
/// provider's reference pages and its official client.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum TransactionStatus {
    /// Made; nobody accepted it yet.
    New,
    /// Accepted by the payer, the money is held; it waits for our confirmation.
    Waiting,
    /// Accepted, and money is missing.
    WaitingFunds,
    /// Accepted, and a beneficiary has to register first.
    WaitingRegistration,
    /// Accepted, and somebody has to give the payment's password.
    WaitingPassword,
    /// The older word for [`Self::Waiting`], and the state after a reservation.
    Reserved,
    /// Confirmed by us. How far its payments are, each says for itself.
    Confirmed,
    /// Refused by the payer.
    Rejected,
    /// Taken back by us before it was confirmed, or let go when its time ran out.
    Revoked,
    /// Failed for another reason.
    Failed,
    /// Deleted while new: by us, or after a month.
    Deleted,
    /// Another word.
    Unknown(String),
}

impl TransactionStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "new",
            Self::Waiting => "waiting",
            Self::WaitingFunds => "waiting_funds",
            Self::WaitingRegistration => "waiting_registration",
            Self::WaitingPassword => "waiting_password",
            Self::Reserved => "reserved",
            Self::Confirmed => "confirmed",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Failed => "failed",
            Self::Deleted => "deleted",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for TransactionStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "new" => Self::New,
            "waiting" => Self::Waiting,
            "waiting_funds" => Self::WaitingFunds,
            "waiting_registration" => Self::WaitingRegistration,
            "waiting_password" => Self::WaitingPassword,
            "reserved" => Self::Reserved,
            "confirmed" => Self::Confirmed,
            "rejected" => Self::Rejected,
            "revoked" => Self::Revoked,
            "failed" => Self::Failed,
            "deleted" => Self::Deleted,
            _ => Self::Unknown(word),
        }
    }
}

impl From<TransactionStatus> for String {
    fn from(status: TransactionStatus) -> Self {
        status.as_str().to_owned()
    }
}

/// The state of a payment of a transaction. Source: the specification, Payment Status (`new` to
/// `failed`); the others are from the official client and the reference pages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum ProviderPaymentStatus {
    /// Made.
    New,
    /// Accepted by the payer; held, and not to be seen by the beneficiary.
    Waiting,
    /// Confirmed: moved, or frozen. Before the transaction is confirmed, the older word for
    /// [`Self::Waiting`].
    Reserved,
    /// Moved for good.
    Done,
    /// Let go, or given back.
    Canceled,
    /// Failed; nothing is held.
    Failed,
    /// The older word for [`Self::Reserved`] in a confirmed transaction.
    Confirmed,
    /// Accepted, and money is missing.
    WaitingFunds,
    /// Accepted, and the beneficiary has to register first.
    WaitingRegistration,
    /// Accepted, and somebody has to give its password.
    WaitingPassword,
    /// Refused by the payer.
    Rejected,
    /// Taken back before it was confirmed.
    Revoked,
    /// Deleted while new.
    Deleted,
    /// Another word.
    Unknown(String),
}

impl ProviderPaymentStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "new",
            Self::Waiting => "waiting",
            Self::Reserved => "reserved",
            Self::Done => "done",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
            Self::Confirmed => "confirmed",
            Self::WaitingFunds => "waiting_funds",
            Self::WaitingRegistration => "waiting_registration",
            Self::WaitingPassword => "waiting_password",
            Self::Rejected => "rejected",
            Self::Revoked => "revoked",
            Self::Deleted => "deleted",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for ProviderPaymentStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "new" => Self::New,
            "waiting" => Self::Waiting,
            "reserved" => Self::Reserved,
            "done" => Self::Done,
            "canceled" => Self::Canceled,
            "failed" => Self::Failed,
            "confirmed" => Self::Confirmed,
            "waiting_funds" => Self::WaitingFunds,
            "waiting_registration" => Self::WaitingRegistration,
            "waiting_password" => Self::WaitingPassword,
            "rejected" => Self::Rejected,
            "revoked" => Self::Revoked,
            "deleted" => Self::Deleted,
            _ => Self::Unknown(word),
        }
    }
}

impl From<ProviderPaymentStatus> for String {
    fn from(status: ProviderPaymentStatus) -> Self {
        status.as_str().to_owned()
    }
}

/// The state of an allowance. Source: the official client; the newer guide shows none, and what
/// its times say is read in its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "String")]
pub enum AllowanceStatus {
    /// Made; its transaction is not confirmed yet.
    New,
    /// Can be charged under.
    Active,
    /// Canceled by either side, replaced, used up, or over.
    Inactive,
    /// Deleted while new, after a month.
    Deleted,
    /// Another word.
    Unknown(String),
}

impl AllowanceStatus {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "new",
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Deleted => "deleted",
            Self::Unknown(word) => word,
        }
    }
}

impl From<String> for AllowanceStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "new" => Self::New,
            "active" => Self::Active,
            "inactive" => Self::Inactive,
            "deleted" => Self::Deleted,
            _ => Self::Unknown(word),
        }
    }
}

impl From<AllowanceStatus> for String {
    fn from(status: AllowanceStatus) -> Self {
        status.as_str().to_owned()
    }
}
