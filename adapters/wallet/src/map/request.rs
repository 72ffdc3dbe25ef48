//! From paymux to the provider: what cannot be asked for is refused before anything is sent.

use std::collections::BTreeMap;

use paymux_core::{
    CaptureMethod, CreatePayment, Currency, Effect, Error, ErrorKind, Money, ProviderPartId,
    Result, Timestamp, transport::leads_to_a_page,
};
use url::Url;

use super::{Known, payers_fee, price};
use crate::{
    config::{Callbacks, WalletConfig},
    objects::ProviderPayment,
    options::WalletOptions,
    wire,
};

mod answer;
mod mandate;
mod part;

pub(crate) use answer::arrange;
use mandate::allowance_inside;
pub(crate) use mandate::{NewMandate, new_mandate};
use part::Line;

/// The transaction that a request asks for, if the provider can be asked for it.
pub(crate) fn new_transaction<'a>(
    config: &'a WalletConfig,
    request: &'a CreatePayment,
    options: &'a WalletOptions,
    now: Timestamp,
) -> Result<wire::NewTransaction<'a>> {
    refuse_what_cannot_be_sent(request, options)?;
    check_language(options)?;
    currency(config, request.amount.currency())?;
    let freeze_until = freeze_until(request, options, now)?;
    let mut payments = Vec::new();
    let lines = Line::all(request, options)?;
    for line in &lines {
        let mut payment = line.payment(config, request.amount.currency())?;
        if let Some(name) = &config.reference_parameter {
            payment.parameters.insert(name.clone(), request.reference.as_str().into());
        }
        payment.freeze_until = freeze_until.map(Timestamp::as_seconds);
        payments.push(payment);
    }
    within_limit(&lines, options)?;
    let allowance = options.allowance.as_ref();
    Ok(wire::NewTransaction {
        payments,
        redirect_uri: return_url(request.return_url.as_ref())?,
        allowance_id: request
            .mandate
            .as_ref()
            .map(|id| number("mandate", id.as_str()))
            .transpose()?,
        allowance: allowance
            .map(|terms| allowance_inside(config, terms, "options.wallet.allowance", now))
            .transpose()?,
        callback_uri: callback_uri(config),
        reserve: reserve(options, now)?,
    })
}

/// What the provider has no field for is refused, so that nobody relies on it in vain.
fn refuse_what_cannot_be_sent(request: &CreatePayment, options: &WalletOptions) -> Result<()> {
    let lacking = |field: &str, message: &str| {
        Err(Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field))
    };
    if request.method.is_some() {
        return lacking("method", "cannot be sent: the payer accepts from a wallet");
    }
    if request.expires_at.is_some() {
        return lacking("expires_at", "cannot be sent: a new transaction lasts a month");
    }
    if !options.confirm_prices.is_empty() {
        return Err(Error::invalid_request(CONFIRM_PRICES, "belong to confirm_payment"));
    }
    if request.mandate.is_some() && options.allowance.is_some() {
        let message = "must not be asked for in a charge under another";
        return Err(Error::invalid_request("options.wallet.allowance", message));
    }
    match options.allowance_limit {
        Some(limit) if request.mandate.is_none() => {
            let message = format!("of {limit} belongs to a charge under a mandate");
            Err(Error::invalid_request("options.wallet.allowance_limit", message))
        }
        Some(limit) if limit.currency() != request.amount.currency() => {
            Err(Error::invalid_request("currency", "must be that of the mandate"))
        }
        Some(_) | None => Ok(()),
    }
}

/// What the payer pays, with the fees on top, has to be within what the mandate permits.
fn within_limit(lines: &[Line<'_>], options: &WalletOptions) -> Result<()> {
    let Some(limit) = options.allowance_limit else { return Ok(()) };
    let zero = Money::zero(limit.currency());
    let payable = lines.iter().try_fold(zero, |sum, line| {
        let payable = line.payable()?;
        sum.checked_add(payable)
            .ok_or_else(|| Error::invalid_request("amount", "is larger than can be held"))
    })?;
    check_limits(payable, &[limit])
}

/// What the payer pays must be possible under a mandate of these limits. How much of them is left,
/// the provider alone knows.
pub(crate) fn check_limits(payable: Money, limits: &[Money]) -> Result<()> {
    if limits.iter().any(|limit| limit.currency() != payable.currency()) {
        return Err(Error::invalid_request("currency", "must be that of the mandate"));
    }
    if limits.iter().any(|limit| payable > *limit) {
        let message = "with the payer's fee, must be within the mandate's limit";
        return Err(Error::invalid_request("amount", message));
    }
    Ok(())
}

/// Holding is freezing here, and a freeze has an end.
fn freeze_until(
    request: &CreatePayment,
    options: &WalletOptions,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    const FIELD: &str = "options.wallet.freeze_until";
    match (request.capture, options.freeze_until) {
        (CaptureMethod::Automatic, None) => Ok(None),
        (CaptureMethod::Automatic, Some(_)) => {
            Err(Error::invalid_request(FIELD, "must not be set where the money is taken at once"))
        }
        (CaptureMethod::Manual, None) => {
            Err(Error::invalid_request(FIELD, "must say until when the money is held"))
        }
        (CaptureMethod::Manual, Some(moment)) => in_future(FIELD, moment, now).map(Some),
    }
}

fn in_future(field: &str, moment: Timestamp, now: Timestamp) -> Result<Timestamp> {
    // Whole seconds travel.
    if moment.as_seconds() > now.as_seconds() {
        return Ok(moment);
    }
    Err(Error::invalid_request(field, "must be in the future"))
}

fn reserve(options: &WalletOptions, now: Timestamp) -> Result<Option<wire::Until>> {
    let until = options.reserve_until.map(|moment| {
        let moment = in_future("options.wallet.reserve_until", moment, now)?;
        Ok(wire::Until { until: moment.as_seconds() })
    });
    until.transpose()
}

fn check_language(options: &WalletOptions) -> Result<()> {
    match options.language.as_deref() {
        Some(language) if !is_language(language) => {
            let message = "must be two small letters, as en";
            Err(Error::invalid_request("options.wallet.language", message))
        }
        Some(_) | None => Ok(()),
    }
}

/// The pages know `en`, `lt`, `ru` and others.
pub(crate) fn is_language(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The provider's ids of payments, allowances and wallets are numbers.
pub(crate) fn number(field: &str, text: &str) -> Result<i64> {
    match text.parse::<i64>() {
        Ok(number) if number > 0 && number.to_string() == text => Ok(number),
        Ok(_) | Err(_) => Err(Error::invalid_request(field, "must be a whole number of digits")),
    }
}

fn currency(config: &WalletConfig, currency: Currency) -> Result<()> {
    if currency.is_iso() && config.currencies().contains(&currency) {
        return Ok(());
    }
    let message = if config.whole_currencies {
        "must be an ISO 4217 currency with two decimals, or with none"
    } else {
        "must be an ISO 4217 currency with two decimals: the provider counts in cents"
    };
    Err(Error::invalid_request("currency", message))
}

/// An amount in the form that the provider takes for its currency.
pub(crate) fn new_price(field: &str, amount: Money) -> Result<wire::Price> {
    if amount.is_zero() {
        return Err(Error::invalid_request(field, "must be more than zero"));
    }
    if amount.currency().exponent() == 2 {
        return match i64::try_from(amount.minor()) {
            Ok(cents) => Ok(wire::Price { price: Some(cents), price_decimal: None }),
            Err(_) => Err(Error::invalid_request(field, "is larger than can be sent")),
        };
    }
    Ok(wire::Price { price: None, price_decimal: Some(amount.to_decimal()) })
}

fn return_url(url: Option<&Url>) -> Result<Option<&str>> {
    let Some(url) = url else { return Ok(None) };
    if !leads_to_a_page(url) {
        return Err(Error::invalid_request("return_url", "must lead to a page or an app"));
    }
    Ok(Some(url.as_str()))
}

fn callback_uri(config: &WalletConfig) -> Option<wire::CallbackUri<'_>> {
    match &config.callbacks {
        Callbacks::Project => None,
        Callbacks::To(url) => Some(wire::CallbackUri::To(url.as_str())),
        Callbacks::Off => Some(wire::CallbackUri::Off(false)),
    }
}

/// Where the prices to confirm with stand.
pub(crate) const CONFIRM_PRICES: &str = "options.wallet.confirm_prices";

/// What can be said of the prices to confirm with before the transaction is read.
pub(crate) fn check_confirm_prices(prices: &BTreeMap<ProviderPartId, Money>) -> Result<()> {
    prices.iter().try_for_each(|(id, amount)| {
        number(CONFIRM_PRICES, id.as_str())?;
        new_price(CONFIRM_PRICES, *amount).map(|_| ())
    })
}

/// The price to send for taking so much of a payment; nothing for all of it, since only a lower
/// price may be sent. What is held was read first, so that neither more nor another currency is
/// ever sent. Where the price holds the payer's fee, that stays in it.
pub(crate) fn lower_price(
    field: &str,
    payment: &ProviderPayment,
    amount: Money,
    known: &Known<'_>,
) -> Result<Option<wire::Price>> {
    let unsaid = |what: &str| {
        let message = format!("the answer does not say {what}");
        Error::new(ErrorKind::InvalidResponse, Effect::None, message)
    };
    // Whatever was guessed would be taken from somebody, or left to somebody.
    if known.config.commission_in_price && payment.price.is_some() {
        payers_fee(payment, known).ok_or_else(|| unsaid("what fee the price holds"))?;
    }
    let held = price(payment, known).ok_or_else(|| unsaid("how much is held"))?;
    if held.currency() != amount.currency() {
        return Err(Error::invalid_request(field, "must be of the payment's currency"));
    }
    if amount > held {
        return Err(Error::invalid_request(field, "must be at most what is held"));
    }
    if amount == held {
        return Ok(None);
    }
    if beneficiarys_fee(payment, known).is_some_and(|fee| fee > amount) {
        let message = "must be at least the fee that is taken from it";
        return Err(Error::invalid_request(field, message));
    }
    let with_fee = match payers_fee(payment, known) {
        Some(fee) if known.config.commission_in_price => amount.checked_add(fee),
        Some(_) | None => Some(amount),
    };
    let with_fee =
        with_fee.ok_or_else(|| Error::invalid_request(field, "is larger than can be held"))?;
    new_price(field, with_fee).map(Some)
}

/// The fee that the beneficiary pays, shown or asked for.
fn beneficiarys_fee(payment: &ProviderPayment, known: &Known<'_>) -> Option<Money> {
    let asked = || known.options?.commission.as_ref()?.in_commission;
    payment.in_commission.or_else(asked)
}
