//! From paymux to the provider: what cannot be asked for is refused before anything is sent.

use paymux_core::{
    CreatePayment, Currency, Effect, Error, ErrorKind, ListPayments, Money, Operation,
    PaymentStatus, Result, check::filled, transport::leads_to_a_page,
};
use url::Url;

use crate::{config::ToffeePayConfig, options::ToffeePayOptions, wire};

/// The largest page that every edition of the documentation permits.
const MAX_LIMIT: u32 = 100;

/// The session that a request asks for, if the provider can be asked for it.
pub(crate) fn new_session<'a>(
    config: &'a ToffeePayConfig,
    request: &'a CreatePayment,
    options: &'a ToffeePayOptions,
) -> Result<wire::CreateSession<'a>> {
    refuse_what_cannot_be_sent(config, request)?;
    let customer = request.customer.as_ref().map(|customer| customer.id.as_str());
    let title = match &options.item_title {
        Some(title) => filled("options.toffeepay.item_title", title)?,
        None => filled("description", &request.description)?,
    };
    Ok(wire::CreateSession {
        game_id: game_id(config, options)?,
        user_id: filled("customer.id", customer.unwrap_or_default())?,
        item: wire::NewItem {
            title,
            price: price(request.amount)?,
            currency: currency(config, request.amount)?,
            image: options.item_image.as_deref().map(image).transpose()?,
            country: options.item_country.as_deref().map(country).transpose()?,
        },
        return_url: return_url(request.return_url.as_ref())?,
        wallet_enabled: options.wallet_enabled,
    })
}

/// What the provider has no field for is refused, so that nobody relies on it in vain.
fn refuse_what_cannot_be_sent(config: &ToffeePayConfig, request: &CreatePayment) -> Result<()> {
    let lacking = |field: &str, message: &str| {
        Err(Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field))
    };
    if request.mandate.is_some() {
        return lacking("mandate", "cannot be sent: the provider has no mandates");
    }
    if request.method.is_some() {
        return lacking("method", "cannot be sent: the buyer chooses on the checkout page");
    }
    if request.expires_at.is_some() {
        return lacking("expires_at", "cannot be sent: the provider decides when a session ends");
    }
    if request.capture != config.capture {
        let message = "must be as the provider set the game up; no request can choose";
        return Err(Error::invalid_request("capture", message));
    }
    Ok(())
}

pub(crate) fn game_id<'a>(
    config: &'a ToffeePayConfig,
    options: &'a ToffeePayOptions,
) -> Result<&'a str> {
    match &options.game_id {
        Some(game) => filled("options.toffeepay.game_id", game),
        None => Ok(&config.game_id),
    }
}

/// Cents, as a positive `int32`. Source: the specification under `invalid_price`; the size from
/// the provider's schema.
fn price(amount: Money) -> Result<i32> {
    match i32::try_from(amount.minor()) {
        Ok(cents) if cents > 0 => Ok(cents),
        Ok(_) => Err(Error::invalid_request("amount", "must be more than zero")),
        Err(_) => {
            let message = format!("must be at most {} in minor units", i32::MAX);
            Err(Error::invalid_request("amount", message))
        }
    }
}

/// The currencies that pass: see [`ToffeePayConfig::any_currency`].
pub(crate) fn currencies(config: &ToffeePayConfig) -> Vec<Currency> {
    if config.any_currency {
        Currency::all_iso().filter(|currency| currency.exponent() == 2).collect()
    } else {
        vec![Currency::USD, Currency::GBP, Currency::EUR]
    }
}

fn currency(config: &ToffeePayConfig, amount: Money) -> Result<Currency> {
    if !currencies(config).contains(&amount.currency()) {
        let message = if config.any_currency {
            "must be an ISO 4217 currency with two decimals: the provider counts in cents"
        } else {
            "must be USD, GBP or EUR"
        };
        return Err(Error::invalid_request("currency", message));
    }
    Ok(amount.currency())
}

/// Any absolute URL, those of apps included.
fn return_url(url: Option<&Url>) -> Result<&str> {
    let Some(url) = url else {
        return Err(Error::invalid_request("return_url", "must be set"));
    };
    if !leads_to_a_page(url) {
        return Err(Error::invalid_request("return_url", "must lead to a page or an app"));
    }
    Ok(url.as_str())
}

/// Scheme and type are checked, the picture itself is not: the specification's own sample is no
/// decodable one, and the provider answers `invalid_image` to what it cannot use.
fn image(image: &str) -> Result<&str> {
    const FIELD: &str = "options.toffeepay.item_image";
    if image.starts_with("https://") || image.starts_with("http://") {
        return match Url::parse(image) {
            Ok(_) => Ok(image),
            Err(_) => Err(Error::invalid_request(FIELD, "must be a whole URL")),
        };
    }
    let Some(data) = image.strip_prefix("data:") else {
        return Err(Error::invalid_request(FIELD, "must begin with http://, https:// or data:"));
    };
    let content = ["image/png", "image/jpeg", "image/jpg", "image/webp"]
        .iter()
        .find_map(|kind| data.strip_prefix(kind)?.strip_prefix(";base64,"));
    match content {
        Some(content) if !content.is_empty() => Ok(image),
        Some(_) | None => {
            let message = "must be data:image/<png, jpeg, jpg or webp>;base64,<content>";
            Err(Error::invalid_request(FIELD, message))
        }
    }
}

fn country(country: &str) -> Result<&str> {
    if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(country);
    }
    let message = "must be two capital letters, as in ISO 3166-1";
    Err(Error::invalid_request("options.toffeepay.item_country", message))
}

/// A limit that all editions take. Zero is refused by the provider, and more than it permits
/// would be cut without a word.
pub(crate) fn limit(limit: u32) -> Result<u32> {
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Error::invalid_request("limit", format!("must be 1 to {MAX_LIMIT}")))
}

/// The list that a query asks for; filters that the provider lacks are refused.
pub(crate) fn session_list<'a>(
    config: &'a ToffeePayConfig,
    query: &'a ListPayments,
    options: &'a ToffeePayOptions,
) -> Result<wire::List<'a>> {
    for (field, filter) in [("created_from", query.created_from), ("created_to", query.created_to)]
    {
        if filter.is_some() {
            return Err(lacking_filter(field, "the provider cannot list by time"));
        }
    }
    Ok(wire::List {
        game_id: Some(game_id(config, options)?),
        user_id: query.customer.as_deref().map(|id| filled("customer", id)).transpose()?,
        status: query.status.map(status_filter).transpose()?,
        limit: limit(query.limit)?,
        offset: query.cursor.as_ref().map_or(Ok(0), |cursor| offset(cursor.as_str()))?,
        ..wire::List::default()
    })
}

fn lacking_filter(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Effect::None, message)
        .with_field(field)
        .with_operation(Operation::ListPayments)
}

/// The word to filter by, where one word of the provider stands for one of ours. In a list,
/// where nothing but sessions is read, `pending` is always [`PaymentStatus::RequiresAction`].
fn status_filter(status: PaymentStatus) -> Result<&'static str> {
    match status {
        PaymentStatus::RequiresAction => Ok("pending"),
        PaymentStatus::Succeeded => Ok("paid"),
        PaymentStatus::Failed => Ok("failed"),
        PaymentStatus::Cancelled => Ok("cancelled"),
        PaymentStatus::Expired => Ok("expired"),
        PaymentStatus::RequiresConfirmation
        | PaymentStatus::Processing
        | PaymentStatus::Authorized
        | PaymentStatus::PartiallyPaid
        | PaymentStatus::Unknown => {
            Err(lacking_filter("status", "the provider cannot list by this status"))
        }
    }
}

/// Our cursors are offsets, written without sign or leading zeros; `int32` in the schema.
fn offset(cursor: &str) -> Result<u32> {
    match cursor.parse::<i32>().ok().and_then(|offset| u32::try_from(offset).ok()) {
        Some(offset) if offset.to_string() == cursor => Ok(offset),
        Some(_) | None => {
            Err(Error::invalid_request("cursor", "must be one that a page of this list named"))
        }
    }
}
