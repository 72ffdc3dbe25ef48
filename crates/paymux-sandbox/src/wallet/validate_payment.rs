//! What a payment may be made with.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::errors::Refusal;
use super::money;
use super::objects::{Beneficiary, Commission, Item, Password, PaymentTerms};
use super::read::Reader;
use super::settings::WalletSettings;
use super::users::OWN_WALLET;
use super::validate::{flat, span};

/// What a payment without a currency is in: the specification requires one and leaves it out of
/// half its samples.
const USUAL_CURRENCY: &str = "EUR";

/// Reads a payment.
pub(super) fn terms(
    settings: &WalletSettings,
    members: &Map<String, Value>,
    path: &str,
    now: Timestamp,
) -> Result<PaymentTerms, Refusal> {
    let mut reader = Reader::new(members, path);
    let (items, item_currency) = items(&mut reader);
    let price = price(&mut reader, &items);
    let description = reader.filled("description");
    if description.is_none() && !reader.has("description") && items.is_empty() {
        reader.refuse("description", "Description must be provided");
    }
    let currency =
        reader.currency("currency").or(item_currency).unwrap_or_else(|| USUAL_CURRENCY.to_owned());
    let beneficiary = beneficiary(&mut reader);
    let commission = commission(settings, &mut reader, price);
    let freeze = span(&mut reader, "freeze", flat(settings), now);
    let terms = price.zip(beneficiary).map(|(price, beneficiary)| PaymentTerms {
        kind: reader.filled("type").unwrap_or_else(|| "page".to_owned()),
        description,
        price,
        currency,
        items,
        beneficiary,
        commission,
        parameters: reader.object("parameters").cloned(),
        freeze,
        password: password(&mut reader),
        extras: reader.keep(&[
            "price_rules",
            "cashback",
            "cashback_decimal",
            "purpose",
            "funds_source",
        ]),
    });
    reader.finish(terms)
}

fn price(reader: &mut Reader<'_>, items: &[Item]) -> Option<i64> {
    let given = reader.cents("price", 1);
    if items.is_empty() {
        if given.is_none() && reader.wrong.is_empty() {
            reader.refuse("price", "Either price or items must be provided");
        }
        return given;
    }
    let total = items
        .iter()
        .try_fold(0_i64, |total, item| total.checked_add(item.price.checked_mul(item.quantity)?));
    match (total, given) {
        (None, _) => {
            reader.refuse("items", "The total of the items is too large");
            None
        }
        (Some(total), Some(given)) if total != given => {
            reader.refuse("price", "Price and the total of the items differ");
            None
        }
        (Some(total), _) => Some(total),
    }
}

/// The items, and the currency that older clients put on them.
fn items(reader: &mut Reader<'_>) -> (Vec<Item>, Option<String>) {
    let mut items = Vec::new();
    let mut currency: Option<String> = None;
    for (position, element) in reader.array("items").unwrap_or_default().iter().enumerate() {
        let name = format!("items[{position}]");
        let Value::Object(members) = element else {
            reader.refuse(&name, "An item is an object");
            continue;
        };
        let mut inner = Reader::new(members, reader.path_of(&name));
        let own = inner.currency("currency");
        if currency.is_some() && own.is_some() && own != currency {
            inner.refuse("currency", "Items must have one currency");
        }
        currency = own.or(currency);
        let title = inner.filled("title");
        let price = inner.cents("price", 1);
        let quantity = inner.at_least("quantity", 1);
        for required in ["title", "quantity"] {
            if !inner.has(required) {
                inner.refuse(required, format!("Item {required} must be provided"));
            }
        }
        if !inner.has("price") && !inner.has("price_decimal") {
            inner.refuse("price", "Item price must be provided");
        }
        let item = title.zip(price).zip(quantity).map(|((title, price), quantity)| Item {
            title,
            description: inner.text("description").map(str::to_owned),
            price,
            quantity,
            image_uri: inner.text("image_uri").map(str::to_owned),
            parameters: inner.object("parameters").cloned(),
        });
        items.extend(reader.take(inner.finish(item)));
    }
    (items, currency)
}

/// One of the flat spellings, the nested one, or the merchant's own wallet.
fn beneficiary(reader: &mut Reader<'_>) -> Option<Beneficiary> {
    let nested = match reader.value("beneficiary") {
        Some(Value::Number(_)) => reader.integer("beneficiary").map(Beneficiary::Id),
        Some(_) => reader.object("beneficiary").and_then(|members| {
            let mut inner = Reader::new(members, reader.path_of("beneficiary"));
            let found = one_of(&mut inner, "id");
            let unread = found.is_none() && inner.wrong.is_empty();
            reader.wrong.append(&mut inner.wrong);
            // Such as a barcode: the money must not go to the merchant instead.
            if unread {
                reader.refuse("beneficiary", "Give id, email or phone");
            }
            found
        }),
        None => None,
    };
    let flat = one_of(reader, "beneficiary_id");
    match (nested, flat) {
        (Some(_), Some(_)) => {
            reader.refuse("beneficiary", "Only one beneficiary may be given");
            None
        }
        (nested, flat) => Some(nested.or(flat).unwrap_or(Beneficiary::Id(OWN_WALLET))),
    }
}

fn one_of(reader: &mut Reader<'_>, id: &str) -> Option<Beneficiary> {
    let given = [id, "email", "phone"].iter().filter(|name| reader.has(name)).count();
    if given > 1 {
        reader.refuse(id, "Only one beneficiary may be given");
        return None;
    }
    if let Some(id) = reader.integer(id) {
        return Some(Beneficiary::Id(id));
    }
    if let Some(email) = reader.filled("email") {
        if !email.contains('@') {
            reader.refuse("email", "Email is not valid");
        }
        return Some(Beneficiary::Email(email));
    }
    let phone = reader.filled("phone")?;
    if !phone.bytes().all(|byte| byte.is_ascii_digit()) {
        reader.refuse("phone", "Phone must be digits with the country code");
    }
    Some(Beneficiary::Phone(phone))
}

fn commission(
    settings: &WalletSettings,
    reader: &mut Reader<'_>,
    price: Option<i64>,
) -> Option<Commission> {
    let members = reader.object("commission")?;
    let mut inner = Reader::new(members, reader.path_of("commission"));
    let mut side = |name: &str| {
        let share = format!("{name}_percent");
        let Some(text) = inner.value(&share) else {
            return inner.cents(name, 0).unwrap_or_default();
        };
        // A decimal, as a number or as text.
        let text = text.as_str().map_or_else(|| text.to_string(), str::to_owned);
        let amount = price.and_then(|price| money::percent(price, &text));
        if amount.is_none() || inner.has(name) {
            inner.refuse(&share, format!("{share} must be a percentage, alone"));
        }
        amount.unwrap_or_default()
    };
    let commission =
        Commission { in_commission: side("in_commission"), out_commission: side("out_commission") };
    if price.is_some_and(|price| !commission.fits(price, settings)) {
        inner.refuse("in_commission", "Commission is more than the price");
    }
    reader.wrong.append(&mut inner.wrong);
    Some(commission)
}

/// Text, or an object with `type` and `value`, which later has to be given again.
fn password(reader: &mut Reader<'_>) -> Option<Password> {
    let Value::Object(members) = reader.value("password")? else {
        return reader.filled("password").map(|value| Password { generated: false, value });
    };
    let mut inner = Reader::new(members, reader.path_of("password"));
    let generated = match inner.filled("type").as_deref() {
        Some("generated") => true,
        Some("provided") | None => false,
        Some(_) => {
            inner.refuse("type", "type must be provided or generated");
            false
        }
    };
    let value = inner.filled("value");
    if generated == value.is_some() && inner.wrong.is_empty() {
        inner.refuse("value", "A provided password has a value, a generated one has none");
    }
    reader.wrong.append(&mut inner.wrong);
    Some(Password { generated, value: value.unwrap_or_default() })
}
