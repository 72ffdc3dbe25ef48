//! What MilkyPay keeps: invoices with their customers and refunds. Serialized as they are, they
//! make the snapshot; the API shows them through `public.rs` and `private.rs`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::status::Status;
use crate::amount::Amount;

/// What an invoice is for: `payment_flow` in answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Flow {
    #[default]
    Charge,
    /// A card is checked, nothing is taken.
    Verify,
}

/// Where an invoice came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    MerchantApi,
    PlatformPublicApi,
}

/// Where the payer goes, by how the payment went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct ReturnUrls {
    pub(super) success: Option<String>,
    pub(super) pending: String,
    pub(super) fail: Option<String>,
}

/// A validated request for an invoice.
#[derive(Clone, Debug)]
pub(super) struct NewInvoice {
    /// Without one, the platform makes it.
    pub(super) reference_id: Option<String>,
    pub(super) service: String,
    pub(super) amount: Amount,
    pub(super) flow: Flow,
    pub(super) source: Source,
    pub(super) test_mode: bool,
    pub(super) description: Option<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) service_fields: Map<String, Value>,
    pub(super) gateway_options: Map<String, Value>,
    pub(super) customer: Option<Map<String, Value>>,
    pub(super) return_url: Option<String>,
    pub(super) return_urls: Option<ReturnUrls>,
    pub(super) callback_url: Option<String>,
    pub(super) expires: Option<Timestamp>,
}

/// The page behind `flow_data`, and what leads there.
#[derive(Clone, Debug, Serialize)]
pub(super) struct GateSession {
    pub(super) sid: String,
    pub(super) token: String,
    pub(super) action: String,
    pub(super) method: &'static str,
    pub(super) params: Map<String, Value>,
}

/// The payment under way, which the public API shows beside the invoice.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ActivePayment {
    pub(super) status: &'static str,
    pub(super) resolution: String,
}

/// One refund of an invoice.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Refund {
    pub(super) reference_id: String,
    pub(super) amount: Amount,
    pub(super) description: Option<String>,
    /// `pending`, `succeeded` or `failed`.
    pub(super) state: &'static str,
    pub(super) created: Timestamp,
}

#[derive(Clone, Debug, Serialize)]
pub(super) struct Invoice {
    pub(super) id: String,
    pub(super) reference_id: String,
    pub(super) status: Status,
    pub(super) resolution: String,
    pub(super) moderation_required: bool,
    pub(super) test_mode: bool,
    pub(super) flow: Flow,
    pub(super) source: Source,
    pub(super) service: String,
    pub(super) method: String,
    pub(super) service_flow: String,
    pub(super) currency: String,
    /// What was asked for.
    pub(super) amount: Amount,
    /// What the payer must pay.
    pub(super) payment_amount: Amount,
    pub(super) fee: Amount,
    /// What the merchant gets.
    pub(super) deposit: Amount,
    pub(super) processed: Option<Timestamp>,
    pub(super) processed_amount: Option<Amount>,
    pub(super) processed_fee: Option<Amount>,
    pub(super) processed_deposit: Option<Amount>,
    pub(super) refunded: Option<Timestamp>,
    pub(super) refunded_amount: Option<Amount>,
    pub(super) charged_back_amount: Option<Amount>,
    pub(super) failed: Option<Timestamp>,
    pub(super) reserved_amount: Option<Amount>,
    pub(super) reserve_expires: Option<Timestamp>,
    pub(super) description: Option<String>,
    pub(super) metadata: Map<String, Value>,
    pub(super) service_fields: Map<String, Value>,
    pub(super) gateway_options: Map<String, Value>,
    pub(super) customer: Option<Map<String, Value>>,
    pub(super) customer_id: Option<String>,
    pub(super) return_url: Option<String>,
    pub(super) return_urls: Option<ReturnUrls>,
    pub(super) callback_url: Option<String>,
    pub(super) gate: GateSession,
    pub(super) active_payment: ActivePayment,
    /// The payer has given what the provider needs.
    pub(super) has_payer: bool,
    /// Its time passed with a part paid: the rest can no longer follow.
    pub(super) closed: bool,
    /// Attempts that were declined.
    pub(super) declined: u32,
    pub(super) refunds: Vec<Refund>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) expires: Timestamp,
}

impl Invoice {
    /// A payer can still pay, or pay the rest.
    pub(super) fn is_payable(&self) -> bool {
        self.status.is_payable() && !self.closed
    }

    /// What is still to be paid.
    pub(super) fn open_amount(&self) -> Amount {
        match self.processed_amount {
            Some(paid) => self.payment_amount.minus(paid),
            None => self.payment_amount,
        }
    }

    /// Where the payer goes from here. URLs by outcome outrank the common one.
    pub(super) fn return_address(&self) -> Option<&str> {
        let own = self.return_urls.as_ref().map(|urls| {
            let wanted = if matches!(self.status, Status::Processed | Status::Verified) {
                urls.success.as_deref()
            } else if self.status.is_failed() {
                urls.fail.as_deref()
            } else {
                None
            };
            wanted.unwrap_or(&urls.pending)
        });
        own.or(self.return_url.as_deref())
    }
}
