//! What a request must be before it may change anything: which members each type of payment
//! requires, allows and forbids.

use serde_json::{Map, Value};
use url::Url;

use super::errors::{Refusal, Wrong};
use super::objects::Kind;
use super::operation::Operation;
use super::payments::Order;
use super::settings::RampSettings;
use crate::html::is_safe_link;

/// What a type of payment says to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Required,
    Optional,
    Forbidden,
}

/// Members that hold text.
const TEXTS: [&str; 6] =
    ["paymentId", "invoiceId", "discountCode", "accountId", "someData", "currency"];

/// The table of the operations that take an order.
fn rule(settings: &RampSettings, operation: Operation, kind: Kind, member: &str) -> Option<Rule> {
    let creates = matches!(operation, Operation::CreatePayment | Operation::RetrievePayment);
    let confirms = operation == Operation::ConfirmPayment;
    let required_if = |yes: bool| if yes { Rule::Required } else { Rule::Optional };
    let allowed_if = |yes: bool| if yes { Rule::Optional } else { Rule::Forbidden };
    let rule = match (member, kind) {
        ("type" | "invoiceId", _) => Rule::Required,
        ("paymentId", _) => required_if(confirms),
        ("discountCode", _) => Rule::Optional,
        ("accountId", Kind::Platform) => required_if(creates || confirms),
        ("someData", Kind::External) => {
            required_if(settings.some_data_required && operation != Operation::RetrievePayment)
        }
        // Seen in the requests of clients, without effect here.
        ("anyCurrency" | "currency", _) => allowed_if(kind == Kind::Platform && creates),
        ("accountId" | "someData", _) => Rule::Forbidden,
        (member, _) if member == settings.redirect_member => {
            allowed_if(creates && kind == Kind::Checkout)
        }
        _ => return None,
    };
    Some(rule)
}

/// Checks a request of operations 1 to 3.
pub(super) fn order(
    settings: &RampSettings,
    operation: Operation,
    body: &Map<String, Value>,
) -> Result<Order, Refusal> {
    let mut wrong = Vec::new();
    let kind = kind(body, &mut wrong);
    let redirect = settings.redirect_member.as_str();
    for member in TEXTS.into_iter().chain([redirect]) {
        check_text(member, body, &mut wrong);
    }
    if body.get("anyCurrency").is_some_and(|value| !value.is_boolean()) {
        wrong.push(Wrong::new("anyCurrency", "anyCurrency must be true or false"));
    }
    match kind {
        Some(kind) => check_members(settings, operation, kind, body, &mut wrong),
        None if !body.contains_key("invoiceId") => {
            wrong.push(Wrong::new("invoiceId", "invoiceId is required"));
        }
        None => {}
    }
    let text = |member: &str| body.get(member).and_then(Value::as_str).map(str::to_owned);
    let redirect_url = text(redirect);
    let is_link = |text: &String| Url::parse(text).is_ok_and(|url| is_safe_link(&url));
    if redirect_url.as_ref().is_some_and(|url| !is_link(url)) {
        wrong.push(Wrong::new(redirect, format!("{redirect} must be an absolute URL")));
    }
    match (kind, text("invoiceId")) {
        (Some(kind), Some(invoice_id)) if wrong.is_empty() => Ok(Order {
            payment_id: text("paymentId"),
            invoice_id,
            kind,
            account: text("accountId"),
            discount: text("discountCode"),
            some_data: text("someData"),
            redirect_url,
        }),
        _ => Err(Refusal::Invalid(wrong)),
    }
}

/// Checks a request to apply a discount: invoice and code.
pub(super) fn discount(body: &Map<String, Value>) -> Result<(&str, &str), Refusal> {
    let mut wrong = Vec::new();
    for member in ["invoiceId", "discountCode"] {
        check_text(member, body, &mut wrong);
        if !body.contains_key(member) {
            wrong.push(Wrong::new(member, format!("{member} is required")));
        }
    }
    let text = |member: &str| body.get(member).and_then(Value::as_str);
    match (text("invoiceId"), text("discountCode")) {
        (Some(invoice), Some(code)) if wrong.is_empty() => Ok((invoice, code)),
        _ => Err(Refusal::Invalid(wrong)),
    }
}

fn kind(body: &Map<String, Value>, wrong: &mut Vec<Wrong>) -> Option<Kind> {
    let Some(word) = body.get("type") else {
        wrong.push(Wrong::new("type", "type is required"));
        return None;
    };
    let found = Kind::ALL.into_iter().find(|(_, known)| word == known);
    if found.is_none() {
        wrong.push(Wrong::new("type", "type must be one of PLATFORM, CHECKOUT, EXTERNAL"));
    }
    found.map(|(kind, _)| kind)
}

/// A member that is there is text and says something; what is absent is left out, not `null`.
fn check_text(member: &str, body: &Map<String, Value>, wrong: &mut Vec<Wrong>) {
    match body.get(member) {
        None => {}
        Some(Value::String(text)) if !text.trim().is_empty() => {}
        Some(Value::String(_)) => {
            wrong.push(Wrong::new(member, format!("{member} must not be blank")));
        }
        Some(_) => wrong.push(Wrong::new(member, format!("{member} must be a string"))),
    }
}

fn check_members(
    settings: &RampSettings,
    operation: Operation,
    kind: Kind,
    body: &Map<String, Value>,
    wrong: &mut Vec<Wrong>,
) {
    let word = kind.word();
    for member in ["invoiceId", "paymentId", "accountId", "someData"] {
        let rule = rule(settings, operation, kind, member);
        if rule == Some(Rule::Required) && !body.contains_key(member) {
            let only = if matches!(member, "accountId" | "someData") {
                format!("{member} is required for {word} payments")
            } else {
                format!("{member} is required")
            };
            wrong.push(Wrong::new(member, only));
        }
    }
    for member in body.keys() {
        match rule(settings, operation, kind, member) {
            Some(Rule::Forbidden) => {
                let words = format!("{member} is not allowed for {word} payments here");
                wrong.push(Wrong::new(member, words));
            }
            None if settings.refuse_unknown_members => {
                wrong.push(Wrong::new(member, format!("{member} is not known")));
            }
            Some(Rule::Required | Rule::Optional) | None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const CREATE: Operation = Operation::CreatePayment;
    const UPDATE: Operation = Operation::UpdatePayment;
    const CONFIRM: Operation = Operation::ConfirmPayment;

    fn check(operation: Operation, body: &Value) -> Result<Order, Vec<String>> {
        check_with(&RampSettings::default(), operation, body)
    }

    fn check_with(
        settings: &RampSettings,
        operation: Operation,
        body: &Value,
    ) -> Result<Order, Vec<String>> {
        order(settings, operation, body.as_object().unwrap()).map_err(|refusal| {
            let Refusal::Invalid(wrong) = refusal else { panic!("{refusal:?}") };
            wrong.into_iter().map(|wrong| wrong.key).collect()
        })
    }

    /// A request with every required member of its type.
    fn request(operation: Operation, kind: &str) -> Value {
        let mut body = json!({"invoiceId": "i", "type": kind});
        if operation == CONFIRM {
            body["paymentId"] = "p".into();
        }
        if kind == "PLATFORM" && operation != UPDATE {
            body["accountId"] = "a".into();
        }
        body
    }

    /// Every cell of the contract's tables: R required, O optional, - not to be sent.
    #[test]
    fn every_member_is_required_allowed_or_forbidden() {
        let table = [
            (CREATE, "invoiceId", "RRR"),
            (CREATE, "type", "RRR"),
            (CREATE, "paymentId", "OOO"),
            (CREATE, "discountCode", "OOO"),
            (CREATE, "accountId", "R--"),
            (CREATE, "someData", "--O"),
            (CREATE, "redirectUrl", "-O-"),
            (CREATE, "currency", "O--"),
            (UPDATE, "invoiceId", "RRR"),
            (UPDATE, "type", "RRR"),
            (UPDATE, "paymentId", "OOO"),
            (UPDATE, "discountCode", "OOO"),
            (UPDATE, "someData", "--O"),
            (UPDATE, "accountId", "O--"),
            (UPDATE, "redirectUrl", "---"),
            (CONFIRM, "paymentId", "RRR"),
            (CONFIRM, "invoiceId", "RRR"),
            (CONFIRM, "type", "RRR"),
            (CONFIRM, "discountCode", "OOO"),
            (CONFIRM, "accountId", "R--"),
            (CONFIRM, "someData", "--O"),
            (CONFIRM, "redirectUrl", "---"),
        ];
        for (operation, member, rules) in table {
            for (kind, rule) in ["PLATFORM", "CHECKOUT", "EXTERNAL"].iter().zip(rules.chars()) {
                let what = format!("{operation:?} {kind} {member}");
                let wrong = Err(vec![member.to_owned()]);
                let mut without = request(operation, kind);
                without.as_object_mut().unwrap().remove(member);
                let without = check(operation, &without);
                let mut with = request(operation, kind);
                if member != "type" {
                    with[member] = "https://shop.example/".into();
                }
                let with = check(operation, &with);
                match rule {
                    'R' => assert!(with.is_ok() && without == wrong, "{what}: {without:?}"),
                    'O' => assert!(with.is_ok() && without.is_ok(), "{what}: {with:?}"),
                    _ => assert!(with == wrong && without.is_ok(), "{what}: {with:?}"),
                }
            }
        }
    }

    #[test]
    fn values_are_checked() {
        for (member, value) in [
            ("invoiceId", json!("")),
            ("invoiceId", json!(7)),
            ("discountCode", json!(null)),
            ("accountId", json!("  ")),
            ("anyCurrency", json!("true")),
            ("type", json!("platform")),
            ("type", json!("CARD")),
            ("type", json!(null)),
        ] {
            let mut body = request(CREATE, "PLATFORM");
            body[member] = value.clone();
            assert_eq!(check(CREATE, &body), Err(vec![member.to_owned()]), "{member} {value}");
        }
        for link in ["thanks", "javascript:alert(1)"] {
            let mut body = request(CREATE, "CHECKOUT");
            body["redirectUrl"] = link.into();
            assert_eq!(check(CREATE, &body), Err(vec!["redirectUrl".to_owned()]), "{link}");
        }
        let all = check(CONFIRM, &json!({"type": "PLATFORM"})).unwrap_err();
        assert_eq!(all, ["invoiceId", "paymentId", "accountId"]);
        let nothing = check(CREATE, &json!({})).unwrap_err();
        assert_eq!(nothing, ["type", "invoiceId"]);
    }

    #[test]
    fn settings_change_the_rules() {
        let settings = RampSettings {
            some_data_required: true,
            refuse_unknown_members: true,
            redirect_member: "returnUrl".to_owned(),
            ..RampSettings::default()
        };
        let check = |operation, body: &Value| check_with(&settings, operation, body);
        let body = request(UPDATE, "EXTERNAL");
        assert_eq!(check(UPDATE, &body), Err(vec!["someData".to_owned()]));
        assert!(check(Operation::RetrievePayment, &body).is_ok(), "a look-up goes without");
        let mut body = request(CREATE, "CHECKOUT");
        body["returnUrl"] = "https://shop.example/".into();
        assert!(check(CREATE, &body).is_ok());
        body["redirectUrl"] = "https://shop.example/".into();
        assert_eq!(check(CREATE, &body), Err(vec!["redirectUrl".to_owned()]));
        assert!(
            check_with(
                &RampSettings::default(),
                CREATE,
                &json!({
                    "invoiceId": "i", "type": "CHECKOUT", "note": 7,
                })
            )
            .is_ok()
        );
    }

    #[test]
    fn a_discount_needs_an_invoice_and_a_code() {
        let body = json!({"invoiceId": "i", "discountCode": "c"});
        assert_eq!(discount(body.as_object().unwrap()), Ok(("i", "c")));
        for body in
            [json!({}), json!({"invoiceId": "i"}), json!({"invoiceId": 1, "discountCode": "c"})]
        {
            assert!(discount(body.as_object().unwrap()).is_err(), "{body}");
        }
    }
}
