//! From paymux to the provider: what cannot be asked for is refused before anything is sent.

use paymux_core::{
    CaptureMethod, CreatePayment, Effect, Error, ErrorKind, ProviderPaymentId, Result,
    check::filled, transport::leads_to_a_page,
};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    config::RampConfig,
    options::{PaymentType, RampOptions, UpdatePayment},
    read::LINKS,
    wire,
};

pub(super) const INVOICE_ID: &str = "options.ramp.invoice_id";
const EXTRA: &str = "options.ramp.extra";
const PRICE: &str = "options.ramp.price";
const SOME_DATA: &str = "options.ramp.payment_type.some_data";

/// The request that creates the payment that is asked for, or gets the one that is there.
pub(crate) fn new_payment<'a>(
    config: &RampConfig,
    request: &'a CreatePayment,
    options: &'a RampOptions,
) -> Result<wire::Payment<'a>> {
    refuse_what_cannot_be_sent(request, options)?;
    if options.price.is_some_and(|price| price != request.amount) {
        return Err(Error::invalid_request(PRICE, "must be the amount that is asked for"));
    }
    check_price_is_stored(config, options)?;
    let mut body = checked(options, None)?;
    check_some_data(config, options)?;
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
/// sent again; what may be required is.
pub(crate) fn look_up<'a>(
    id: &'a ProviderPaymentId,
    options: &'a RampOptions,
) -> Result<wire::Payment<'a>> {
    let mut body = checked(options, Some(id))?;
    body.account_id = options.payment_type.account_id();
    body.some_data = options.payment_type.some_data();
    Ok(body)
}

/// The request that changes a payment.
pub(crate) fn change<'a>(
    config: &RampConfig,
    update: &'a UpdatePayment,
) -> Result<wire::Payment<'a>> {
    let mut body = checked(&update.options, update.id.as_ref())?;
    check_some_data(config, &update.options)?;
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
    check_price_is_stored(config, options)?;
    let mut body = checked(options, Some(id))?;
    check_some_data(config, options)?;
    body.discount_code = discount(options)?;
    body.account_id = options.payment_type.account_id();
    body.some_data = options.payment_type.some_data();
    Ok(body)
}

/// What every request says, with the options checked.
fn checked<'a>(
    options: &'a RampOptions,
    id: Option<&'a ProviderPaymentId>,
) -> Result<wire::Payment<'a>> {
    filled("options.ramp.end_user", &options.end_user)?;
    match &options.payment_type {
        PaymentType::Platform { account_id } => {
            filled("options.ramp.payment_type.account_id", account_id)?;
        }
        PaymentType::Checkout => {}
        PaymentType::External { some_data: Some(text) } => {
            filled(SOME_DATA, text)?;
        }
        PaymentType::External { some_data: None } => {}
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

/// Some accounts need the third party's data for whatever changes something; a payment that is there
/// can be read without.
fn check_some_data(config: &RampConfig, options: &RampOptions) -> Result<()> {
    match &options.payment_type {
        PaymentType::External { some_data: None } if config.require_some_data => {
            Err(Error::invalid_request(SOME_DATA, "must be set: the account asks for it"))
        }
        PaymentType::Platform { .. } | PaymentType::Checkout | PaymentType::External { .. } => {
            Ok(())
        }
    }
}

/// Between creating and confirming the biller can change the invoice, and what a discount makes of its
/// price is known once it is applied. So that it is compared before the debit, the price that was
/// agreed to has to travel with the payment. Only a platform payment is debited by the confirmation.
fn check_price_is_stored(config: &RampConfig, options: &RampOptions) -> Result<()> {
    if !config.invoice_read || options.price.is_some() {
        return Ok(());
    }
    if options.payment_type.account_id().is_some() {
        let message = "must be set: the invoice is compared with it right before the debit";
        return Err(Error::invalid_request(PRICE, message));
    }
    if options.discount_code.is_some() {
        let message = "must be set with a discount code: it is compared before the confirmation";
        return Err(Error::invalid_request(PRICE, message));
    }
    Ok(())
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

/// Members beside the specification's. A name that differs from one of those by case or signs alone
/// could be read as it, and one that names a page could lead the payer past the checkout.
fn extra(config: &RampConfig, options: &RampOptions) -> Result<Map<String, Value>> {
    let letters = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect()
    };
    for (name, value) in &options.extra {
        let refuse = |message: String| Err(Error::invalid_request(EXTRA, message));
        if name.trim().is_empty() {
            return refuse("must have names that are not empty".to_owned());
        }
        let is_taken = |taken: &str| letters(taken) == letters(name);
        if wire::MEMBERS.into_iter().chain(["id"]).any(is_taken) {
            return refuse(format!("must not hold `{name}`, which the specification has"));
        }
        if LINKS.into_iter().chain([config.return_field.as_str()]).any(is_taken) {
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
