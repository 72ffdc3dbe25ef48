//! How this provider behaves where its specification leaves a choice or is silent, which is often.

use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

pub use super::status::StatusWords;
use crate::SandboxError;

/// What a look-up of a payment that does not exist does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum UnknownPayment {
    /// 404.
    #[default]
    NotFound,
    /// It is "or create": a fresh payment with another id.
    Created,
}

/// Which payment of the invoice a creation without `paymentId` finds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reuse {
    /// An open or paid one of the same type; another type opens a second payment.
    #[default]
    OfType,
    /// An open or paid one of whatever type.
    Any,
    /// None: every call creates.
    Never,
}

/// What the session of a checkout payment is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SessionForm {
    /// A payment session for a component in the merchant's page; there is no URL to send a payer
    /// to.
    #[default]
    Flow,
    /// A hosted page, with its URL at `_links.redirect.href`.
    HostedPage,
}

/// What a checkout payment becomes when its payer approves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Approval {
    /// Paid.
    #[default]
    Succeeded,
    /// Under way, until it is confirmed or settled.
    Processing,
    /// Held, until it is confirmed or settled.
    Authorized,
}

/// What confirming a checkout or external payment does that nobody has paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConfirmUnpaid {
    /// 409.
    #[default]
    Refused,
    /// The payment is looked into, and settled or failed later.
    Processing,
    /// The merchant is believed, and the payment succeeds.
    Believed,
}

/// What confirming a platform payment again does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConfirmAgain {
    /// 409.
    #[default]
    Refused,
    /// The account is debited once more: nobody says that it is not.
    Debits,
}

/// How amounts are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AmountStyle {
    /// A JSON number, as short as it is exact: `10.5`.
    #[default]
    Number,
    /// A JSON number with all digits of the currency: `10.50`.
    Padded,
    /// A JSON string: `"10.5"`.
    Text,
}

/// How `paymentDate` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DateStyle {
    /// `1717430400000`
    #[default]
    Milliseconds,
    /// `1717430400`
    Seconds,
    /// `1717430400.000000000`, as a Java instant is written.
    FractionalSeconds,
}

/// Which webhook tells of checkout payments. The specification names one for platform and one for
/// external payments only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckoutWebhooks {
    /// The external one: a gateway is an outside system.
    #[default]
    External,
    /// The platform one.
    Platform,
    /// None: only the redirect and a look-up tell.
    Off,
}

/// Where the operations are, below the provider's base URL. The specification has no paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RampPaths {
    /// Stands before all but the token's path; may be empty.
    pub prefix: String,
    /// Create or retrieve: POST.
    pub create_or_retrieve: String,
    /// Update: PUT.
    pub update: String,
    /// Confirm: POST.
    pub confirm: String,
    /// One invoice: GET. `{invoiceId}` stands for its id.
    pub get_invoice: String,
    /// Invoices: GET.
    pub list_invoices: String,
    /// Apply a discount: PUT.
    pub apply_discount: String,
    /// Log in and refresh: POST, without the prefix.
    pub token: String,
}

impl Default for RampPaths {
    fn default() -> Self {
        RampPaths {
            prefix: "/acquiring".to_owned(),
            create_or_retrieve: "/invoice/payment".to_owned(),
            update: "/invoice/payment".to_owned(),
            confirm: "/invoice/payment/pay".to_owned(),
            get_invoice: "/invoice/{invoiceId}".to_owned(),
            list_invoices: "/invoice".to_owned(),
            apply_discount: "/invoice/payment/discount".to_owned(),
            token: "/reg/auth/token".to_owned(),
        }
    }
}

/// Settings of the provider. All can be changed while the sandbox runs. A word such as
/// "unpublished" means that no document says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RampSettings {
    /// Where the operations are.
    pub paths: RampPaths,
    /// The words of statuses.
    pub words: StatusWords,
    /// What a look-up of an unknown payment does.
    pub unknown_payment: UnknownPayment,
    /// Which payment a creation finds.
    pub reuse: Reuse,
    /// What the session of a new checkout payment is.
    pub session: SessionForm,
    /// What an approved checkout becomes.
    pub approval: Approval,
    /// A declined checkout ends its payment; otherwise the payer may try again.
    pub final_declines: bool,
    /// What confirming an unpaid checkout or external payment does.
    pub confirm_unpaid: ConfirmUnpaid,
    /// What confirming a platform payment does that is under way or paid.
    pub confirm_again: ConfirmAgain,
    /// A confirmed platform payment is called pending until it is settled.
    pub pending_while_settling: bool,
    /// Discount codes are taken and change nothing.
    pub ignore_discounts: bool,
    /// Invoices do not say how much they are about.
    pub omit_invoice_amount: bool,
    /// Virtual time that a confirmed platform payment stays under way, in seconds. The account is
    /// debited at once.
    pub settle_seconds: u32,
    /// Virtual time after which a pending payment expires, in seconds. Unpublished.
    pub payment_lifetime_seconds: u32,
    /// Virtual time after which an unpaid invoice expires, in seconds. Unpublished.
    pub invoice_lifetime_seconds: u32,
    /// How long an access token lives, in seconds: a day.
    pub token_seconds: u32,
    /// What the header `partnerId` must say where it is sent.
    pub partner_id: String,
    /// Whether it must be sent.
    pub partner_id_required: bool,
    /// Whether external payments need `someData` to be created, updated and confirmed; the
    /// specification says "may be required".
    pub some_data_required: bool,
    /// Members that nobody knows are refused instead of ignored.
    pub refuse_unknown_members: bool,
    /// The member that names where a checkout page leads to. Unpublished.
    pub redirect_member: String,
    /// Parameters that redirects leave out, such as `cko-session-id`.
    pub omitted_parameters: Vec<String>,
    /// Redirects carry `status=succeeded` or `status=failed` as well.
    pub redirect_status: bool,
    /// The member that holds a payment's id in answers: `id`, or `paymentId`.
    pub id_member: String,
    /// The member that wraps a payment in answers, if one does: `payload`, or `data`.
    pub envelope: Option<String>,
    /// Answers have no status of payments.
    pub omit_status: bool,
    /// The member of an invoice that holds the amount without the discount. Seen with a capital
    /// letter.
    pub before_discount_member: String,
    /// Lists are bare arrays instead of pages.
    pub bare_lists: bool,
    /// How amounts are written.
    pub amounts: AmountStyle,
    /// How `paymentDate` is written.
    pub dates: DateStyle,
    /// New payments are told by webhook, too.
    pub webhook_on_creation: bool,
    /// Which webhook tells of checkout payments.
    pub checkout_webhooks: CheckoutWebhooks,
    /// The header of webhooks that holds the shared secret.
    pub webhook_secret_header: String,
    /// The shared secret; without one, webhooks prove nothing.
    pub webhook_secret: Option<String>,
    /// Errors have the body of the first API: `error`, `errorId`, `message`, `systemId`.
    pub legacy_errors: bool,
}

impl Default for RampSettings {
    fn default() -> Self {
        const HOUR: u32 = 3600;
        RampSettings {
            paths: RampPaths::default(),
            words: StatusWords::default(),
            unknown_payment: UnknownPayment::default(),
            reuse: Reuse::default(),
            session: SessionForm::default(),
            approval: Approval::default(),
            final_declines: true,
            confirm_unpaid: ConfirmUnpaid::default(),
            confirm_again: ConfirmAgain::default(),
            pending_while_settling: false,
            ignore_discounts: false,
            omit_invoice_amount: false,
            settle_seconds: 0,
            payment_lifetime_seconds: HOUR,
            invoice_lifetime_seconds: 30 * 24 * HOUR,
            token_seconds: 24 * HOUR,
            partner_id: "sandbox_ramp_partner".to_owned(),
            partner_id_required: false,
            some_data_required: false,
            refuse_unknown_members: false,
            redirect_member: "redirectUrl".to_owned(),
            omitted_parameters: Vec::new(),
            redirect_status: false,
            id_member: "id".to_owned(),
            envelope: None,
            omit_status: false,
            before_discount_member: "AmountBeforeDiscount".to_owned(),
            bare_lists: false,
            amounts: AmountStyle::default(),
            dates: DateStyle::default(),
            webhook_on_creation: false,
            checkout_webhooks: CheckoutWebhooks::default(),
            webhook_secret_header: "x-webhook-secret".to_owned(),
            webhook_secret: None,
            legacy_errors: false,
        }
    }
}

impl RampSettings {
    /// Finds what could not be played.
    pub(crate) fn check(&self) -> Result<(), SandboxError> {
        let wrong = |message: String| Err(SandboxError::Configuration(message));
        let RampPaths { prefix, token, .. } = &self.paths;
        let paths = &self.paths;
        let rest = [
            token,
            &paths.create_or_retrieve,
            &paths.update,
            &paths.confirm,
            &paths.get_invoice,
            &paths.list_invoices,
            &paths.apply_discount,
        ];
        for path in rest.into_iter().chain(Some(prefix).filter(|prefix| !prefix.is_empty())) {
            if !path.starts_with('/') || path.ends_with('/') {
                return wrong(format!("a path begins with a slash and ends without: {path:?}"));
            }
        }
        if !paths.get_invoice.contains("{invoiceId}") {
            return wrong("the path of an invoice needs {invoiceId}".to_owned());
        }
        if self.webhook_secret.as_deref().is_some_and(str::is_empty) {
            return wrong("webhook_secret is empty".to_owned());
        }
        let header = self.webhook_secret_header.parse::<HeaderName>().is_ok();
        let secret = self.webhook_secret.as_deref().unwrap_or_default();
        if !header || HeaderValue::from_str(secret).is_err() {
            return wrong("webhook_secret and its header must be usable as a header".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_played_are_refused() {
        assert!(RampSettings::default().check().is_ok());
        let with = |change: fn(&mut RampSettings)| {
            let mut settings = RampSettings::default();
            change(&mut settings);
            settings.check().is_ok()
        };
        assert!(with(|it| it.paths.prefix = String::new()));
        assert!(with(|it| it.webhook_secret = Some("secret".to_owned())));
        assert!(!with(|it| it.paths.prefix = "acquiring".to_owned()));
        assert!(!with(|it| it.paths.prefix = "/acquiring/".to_owned()));
        assert!(!with(|it| it.paths.token = String::new()));
        assert!(!with(|it| it.paths.get_invoice = "/invoice/one".to_owned()));
        assert!(!with(|it| it.webhook_secret = Some(String::new())));
        assert!(!with(|it| it.webhook_secret = Some("two\nlines".to_owned())));
        assert!(!with(|it| it.webhook_secret_header = "no header".to_owned()));
    }
}
