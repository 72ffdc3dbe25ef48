//! The input to correct, as the caller knows it, by the path that the provider blames.

use serde_json::Value;

use crate::call::Call;

/// A name of a path, and which of several is meant.
type Segment<'a> = (&'a str, Option<usize>);

/// The input that is behind the first path that stands for one: `payments[0].currency`.
pub(super) fn blamed(call: &Call<'_>, properties: &Value) -> Option<String> {
    properties.as_object()?.keys().find_map(|path| input(call, path))
}

fn input(call: &Call<'_>, path: &str) -> Option<String> {
    // The official client's form of an allowance has a level more.
    let segments: Vec<Segment<'_>> =
        path.split('.').map(segment).filter(|(name, _)| *name != "data").collect();
    let (last, _) = segments.last()?;
    let named = |name: &str| Some(name.to_owned());
    match (call, segments.as_slice()) {
        (Call::ConfirmTransaction(_), _) => named("options.wallet.confirm_prices"),
        (Call::FreezePayment(_), _) => named("until"),
        (Call::PaymentPassword(_), [("password", _)]) => named("password"),
        (Call::FinalizePayment(_), _) if is_price(last) || *last == "currency" => named("amount"),
        (Call::CreateTransaction { .. }, [("allowance", None), inner @ ..]) => {
            allowance(inner, true)
        }
        (Call::CreateCarrier, [("allowance", None), inner @ ..]) => allowance(inner, false),
        (Call::CreateAllowance, inner) => allowance(inner, false),
        (Call::CreateTransaction { is_split }, [("payments", nth), inner @ ..]) => {
            payment(*is_split, *nth, inner)
        }
        (Call::CreateTransaction { .. } | Call::CreateCarrier, [("redirect_uri", _)]) => {
            named("return_url")
        }
        (Call::CreateTransaction { .. }, [("allowance_id", _)]) => named("mandate"),
        (Call::CreateTransaction { .. } | Call::CreateCarrier, [("reserve", _), ..]) => {
            named("options.wallet.reserve_until")
        }
        (_, [("currency", _)]) => named("currency"),
        (_, _) => None,
    }
}

/// `items[1]`, or a name alone.
fn segment(text: &str) -> Segment<'_> {
    let indexed = || {
        let (name, rest) = text.split_once('[')?;
        Some((name, rest.strip_suffix(']')?.parse().ok()))
    };
    indexed().unwrap_or((text, None))
}

fn is_price(name: &str) -> bool {
    matches!(name, "price" | "price_decimal")
}

/// The only payment of a request, whose price and description are its own, or one of a split.
fn payment(is_split: bool, nth: Option<usize>, inner: &[Segment<'_>]) -> Option<String> {
    let own = match nth {
        _ if !is_split => "options.wallet".to_owned(),
        Some(nth) => format!("options.wallet.split[{nth}]"),
        None => return Some("options.wallet.split".to_owned()),
    };
    let below = |name: &str| Some(format!("{own}.{name}"));
    match inner {
        [(name, _)] if is_price(name) && !is_split => Some("amount".to_owned()),
        [(name, _)] if is_price(name) => below("price"),
        [("description", _)] if !is_split => Some("description".to_owned()),
        [("description", _)] => below("description"),
        [("currency", _)] | [("items", _), ("currency", _)] => Some("currency".to_owned()),
        [("freeze_until" | "freeze", _), ..] => Some("options.wallet.freeze_until".to_owned()),
        [("items", Some(item)), (name, _), ..] => match *name {
            price if is_price(price) => below(&format!("items[{item}].price")),
            known @ ("title" | "description" | "quantity" | "image_uri" | "parameters") => {
                below(&format!("items[{item}].{known}"))
            }
            _ => below(&format!("items[{item}]")),
        },
        [("items", Some(item))] => below(&format!("items[{item}]")),
        [("items", None), ..] => below("items"),
        [("commission", _), (name, _)] => match name.trim_end_matches("_decimal") {
            known @ ("in_commission" | "out_commission") => below(&format!("commission.{known}")),
            _ => below("commission"),
        },
        [("commission", _)] => below("commission"),
        [("beneficiary_id", _)] => below("beneficiary.wallet"),
        [(known @ ("email" | "phone"), _)]
        | [("beneficiary", _), (known @ ("email" | "phone"), _)] => {
            below(&format!("beneficiary.{known}"))
        }
        [("beneficiary", _), ("id", _)] => below("beneficiary.wallet"),
        [("beneficiary", _), ..] => below("beneficiary"),
        [("type", _)] => below("payment_type"),
        [("parameters", _), ..] => below("parameters"),
        _ => None,
    }
}

/// The terms are a mandate's own, or stand in the options of a payment. A mandate's limits by time
/// are options, too.
fn allowance(inner: &[Segment<'_>], of_payment: bool) -> Option<String> {
    let limits = if of_payment { "limits" } else { "options.wallet.mandate_limits" };
    let name = match inner {
        [("currency", _)] => return Some("currency".to_owned()),
        [("max_price" | "max_price_decimal", _)] => "limit".to_owned(),
        [("description", _)] => "description".to_owned(),
        [("valid", _), ..] => "valid_until".to_owned(),
        [("limits", Some(nth)), ..] => format!("{limits}[{nth}]"),
        [("limits", None), ..] => limits.to_owned(),
        _ => return None,
    };
    Some(if of_payment { format!("options.wallet.allowance.{name}") } else { name })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINGLE: Call<'_> = Call::CreateTransaction { is_split: false };
    const SPLIT: Call<'_> = Call::CreateTransaction { is_split: true };

    fn blamed_for(call: Call<'_>, path: &str) -> Option<String> {
        blamed(&call, &serde_json::json!({ path: ["no"] }))
    }

    #[test]
    fn inputs_of_a_payment_are_named_as_the_caller_knows_them() {
        for (path, input) in [
            ("payments[0].currency", "currency"),
            ("payments[0].price", "amount"),
            ("payments[0].description", "description"),
            ("payments[0].items[1].price", "options.wallet.items[1].price"),
            ("payments[0].items[1].description", "options.wallet.items[1].description"),
            ("payments[0].items", "options.wallet.items"),
            ("payments[0].commission.out_commission", "options.wallet.commission.out_commission"),
            ("payments[0].beneficiary_id", "options.wallet.beneficiary.wallet"),
            ("payments[0].email", "options.wallet.beneficiary.email"),
            ("payments[0].beneficiary.phone", "options.wallet.beneficiary.phone"),
            ("payments[0].parameters.email", "options.wallet.parameters"),
            ("payments[0].parameters.phone", "options.wallet.parameters"),
            ("payments[0].freeze_until", "options.wallet.freeze_until"),
            ("payments[0].type", "options.wallet.payment_type"),
            ("allowance.max_price", "options.wallet.allowance.limit"),
            ("allowance.data.description", "options.wallet.allowance.description"),
            ("allowance_id", "mandate"),
            ("redirect_uri", "return_url"),
            ("reserve.until", "options.wallet.reserve_until"),
        ] {
            assert_eq!(blamed_for(SINGLE, path).as_deref(), Some(input), "{path}");
        }
        for path in ["payments[0].surprise", "surprise", "", "payments", "data", "price"] {
            assert_eq!(blamed_for(SINGLE, path), None, "{path}");
        }
        assert_eq!(blamed(&SINGLE, &serde_json::json!([])), None);
    }

    #[test]
    fn inputs_of_a_split_are_named_by_their_line() {
        for (path, input) in [
            ("payments[0].price", "options.wallet.split[0].price"),
            ("payments[0].description", "options.wallet.split[0].description"),
            ("payments[0].beneficiary_id", "options.wallet.split[0].beneficiary.wallet"),
            ("payments[1].price", "options.wallet.split[1].price"),
            ("payments[1].description", "options.wallet.split[1].description"),
            ("payments[1].beneficiary.phone", "options.wallet.split[1].beneficiary.phone"),
            ("payments[1].parameters.email", "options.wallet.split[1].parameters"),
            ("payments[2].items[0].quantity", "options.wallet.split[2].items[0].quantity"),
            ("payments[0].currency", "currency"),
            ("payments.price", "options.wallet.split"),
        ] {
            assert_eq!(blamed_for(SPLIT, path).as_deref(), Some(input), "{path}");
        }
    }

    #[test]
    fn inputs_of_other_calls_are_named_as_the_caller_knows_them() {
        for (call, path, input) in [
            (Call::CreateCarrier, "allowance.max_price", "limit"),
            (Call::CreateCarrier, "allowance.data.valid.until", "valid_until"),
            (Call::CreateAllowance, "description", "description"),
            (Call::CreateAllowance, "limits[1].max_price", "options.wallet.mandate_limits[1]"),
            (Call::CreateCarrier, "allowance.limits", "options.wallet.mandate_limits"),
            (Call::FinalizePayment("1"), "price", "amount"),
            (Call::FinalizePayment("1"), "currency", "amount"),
            (Call::FreezePayment("1"), "freeze.until", "until"),
            (Call::ConfirmTransaction("k"), "2987.price", "options.wallet.confirm_prices"),
            (Call::AllowanceLimit("1"), "currency", "currency"),
        ] {
            assert_eq!(blamed_for(call, path).as_deref(), Some(input), "{path}");
        }
    }
}
