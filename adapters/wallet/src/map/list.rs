//! Lists: what is asked for, and what of the answer was really meant.

use paymux_core::{
    Effect, Error, ErrorKind, ListPayments, Operation, Payment, PaymentStatus, Result, Timestamp,
};

use crate::{objects::Transaction, status::TransactionStatus};

/// The largest page. Source: the provider's reference pages.
const MAX_LIMIT: u32 = 200;

/// A list that can be asked for.
#[derive(Debug)]
pub(crate) struct ListQuery {
    pub(crate) pairs: Vec<(&'static str, String)>,
    pub(crate) offset: u64,
    pub(crate) limit: u32,
    status: Option<PaymentStatus>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

impl ListQuery {
    /// The query of a list; filters that the provider lacks are refused.
    pub(crate) fn new(query: &ListPayments) -> Result<Self> {
        if query.customer.is_some() {
            return Err(lacking("customer", "the provider cannot list by the merchant's customer"));
        }
        let limit = limit(query.limit)?;
        let offset = query.cursor.as_ref().map_or(Ok(0), |cursor| offset(cursor.as_str()))?;
        let mut pairs = Vec::new();
        if let Some(status) = query.status {
            let words: Vec<&str> = words(status)?.iter().map(TransactionStatus::as_str).collect();
            pairs.push(("status", words.join(",")));
        }
        // Whole seconds, so that nothing is left out; what is too much is taken out later.
        for (name, moment) in [("from", query.created_from), ("to", query.created_to)] {
            if let Some(moment) = moment {
                let up = i64::from(name == "to" && moment.as_millis().rem_euclid(1000) > 0);
                pairs.push((name, moment.as_seconds().saturating_add(up).to_string()));
            }
        }
        pairs.push(("limit", limit.to_string()));
        pairs.push(("offset", offset.to_string()));
        let (status, from, to) = (query.status, query.created_from, query.created_to);
        Ok(Self { pairs, offset, limit, status, from, to })
    }

    /// Is the row among those meant? One word of the provider's can stand for several of ours, and
    /// nobody says whether its span includes its ends.
    pub(crate) fn means(&self, transaction: &Transaction, payment: &Payment) -> bool {
        let created = transaction.created_at;
        self.status.is_none_or(|status| status == payment.status)
            && self.from.is_none_or(|from| created.is_none_or(|created| created >= from))
            && self.to.is_none_or(|to| created.is_none_or(|created| created < to))
    }
}

fn lacking(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Effect::None, message)
        .with_field(field)
        .with_operation(Operation::ListPayments)
}

/// The provider's words behind which a status of ours can stand.
fn words(status: PaymentStatus) -> Result<&'static [TransactionStatus]> {
    use TransactionStatus::{
        Confirmed, Deleted, Failed, New, Rejected, Reserved, Revoked, Waiting, WaitingFunds,
        WaitingPassword, WaitingRegistration,
    };
    match status {
        PaymentStatus::RequiresAction => Ok(&[New, WaitingPassword, Confirmed]),
        PaymentStatus::RequiresConfirmation => Ok(&[Waiting, Reserved]),
        PaymentStatus::Processing => Ok(&[WaitingFunds, WaitingRegistration, Confirmed]),
        PaymentStatus::Authorized | PaymentStatus::Succeeded => Ok(&[Confirmed]),
        PaymentStatus::Cancelled => Ok(&[Rejected, Revoked, Deleted, Confirmed]),
        PaymentStatus::Failed => Ok(&[Failed, Confirmed]),
        PaymentStatus::PartiallyPaid | PaymentStatus::Expired | PaymentStatus::Unknown => {
            Err(lacking("status", "the provider cannot list by this status"))
        }
    }
}

/// A page that the provider gives.
pub(crate) fn limit(limit: u32) -> Result<u32> {
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid_request("limit", format!("must be 1 to {MAX_LIMIT}")))
}

/// Our cursors are offsets, written without sign or leading zeros.
fn offset(cursor: &str) -> Result<u64> {
    match cursor.parse::<u32>() {
        Ok(offset) if offset.to_string() == cursor => Ok(u64::from(offset)),
        Ok(_) | Err(_) => {
            Err(Error::invalid_request("cursor", "must be one that a page of this list named"))
        }
    }
}
