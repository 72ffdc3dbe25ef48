//! A mandate as the provider is asked for it: an allowance.

use paymux_core::{
    CreateMandate, Effect, Error, ErrorKind, Money, Result, Timestamp, check::filled,
};

use super::{
    CONFIRM_PRICES, callback_uri, check_language, currency, in_future, new_price, reserve,
    return_url,
};
use crate::{
    config::{AllowanceForm, Callbacks, WalletConfig},
    options::{AllowanceTerms, WalletOptions},
    wire,
};

/// How a mandate is asked for.
pub(crate) enum NewMandate<'a> {
    Inside(Box<wire::NewTransaction<'a>>),
    Separate(wire::NewAllowance<'a>),
}

/// The allowance that a mandate stands for.
pub(crate) fn new_mandate<'a>(
    config: &'a WalletConfig,
    request: &'a CreateMandate,
    options: &'a WalletOptions,
    terms: &'a AllowanceTerms,
    now: Timestamp,
) -> Result<NewMandate<'a>> {
    refuse_what_would_be_lost(options)?;
    check_language(options)?;
    let redirect_uri = return_url(request.return_url.as_ref())?;
    if config.allowance_form == AllowanceForm::Separate {
        refuse_what_a_transaction_has(config, request, options)?;
        return new_allowance(config, terms, "", now).map(NewMandate::Separate);
    }
    Ok(NewMandate::Inside(Box::new(wire::NewTransaction {
        payments: Vec::new(),
        redirect_uri,
        allowance_id: None,
        allowance: Some(allowance_inside(config, terms, "", now)?),
        callback_uri: callback_uri(config),
        reserve: reserve(options, now)?,
    })))
}

/// What is asked of a payment has no place in an allowance, and nobody may rely on it in vain.
/// Every option is named here, so that a new one has to be thought of.
fn refuse_what_would_be_lost(options: &WalletOptions) -> Result<()> {
    let WalletOptions {
        split,
        beneficiary,
        items,
        commission,
        payment_type,
        parameters,
        freeze_until,
        reserve_until: _,
        language: _,
        allowance,
        mandate_limits: _,
        allowance_limit,
        confirm_prices,
    } = options;
    let of_a_payment = "belongs to create_payment: a mandate moves no money";
    let lost = [
        ("options.wallet.split", !split.is_empty(), of_a_payment),
        ("options.wallet.beneficiary", beneficiary.is_some(), of_a_payment),
        ("options.wallet.items", !items.is_empty(), of_a_payment),
        ("options.wallet.commission", commission.is_some(), of_a_payment),
        ("options.wallet.payment_type", payment_type.is_some(), of_a_payment),
        ("options.wallet.parameters", !parameters.is_empty(), of_a_payment),
        ("options.wallet.freeze_until", freeze_until.is_some(), of_a_payment),
        (
            "options.wallet.allowance",
            allowance.is_some(),
            "belongs to create_payment: a mandate has its own terms",
        ),
        (
            "options.wallet.allowance_limit",
            allowance_limit.is_some(),
            "belongs to a charge under a mandate: limit is that of a new one",
        ),
        (CONFIRM_PRICES, !confirm_prices.is_empty(), "belong to confirm_payment"),
    ];
    match lost.into_iter().find(|(_, is_set, _)| *is_set) {
        Some((field, _, message)) => Err(Error::invalid_request(field, message)),
        None => Ok(()),
    }
}

/// By a call of its own, an allowance has no transaction that could be asked for these. Where the
/// project says how callbacks go, nothing needs to be asked for.
fn refuse_what_a_transaction_has(
    config: &WalletConfig,
    request: &CreateMandate,
    options: &WalletOptions,
) -> Result<()> {
    let lost = [
        ("return_url", request.return_url.is_some()),
        ("options.wallet.reserve_until", options.reserve_until.is_some()),
        ("callbacks", config.callbacks != Callbacks::Project),
    ];
    match lost.into_iter().find(|(_, is_set)| *is_set) {
        Some((field, _)) => {
            let message = "cannot be sent with an allowance of its own call";
            Err(Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field))
        }
        None => Ok(()),
    }
}

pub(super) fn allowance_inside<'a>(
    config: &WalletConfig,
    terms: &'a AllowanceTerms,
    path: &str,
    now: Timestamp,
) -> Result<wire::AllowanceInside<'a>> {
    let data = new_allowance(config, terms, path, now)?;
    Ok(match config.allowance_form {
        AllowanceForm::Wrapped => wire::AllowanceInside::Wrapped { data, optional: false },
        // One beside a payment cannot be asked for by a call of its own.
        AllowanceForm::Inline | AllowanceForm::Separate => wire::AllowanceInside::Inline(data),
    })
}

fn new_allowance<'a>(
    config: &WalletConfig,
    terms: &'a AllowanceTerms,
    path: &str,
    now: Timestamp,
) -> Result<wire::NewAllowance<'a>> {
    let at = |field: &str| {
        if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
    };
    // Those of a mandate are no terms of its request, but options.
    let limits_at =
        if path.is_empty() { "options.wallet.mandate_limits".to_owned() } else { at("limits") };
    currency(config, terms.limit.currency())?;
    let cents = |field: &str, amount: Money| {
        let price = new_price(field, amount)?.price;
        price.ok_or_else(|| Error::invalid_request(field, "must be of a currency with cents"))
    };
    let max_price = cents(&at("limit"), terms.limit)?;
    let mut limits = Vec::new();
    for (nth, limit) in terms.limits.iter().enumerate() {
        let field = format!("{limits_at}[{nth}]");
        // Of another currency, it has no order to the whole.
        let within = limit.limit <= terms.limit;
        if !within {
            return Err(Error::invalid_request(field, "must be within the limit over all"));
        }
        if limit.seconds == 0 {
            return Err(Error::invalid_request(field, "must be for a span above zero"));
        }
        limits.push(wire::NewLimit { max_price: cents(&field, limit.limit)?, time: limit.seconds });
    }
    let valid = terms.valid_until.map(|moment| {
        let moment = in_future(&at("valid_until"), moment, now)?;
        Ok(wire::Until { until: moment.as_seconds() })
    });
    Ok(wire::NewAllowance {
        description: filled(&at("description"), &terms.description)?,
        currency: terms.limit.currency().code().to_owned(),
        max_price,
        valid: valid.transpose()?,
        limits,
    })
}
