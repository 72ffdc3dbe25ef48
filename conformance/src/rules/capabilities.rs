//! An operation, a look-up or a filter that is claimed is shown by a case; one that is not claimed
//! is `Unsupported` and sends nothing.

use std::sync::Arc;

use paymux_core::{Currencies, ErrorKind, Operation, PaymentProvider};
use serde_json::{Value, json};

use super::{Account, must_be_refused, needs_golden, probe};
use crate::{play::Context, suite::trial, trial::Trial};

/// Requests that are refused locally may also call it invalid.
const UNSUPPORTED: [ErrorKind; 1] = [ErrorKind::Unsupported];

pub(super) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Operation::ALL
        .into_iter()
        .map(|operation| operation_trial(context, account, operation))
        .collect();
    trials.extend(lookups(context, account));
    if account.able.has(Operation::ListPayments) {
        trials.extend(filters(context, account));
    }
    trials
}

fn operation_trial<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
    operation: Operation,
) -> Trial {
    let name = account.rule(&format!("capabilities::{operation}"));
    let claimed = account.able.has(operation);
    let found = account.goldens(operation).next().is_some();
    let call = json!({ operation.as_str(): sample(operation, account) });
    let template = probe(&account.name, &call);
    trial(context, name, move |context| async move {
        if claimed {
            return needs_golden(found, operation.as_str());
        }
        must_be_refused(&context, template, &UNSUPPORTED).await
    })
}

/// By what a payment can be looked up.
fn lookups<P: PaymentProvider>(context: &Arc<Context<P>>, account: &Account) -> Vec<Trial> {
    let part = json!({ "part": { "id": "part-1" } });
    let reference = json!({ "reference": { "reference": "reference-1" } });
    let by_reference = account.able.reference_lookup.is_some();
    let fetches: Vec<_> = account.goldens(Operation::FetchPayment).collect();
    let lookups = [("part", account.able.parts, part), ("reference", by_reference, reference)];
    let trials = lookups.into_iter().map(|(key, claimed, input)| {
        let found = fetches.iter().any(|golden| golden.input(&format!("/{key}")).is_some());
        let template = probe(&account.name, &json!({ "fetch_payment": input }));
        trial(context, account.rule(&format!("lookups::{key}")), move |context| async move {
            if claimed {
                return needs_golden(found, &format!("look-up by {key}"));
            }
            must_be_refused(&context, template, &UNSUPPORTED).await
        })
    });
    trials.collect()
}

/// What lists can be limited to.
fn filters<P: PaymentProvider>(context: &Arc<Context<P>>, account: &Account) -> Vec<Trial> {
    let able = &account.able;
    let moment = json!(1_717_000_000_000_i64);
    let filters = [
        ("created_from", able.list_created, moment.clone()),
        ("created_to", able.list_created, moment),
        ("status", able.list_status, json!("succeeded")),
        ("customer", able.list_customer, json!("player_42")),
    ];
    let lists: Vec<_> = account.goldens(Operation::ListPayments).collect();
    let options = lists.first().and_then(|golden| golden.input("/options")).cloned();
    let trials = filters.into_iter().map(|(key, claimed, value)| {
        let found = lists.iter().any(|golden| golden.input(&format!("/{key}")).is_some());
        let mut query = json!({ "limit": 10, "options": options.clone().unwrap_or(json!({})) });
        query[key] = value;
        let template = probe(&account.name, &json!({ "list_payments": query }));
        trial(context, account.rule(&format!("list_filters::{key}")), move |context| async move {
            if claimed {
                return needs_golden(found, &format!("the filter {key}"));
            }
            must_be_refused(&context, template, &UNSUPPORTED).await
        })
    });
    trials.collect()
}

/// A request that any account could understand.
fn sample(operation: Operation, account: &Account) -> Value {
    let currency = match &account.able.currencies {
        Currencies::Any => "USD".to_owned(),
        Currencies::Only(set) => set.iter().next().map_or("USD".to_owned(), ToString::to_string),
    };
    let amount = json!({ "minor": "999", "currency": currency });
    let payment = json!({ "id": "payment-1" });
    let mandate = json!({ "id": "mandate-1" });
    match operation.as_str() {
        "create_payment" => json!({
            "key": "key-1", "reference": "reference-1", "amount": amount,
            "capture": "automatic", "description": "a sample",
        }),
        "fetch_payment" => json!({ "payment": payment }),
        "list_payments" => json!({ "limit": 10 }),
        "confirm_payment" => json!({ "key": "key-1", "payment": payment, "step": "commit" }),
        "capture_payment" | "cancel_payment" => json!({ "key": "key-1", "payment": payment }),
        "create_refund" => {
            json!({ "key": "key-1", "reference": "reference-1", "payment": payment })
        }
        "fetch_refund" => json!({ "id": "refund-1" }),
        "list_payment_methods" => json!({ "currency": currency }),
        "create_mandate" => json!({
            "key": "key-1", "reference": "reference-1", "description": "a sample",
            "limit": amount,
        }),
        "fetch_mandate" => mandate,
        // What is left are `confirm_mandate` and `cancel_mandate`.
        _ => json!({ "key": "key-1", "mandate": mandate }),
    }
}
