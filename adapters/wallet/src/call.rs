//! The calls of the provider: how each is addressed, and which can change something.

use http::Method;
use paymux_core::transport::Purpose;

/// A call. Paths stand below `/rest/v1`, except for the callback key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    /// Of one payment, or of a split.
    CreateTransaction {
        is_split: bool,
    },
    /// The same call, for a transaction that is to carry a mandate and nothing else.
    CreateCarrier,
    GetTransaction(&'a str),
    ListTransactions,
    ReserveTransaction {
        key: &'a str,
        wallet: &'a str,
    },
    ConfirmTransaction(&'a str),
    DeleteTransaction(&'a str),
    AvailableTypes(&'a str),
    GetPayment(&'a str),
    ListPayments,
    FinalizePayment(&'a str),
    DeletePayment(&'a str),
    FreezePayment(&'a str),
    PaymentPassword(&'a str),
    ResendPaymentPassword(&'a str),
    CreateAllowance,
    GetAllowance(&'a str),
    DeleteAllowance(&'a str),
    GetActiveAllowance(&'a str),
    DeleteActiveAllowance(&'a str),
    AllowanceLimit(&'a str),
    SufficientAmount(&'a str),
    Balance(&'a str),
    Statements(&'a str),
    ServerTime,
    CallbackKey,
}

impl<'a> Call<'a> {
    /// The path, segment by segment.
    pub(crate) fn path(self) -> Vec<&'a str> {
        let below = match self {
            Self::CreateTransaction { .. } | Self::CreateCarrier => vec!["transaction"],
            Self::GetTransaction(key) | Self::DeleteTransaction(key) => vec!["transaction", key],
            Self::ListTransactions => vec!["transactions"],
            Self::ReserveTransaction { key, wallet } => {
                vec!["transaction", key, "reserve", wallet]
            }
            Self::ConfirmTransaction(key) => vec!["transaction", key, "confirm"],
            Self::AvailableTypes(key) => vec!["transaction", key, "available-types"],
            Self::GetPayment(id) | Self::DeletePayment(id) => vec!["payment", id],
            Self::ListPayments => vec!["payments"],
            Self::FinalizePayment(id) => vec!["payment", id, "finalize"],
            Self::FreezePayment(id) => vec!["payment", id, "freeze"],
            Self::PaymentPassword(id) => vec!["payment", id, "password"],
            Self::ResendPaymentPassword(id) => vec!["payment", id, "password", "resend"],
            Self::CreateAllowance => vec!["allowance"],
            Self::GetAllowance(id) | Self::DeleteAllowance(id) => vec!["allowance", id],
            Self::GetActiveAllowance(wallet) | Self::DeleteActiveAllowance(wallet) => {
                vec!["allowance", "active", wallet]
            }
            Self::AllowanceLimit(wallet) => vec!["allowance", "limit", wallet],
            Self::SufficientAmount(wallet) => vec!["wallet", wallet, "sufficient-amount"],
            Self::Balance(wallet) => vec!["wallet", wallet, "balance"],
            Self::Statements(wallet) => vec!["wallet", wallet, "statements"],
            Self::ServerTime => vec!["server"],
            Self::CallbackKey => return vec!["publickey"],
        };
        ["rest", "v1"].into_iter().chain(below).collect()
    }

    pub(crate) const fn method(self) -> Method {
        match self {
            Self::CreateTransaction { .. }
            | Self::CreateCarrier
            | Self::CreateAllowance
            | Self::ResendPaymentPassword(_) => Method::POST,
            Self::ReserveTransaction { .. }
            | Self::ConfirmTransaction(_)
            | Self::FinalizePayment(_)
            | Self::FreezePayment(_)
            | Self::PaymentPassword(_) => Method::PUT,
            Self::DeleteTransaction(_)
            | Self::DeletePayment(_)
            | Self::DeleteAllowance(_)
            | Self::DeleteActiveAllowance(_) => Method::DELETE,
            Self::GetTransaction(_)
            | Self::ListTransactions
            | Self::AvailableTypes(_)
            | Self::GetPayment(_)
            | Self::ListPayments
            | Self::GetAllowance(_)
            | Self::GetActiveAllowance(_)
            | Self::AllowanceLimit(_)
            | Self::SufficientAmount(_)
            | Self::Balance(_)
            | Self::Statements(_)
            | Self::ServerTime
            | Self::CallbackKey => Method::GET,
        }
    }

    /// Here the method tells.
    pub(crate) fn purpose(self) -> Purpose {
        if self.method() == Method::GET { Purpose::Read } else { Purpose::Mutate }
    }

    /// The two that anybody may ask. The clock must be readable when signatures are refused.
    pub(crate) const fn is_public(self) -> bool {
        matches!(self, Self::ServerTime | Self::CallbackKey)
    }

    /// Does its body hold a secret, which a server could quote?
    pub(crate) const fn carries_secret(self) -> bool {
        matches!(self, Self::PaymentPassword(_))
    }

    /// Is a payer's money to move by it, or to be held? Only then can somebody decline.
    pub(crate) const fn asks_for_money(self) -> bool {
        matches!(
            self,
            Self::CreateTransaction { .. }
                | Self::ReserveTransaction { .. }
                | Self::ConfirmTransaction(_)
        )
    }

    /// Is it the one by which a payer's money is reserved? What it refuses is a decline.
    pub(crate) const fn is_reservation(self) -> bool {
        matches!(self, Self::ReserveTransaction { .. })
    }
}
