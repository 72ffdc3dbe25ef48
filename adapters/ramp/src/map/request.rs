//! From paymux to the provider: what cannot be asked for is refused before anything is sent.

use paymux_core::{
    CaptureMethod, CreatePayment, Effect, Error, ErrorKind, Money, ProviderPaymentId, Result,
    check::filled, transport::leads_to_a_page,
};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    config::RampConfig,
    objects::Invoice,
    options::{PaymentType, RampOptions, UpdatePayment},
    wire,
};

const INVOICE_ID: &str = "options.ramp.invoice_id";
const EXTRA: &str = "options.ramp.extra";

/// The request that creates the payment that is asked for, or gets the one that is there.
pub(crate) fn new_payment<'a>(
    config: &RampConfig,
    request: &'a CreatePayment,
    options: &'a RampOptions,
) -> Result<wire::Payment<'a>> {
    refuse_what_cannot_be_sent(request, options)?;
    let mut body = checked(config, options, None)?;
    body.discount_code = discount(options)?;
    body.account_id = options.payment_type.account_id();
    body.some_data = options.payment_type.some_data();
    body.extra = extra(config, options)?;
    if let Some(url) = &request.return_url {
        body.extra.insert(config.return_field.clone(), page("return_url", url)?.into());
    }
    Ok(body)
}

/// The request that reads a payment: the same one, naming it. What could change the payment is not
/// sent again.
pub(crate) fn look_up<'a>(
    config: &RampConfig,
    id: &'a ProviderPaymentId,
    options: &'a RampOptions,
) -> Result<wire::Payment<'a>> {
    let mut body = checked(config, options, Some(id))?;
    body.account_id = options.payment_type.account_id();
    Ok(body)
}

/// The request that changes a payment.
pub(crate) fn change<'a>(
    config: &RampConfig,
    update: &'a UpdatePayment,
) -> Result<wire::Payment<'a>> {
    let mut body = checked(config, &update.options, update.id.as_ref())?;
    body.discount_code = discount(&update.options)?;
    body.some_data = update.options.payment_type.some_data();
    body.account_id = update.options.payment_type.account_id().filter(|_| update.with_account);
    Ok(body)
}

/// The request that confirms a payment.
pub(crate) fn confirmation<'a>(
    config: &RampConfig,
    id: &'a ProviderPaymentId,
    options: &'a RampOptions,
) -> Result<wire::Payment<'a>> {
    let mut body = checked(config, options, Some(id))?;
    body.discount_code = discount(options)?;
    body.account_id = options.payment_type.account_id();
    body.some_data = options.payment_type.some_data();
    Ok(body)
}

/// What every request says, with the options checked.
fn checked<'a>(
    config: &RampConfig,
    options: &'a RampOptions,
    id: Option<&'a ProviderPaymentId>,
) -> Result<wire::Payment<'a>> {
    filled("options.ramp.end_user", &options.end_user)?;
    match &options.payment_type {
        PaymentType::Platform { account_id } => {
            filled("options.ramp.payment_type.account_id", account_id)?;
        }
        PaymentType::Checkout => {}
        PaymentType::External { some_data } => {
            const FIELD: &str = "options.ramp.payment_type.some_data";
            match some_data {
                Some(text) => {
                    filled(FIELD, text)?;
                }
                None if config.require_some_data => {
                    return Err(Error::invalid_request(
                        FIELD,
                        "must be set: the account asks for it",
                    ));
                }
                None => {}
            }
        }
    }
    Ok(wire::Payment {
        payment_id: id.map(ProviderPaymentId::as_str),
        invoice_id: invoice_id(&options.invoice_id)?,
        discount_code: None,
        kind: options.payment_type.as_str(),
        account_id: None,
        some_data: None,
        extra: Map::new(),
    })
}

/// What the provider has no member for is refused, so that nobody relies on it in vain. Reference,
/// description and payer are not sent either; the README says so.
fn refuse_what_cannot_be_sent(request: &CreatePayment, options: &RampOptions) -> Result<()> {
    let lacking = |field: &str, message: &str| {
        Err(Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field))
    };
    if request.mandate.is_some() {
        return lacking("mandate", "cannot be sent: the provider has no mandates");
    }
    if request.method.is_some() {
        return lacking("method", "cannot be sent: options.ramp.payment_type says how it is paid");
    }
    if request.expires_at.is_some() {
        return lacking("expires_at", "cannot be sent: the invoice ends when the provider says");
    }
    if request.return_url.is_some() && options.payment_type != PaymentType::Checkout {
        return lacking("return_url", "cannot be sent: only a checkout leads the payer elsewhere");
    }
    if request.capture != CaptureMethod::Automatic {
        let message = "must be automatic: what is paid is taken at once";
        return Err(Error::invalid_request("capture", message));
    }
    if request.amount.is_zero() {
        return Err(Error::invalid_request("amount", "must be more than zero"));
    }
    Ok(())
}

/// The price that the invoice has, if it is the one that the merchant expects. A discount can only
/// lower it.
pub(crate) fn expected_price(
    invoice: &Invoice,
    request: &CreatePayment,
    options: &RampOptions,
) -> Result<Option<Money>> {
    let Some(price) = invoice.amount else { return Ok(None) };
    let differs = |field: &str, message: String| {
        Err(Error::new(ErrorKind::Conflict, Effect::None, message).with_field(field))
    };
    if price.currency() != request.amount.currency() {
        let message = format!("must be of {}, as the invoice is", price.currency());
        return differs("currency", message);
    }
    match &options.discount_code {
        // What it will be is known when it is read again.
        Some(_) if request.amount <= price => Ok(None),
        None if request.amount == price => Ok(Some(price)),
        Some(_) | None => differs("amount", format!("must be what the invoice is about: {price}")),
    }
}

/// Members beside the specification's. A name that differs from one of those by its case alone could
/// be read as it.
fn extra(config: &RampConfig, options: &RampOptions) -> Result<Map<String, Value>> {
    for (name, value) in &options.extra {
        let refuse = |message: String| Err(Error::invalid_request(EXTRA, message));
        if name.trim().is_empty() {
            return refuse("must have names that are not empty".to_owned());
        }
        let is_taken = |taken: &str| taken.eq_ignore_ascii_case(name);
        if wire::MEMBERS.into_iter().any(is_taken) {
            return refuse(format!("must not hold `{name}`, which the specification has"));
        }
        if is_taken(&config.return_field) {
            return refuse(format!("must not hold `{name}`: set return_url"));
        }
        let is_platform = options.payment_type.account_id().is_some();
        match name.as_str() {
            "anyCurrency" | "currency" if !is_platform => {
                return refuse(format!("must not hold `{name}`: it belongs to a platform payment"));
            }
            "anyCurrency" if !value.is_boolean() => {
                return refuse("must have `anyCurrency` as true or false".to_owned());
            }
            "currency" if !value.is_string() => {
                return refuse("must have `currency` as a text".to_owned());
            }
            _ => {}
        }
    }
    Ok(options.extra.clone())
}

fn discount(options: &RampOptions) -> Result<Option<&str>> {
    let code = options.discount_code.as_deref();
    code.map(|code| filled("options.ramp.discount_code", code)).transpose()
}

/// The invoice's id, which can stand in a path.
pub(crate) fn invoice_id(id: &str) -> Result<&str> {
    if matches!(id, "." | "..") {
        return Err(Error::invalid_request(INVOICE_ID, "must not be dots alone"));
    }
    if id.trim() != id || id.chars().any(char::is_control) {
        let message = "must not begin or end with a space or hold a control character";
        return Err(Error::invalid_request(INVOICE_ID, message));
    }
    filled(INVOICE_ID, id)
}

/// Any absolute URL, those of apps included; but no address that runs code or reads files in the
/// browser it is opened in.
fn page<'a>(field: &str, url: &'a Url) -> Result<&'a str> {
    if leads_to_a_page(url) {
        return Ok(url.as_str());
    }
    Err(Error::invalid_request(field, "must lead to a page or an app"))
}
