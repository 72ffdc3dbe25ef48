//! What a request must be before it may change anything.

use serde_json::Value;
use url::Url;

use super::errors::{Code, Refusal};
use super::objects::{Item, NewSession};
use super::state::State;
use super::wire;
use crate::html::is_safe_link;

const IMAGE_TYPES: [&str; 4] = ["image/png", "image/jpeg", "image/jpg", "image/webp"];

/// Checks a CreateSession request against the account.
pub(super) fn new_session(
    state: &State,
    request: wire::CreateSession,
) -> Result<NewSession, Refusal> {
    let game_id = game(state, request.game_id)?;
    let user_id = required("user_id", request.user_id)?;
    let Some(item) = request.item else {
        return Err(Refusal::invalid("item: value is required"));
    };
    let title = required("item.title", item.title)?;
    let price = price(item.price.as_ref())?;
    let currency = item.currency.unwrap_or_default();
    if !state.settings.currencies.contains(&currency) {
        let message = "Currency is not supported";
        return Err(Refusal::domain(Code::InvalidArgument, "invalid_currency", message));
    }
    let image = item.image.filter(|image| !image.is_empty());
    if let Some(image) = &image {
        check_image(image, state.settings.max_image_bytes)?;
    }
    let country = item.country.filter(|country| !country.is_empty());
    if country.as_deref().is_some_and(|country| !is_country(country)) {
        return Err(Refusal::invalid("item.country: two upper-case letters are required"));
    }
    let return_url = return_url(request.return_url)?;
    let item = Item { title, price, currency, image, country };
    let wallet_enabled = request.wallet_enabled;
    Ok(NewSession { game_id, user_id, item, return_url, wallet_enabled })
}

/// A game that is registered for this account.
pub(super) fn game(state: &State, game_id: Option<String>) -> Result<String, Refusal> {
    match game_id {
        Some(id) if state.games.contains_key(&id) => Ok(id),
        Some(_) | None => {
            Err(Refusal::domain(Code::InvalidArgument, "invalid_game_id", "Unknown game"))
        }
    }
}

/// A field that must be there and must not be empty.
pub(super) fn required(name: &str, value: Option<String>) -> Result<String, Refusal> {
    match value {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) | None => Err(Refusal::invalid(format!("{name}: value is required"))),
    }
}

fn price(price: Option<&Value>) -> Result<i32, Refusal> {
    let cents = price.and_then(Value::as_i64).and_then(|cents| i32::try_from(cents).ok());
    cents.filter(|cents| *cents > 0).ok_or_else(|| {
        let message = "Price must be a positive integer number of cents";
        Refusal::domain(Code::InvalidArgument, "invalid_price", message)
    })
}

/// Direct URLs are taken at their word; `data:` URIs must name an image type. Whether the data
/// decodes is not checked: the specification's own sample abbreviates it.
fn check_image(image: &str, longest: usize) -> Result<(), Refusal> {
    let acceptable = match image.strip_prefix("data:") {
        Some(data) => data
            .split_once(";base64,")
            .is_some_and(|(kind, data)| IMAGE_TYPES.contains(&kind) && !data.is_empty()),
        None => Url::parse(image).is_ok_and(|url| matches!(url.scheme(), "http" | "https")),
    };
    if acceptable && image.len() <= longest {
        return Ok(());
    }
    let message = "Image format or size is not accepted";
    Err(Refusal::domain(Code::InvalidArgument, "invalid_image", message))
}

/// ISO 3166-1 alpha-2 by its form.
pub(super) fn is_country(country: &str) -> bool {
    country.len() == 2 && country.bytes().all(|letter| letter.is_ascii_uppercase())
}

fn return_url(return_url: Option<String>) -> Result<String, Refusal> {
    let text = required("return_url", return_url)?;
    // Parsers of browsers repair what holds these; the schema's rule does not.
    if text.chars().any(|sign| sign.is_control() || sign.is_whitespace()) {
        return Err(Refusal::invalid("return_url: an absolute URI is required"));
    }
    match Url::parse(&text) {
        Ok(url) if is_safe_link(&url) => Ok(text),
        Ok(url) => Err(Refusal::invalid(format!("return_url: {}: is not allowed", url.scheme()))),
        Err(_) => Err(Refusal::invalid("return_url: an absolute URI is required")),
    }
}

/// The page of a list that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

pub(super) fn page(
    limit: Option<i64>,
    offset: Option<i64>,
    default_limit: u32,
    max_limit: u32,
) -> Result<Page, Refusal> {
    let limit = limit.unwrap_or_else(|| default_limit.min(max_limit).into());
    if limit < 1 || limit > i64::from(max_limit) {
        return Err(Refusal::invalid(format!("limit: must be from 1 to {max_limit}")));
    }
    let offset = offset.unwrap_or(0);
    match (usize::try_from(limit), usize::try_from(offset)) {
        (Ok(limit), Ok(offset)) => Ok(Page { limit, offset }),
        _ => Err(Refusal::invalid("offset: must not be negative")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toffeepay::settings::ToffeePaySettings;
    use serde_json::json;

    fn check(change: impl FnOnce(&mut Value)) -> Result<NewSession, Refusal> {
        let checkout = Url::parse("http://127.0.0.1/checkout/").unwrap();
        let state = State::new(checkout, ToffeePaySettings::default());
        let mut request: Value =
            serde_json::from_str(include_str!("../../tests/fixtures/create_session.request.json"))
                .unwrap();
        change(&mut request);
        new_session(&state, serde_json::from_value(request).unwrap())
    }

    #[test]
    fn the_sample_of_the_specification_passes() {
        let session = check(|_| {}).unwrap();
        assert_eq!(session.item.price, 499);
        assert_eq!(session.wallet_enabled, None);
        assert_eq!(session.return_url, "mygame://payment-complete");
    }

    #[test]
    fn every_rule_has_its_code() {
        let cases = [
            ("/game_id", json!("nobody"), Some("invalid_game_id")),
            ("/game_id", json!(null), Some("invalid_game_id")),
            ("/user_id", json!(""), None),
            ("/item", json!(null), None),
            ("/item/title", json!(""), None),
            ("/item/price", json!(0), Some("invalid_price")),
            ("/item/price", json!(-1), Some("invalid_price")),
            ("/item/price", json!(4.99), Some("invalid_price")),
            ("/item/price", json!("499"), Some("invalid_price")),
            ("/item/price", json!(2_147_483_648_u32), Some("invalid_price")),
            ("/item/price", json!(null), Some("invalid_price")),
            ("/item/currency", json!("usd"), Some("invalid_currency")),
            ("/item/currency", json!("JPY"), Some("invalid_currency")),
            ("/item/currency", json!(null), Some("invalid_currency")),
            ("/item/image", json!("coins.png"), Some("invalid_image")),
            ("/item/image", json!("ftp://x/coins.png"), Some("invalid_image")),
            ("/item/image", json!("data:image/gif;base64,AAAA"), Some("invalid_image")),
            ("/item/image", json!("data:image/png;base64,"), Some("invalid_image")),
            ("/item/image", json!("data:text/html,<p>"), Some("invalid_image")),
            ("/return_url", json!(""), None),
            ("/return_url", json!("payment-complete"), None),
            ("/return_url", json!("javascript:alert(1)"), None),
            ("/return_url", json!("mygame://paid now"), None),
            ("/return_url", json!("https://shop.example/\n"), None),
            ("/return_url", json!("https://shop.example/\u{0}"), None),
        ];
        for (field, value, domain) in cases {
            let refusal = check(|request| *request.pointer_mut(field).unwrap() = value.clone());
            let refusal = refusal.expect_err(field);
            assert_eq!(refusal.domain, domain, "{field} = {value}");
            assert_eq!(refusal.code, Code::InvalidArgument);
        }
        for country in ["us", "USA", "U1"] {
            assert!(check(|request| request["item"]["country"] = json!(country)).is_err());
        }
    }

    #[test]
    fn an_image_may_be_as_long_as_the_limit() {
        let limit = ToffeePaySettings::default().max_image_bytes;
        let beginning = "data:image/webp;base64,";
        let image = format!("{beginning}{}", "A".repeat(limit - beginning.len()));
        assert!(check(|request| request["item"]["image"] = json!(image)).is_ok());
        let refusal = check(|request| request["item"]["image"] = json!(format!("{image}A")));
        assert_eq!(refusal.unwrap_err().domain, Some("invalid_image"));
    }

    #[test]
    fn pages_have_limits() {
        assert_eq!(page(None, None, 100, 100), Ok(Page { limit: 100, offset: 0 }));
        assert_eq!(page(None, Some(7), 50, 100), Ok(Page { limit: 50, offset: 7 }));
        assert_eq!(page(Some(250), None, 100, 250), Ok(Page { limit: 250, offset: 0 }));
        for (limit, offset) in [(0, 0), (-1, 0), (101, 0), (1, -1)] {
            assert!(page(Some(limit), Some(offset), 100, 100).is_err(), "{limit} {offset}");
        }
    }
}
