//! The calls of the API: what is called by which method and path.

use http::{HeaderMap, Method};

use super::access::Caller;
use crate::fault::names;

pub(super) const CREATE_TOKEN: &str = "CreateToken";
pub(super) const REVOKE_TOKEN: &str = "RevokeToken";
pub(super) const GET_PUBLIC_KEY: &str = "GetPublicKey";

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    GetServer,
    CreateTransaction,
    GetTransaction,
    ConfirmTransaction,
    RevokeTransaction,
    ReserveTransactionWithWallet,
    ReserveTransaction,
    SendFlash,
    GetAvailableTypes,
    GetTypesForWallet,
    GetInquiredInformation,
    RequestTransaction,
    ListTransactions,
    CreatePayment,
    GetPayment,
    FinalizePayment,
    CancelPayment,
    ChangeFreeze,
    ProvidePassword,
    ResendPassword,
    ListPaymentIds,
    ListPayments,
    CreateAllowance,
    GetAllowance,
    CancelAllowance,
    GetActiveAllowance,
    CancelActiveAllowance,
    GetAllowanceLimit,
    CheckSufficientAmount,
    GetBalance,
    ListStatements,
    ListPendingPayments,
    CancelPendingPayment,
}

/// A call as it came in.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) operation: Operation,
    /// What the path names: a key or id, and sometimes a wallet or another id.
    pub(super) ids: [&'a str; 2],
    pub(super) query: &'a [(String, String)],
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    pub(super) caller: Caller,
    /// The pairs of the signature's `ext`.
    pub(super) ext: Vec<(String, String)>,
}

impl Operation {
    const ALL: [(Operation, &'static str); 33] = [
        (Operation::GetServer, "GetServer"),
        (Operation::CreateTransaction, "CreateTransaction"),
        (Operation::GetTransaction, "GetTransaction"),
        (Operation::ConfirmTransaction, "ConfirmTransaction"),
        (Operation::RevokeTransaction, "RevokeTransaction"),
        (Operation::ReserveTransactionWithWallet, "ReserveTransactionWithWallet"),
        (Operation::ReserveTransaction, "ReserveTransaction"),
        (Operation::SendFlash, "SendFlash"),
        (Operation::GetAvailableTypes, "GetAvailableTypes"),
        (Operation::GetTypesForWallet, "GetTypesForWallet"),
        (Operation::GetInquiredInformation, "GetInquiredInformation"),
        (Operation::RequestTransaction, "RequestTransaction"),
        (Operation::ListTransactions, "ListTransactions"),
        (Operation::CreatePayment, "CreatePayment"),
        (Operation::GetPayment, "GetPayment"),
        (Operation::FinalizePayment, "FinalizePayment"),
        (Operation::CancelPayment, "CancelPayment"),
        (Operation::ChangeFreeze, "ChangeFreeze"),
        (Operation::ProvidePassword, "ProvidePassword"),
        (Operation::ResendPassword, "ResendPassword"),
        (Operation::ListPaymentIds, "ListPaymentIds"),
        (Operation::ListPayments, "ListPayments"),
        (Operation::CreateAllowance, "CreateAllowance"),
        (Operation::GetAllowance, "GetAllowance"),
        (Operation::CancelAllowance, "CancelAllowance"),
        (Operation::GetActiveAllowance, "GetActiveAllowance"),
        (Operation::CancelActiveAllowance, "CancelActiveAllowance"),
        (Operation::GetAllowanceLimit, "GetAllowanceLimit"),
        (Operation::CheckSufficientAmount, "CheckSufficientAmount"),
        (Operation::GetBalance, "GetBalance"),
        (Operation::ListStatements, "ListStatements"),
        (Operation::ListPendingPayments, "ListPendingPayments"),
        (Operation::CancelPendingPayment, "CancelPendingPayment"),
    ];

    /// The names of all, and of what is asked outside the API: its tokens and its key.
    pub(super) const NAMES: [&'static str; 36] =
        names(&Operation::ALL, &[CREATE_TOKEN, REVOKE_TOKEN, GET_PUBLIC_KEY]);

    /// Finds the call behind a method and a path below `/rest/v1/`, with what the path names.
    pub(super) fn find<'a>(method: &Method, path: &'a str) -> Option<(Operation, [&'a str; 2])> {
        let parts: Vec<&str> = path.split('/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            return None;
        }
        let found = match (method.as_str(), parts.as_slice()) {
            ("GET", ["server"]) => (Operation::GetServer, ["", ""]),
            (_, ["transaction" | "transactions", ..]) => return transaction_call(method, &parts),
            (_, ["payment" | "payments", ..]) => return payment_call(method, &parts),
            ("POST", ["allowance"]) => (Operation::CreateAllowance, ["", ""]),
            ("GET", ["allowance", "active", wallet]) => {
                (Operation::GetActiveAllowance, [*wallet, ""])
            }
            ("DELETE", ["allowance", "active", wallet]) => {
                (Operation::CancelActiveAllowance, [*wallet, ""])
            }
            ("GET", ["allowance", "limit", wallet]) => {
                (Operation::GetAllowanceLimit, [*wallet, ""])
            }
            ("GET", ["allowance", id]) => (Operation::GetAllowance, [*id, ""]),
            ("DELETE", ["allowance", id]) => (Operation::CancelAllowance, [*id, ""]),
            ("GET", ["wallet", id, "sufficient-amount"]) => {
                (Operation::CheckSufficientAmount, [*id, ""])
            }
            ("GET", ["wallet", id, "balance"]) => (Operation::GetBalance, [*id, ""]),
            ("GET", ["wallet", id, "statements"]) => (Operation::ListStatements, [*id, ""]),
            ("GET", ["wallet", id, "pending-payments"]) => {
                (Operation::ListPendingPayments, [*id, ""])
            }
            ("DELETE", ["wallet", id, "pending-payment", payment]) => {
                (Operation::CancelPendingPayment, [*id, *payment])
            }
            _ => return None,
        };
        Some(found)
    }

    /// What faults call it.
    pub(super) fn name(self) -> &'static str {
        let known = Operation::ALL.into_iter().find(|(operation, _)| *operation == self);
        known.map_or("", |(_, name)| name)
    }

    pub(super) fn changes(self) -> bool {
        !matches!(
            self,
            Operation::GetServer
                | Operation::GetTransaction
                | Operation::GetAvailableTypes
                | Operation::GetTypesForWallet
                | Operation::GetInquiredInformation
                | Operation::ListTransactions
                | Operation::GetPayment
                | Operation::ListPaymentIds
                | Operation::ListPayments
                | Operation::GetAllowance
                | Operation::GetActiveAllowance
                | Operation::GetAllowanceLimit
                | Operation::CheckSufficientAmount
                | Operation::GetBalance
                | Operation::ListStatements
                | Operation::ListPendingPayments
        )
    }
}

fn transaction_call<'a>(method: &Method, parts: &[&'a str]) -> Option<(Operation, [&'a str; 2])> {
    let found = match (method.as_str(), parts) {
        ("POST", ["transaction"]) => (Operation::CreateTransaction, ["", ""]),
        ("GET", ["transactions"]) => (Operation::ListTransactions, ["", ""]),
        ("GET", ["transaction", key]) => (Operation::GetTransaction, [*key, ""]),
        ("DELETE", ["transaction", key]) => (Operation::RevokeTransaction, [*key, ""]),
        ("PUT", ["transaction", key, "confirm"]) => (Operation::ConfirmTransaction, [*key, ""]),
        ("PUT", ["transaction", key, "reserve"]) => (Operation::ReserveTransaction, [*key, ""]),
        ("PUT", ["transaction", key, "reserve", wallet]) => {
            (Operation::ReserveTransactionWithWallet, [*key, *wallet])
        }
        ("PUT", ["transaction", key, "flash", wallet]) => (Operation::SendFlash, [*key, *wallet]),
        ("GET", ["transaction", key, "available-types"]) => {
            (Operation::GetAvailableTypes, [*key, ""])
        }
        ("GET", ["transaction", key, "type", wallet]) => {
            (Operation::GetTypesForWallet, [*key, *wallet])
        }
        ("GET", ["transaction", key, "inquired-information"]) => {
            (Operation::GetInquiredInformation, [*key, ""])
        }
        ("POST", ["transaction", key, "request"]) => (Operation::RequestTransaction, [*key, ""]),
        _ => return None,
    };
    Some(found)
}

fn payment_call<'a>(method: &Method, parts: &[&'a str]) -> Option<(Operation, [&'a str; 2])> {
    let found = match (method.as_str(), parts) {
        ("POST", ["payment"]) => (Operation::CreatePayment, ["", ""]),
        ("GET", ["payments"]) => (Operation::ListPayments, ["", ""]),
        ("GET", ["payments", "id"]) => (Operation::ListPaymentIds, ["", ""]),
        ("GET", ["payment", id]) => (Operation::GetPayment, [*id, ""]),
        ("DELETE", ["payment", id]) => (Operation::CancelPayment, [*id, ""]),
        ("PUT", ["payment", id, "finalize"]) => (Operation::FinalizePayment, [*id, ""]),
        ("PUT", ["payment", id, "freeze"]) => (Operation::ChangeFreeze, [*id, ""]),
        ("PUT", ["payment", id, "password"]) => (Operation::ProvidePassword, [*id, ""]),
        ("POST", ["payment", id, "password", "resend"]) => (Operation::ResendPassword, [*id, ""]),
        _ => return None,
    };
    Some(found)
}
