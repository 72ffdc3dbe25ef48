//! What an account cannot do with an operation that it has is refused, never ignored: another way
//! to capture, a part of an amount, a mandate, a currency, a key that is too long.

use std::sync::Arc;

use paymux_core::{
    CaptureChoice, Currencies, Currency, ErrorKind, Operation, PaymentProvider, Replay,
};
use serde_json::{Value, json};

use super::{Account, Golden, must_be_refused, needs_golden};
use crate::{data::Problem, play::Context, suite::trial, trial::Trial};

/// Refused before anything is sent, whatever it is called.
const REFUSED: [ErrorKind; 2] = [ErrorKind::InvalidRequest, ErrorKind::Unsupported];

/// Core takes no longer key.
const LONGEST_KEY: usize = 255;

pub(super) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
) -> Vec<Trial> {
    let mut trials = capture_method(context, account);
    let able = &account.able;
    let create = Operation::CreatePayment;
    let part = json!({ "minor": "1", "currency": currency_of(account) });
    let parts = [
        ("partial_capture", Operation::CapturePayment, able.partial_capture),
        ("partial_refund", Operation::CreateRefund, able.partial_refund),
    ];
    for (rule, operation, claimed) in parts {
        trials.extend(member(context, account, rule, operation, claimed, "/amount", part.clone()));
    }
    let mandate = json!("mandate-1");
    trials.extend(member(context, account, "mandates", create, able.mandates, "/mandate", mandate));
    trials.extend(other_currency(context, account));
    trials.extend(long_keys(context, account));
    trials
}

/// A member of a request that is either shown by a case or refused.
fn member<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
    rule: &str,
    operation: Operation,
    claimed: bool,
    pointer: &'static str,
    value: Value,
) -> Option<Trial> {
    let golden = account.goldens(operation).next()?;
    let found = account.goldens(operation).any(|golden| golden.input(pointer).is_some());
    let changed = golden.with(&account.name, pointer, value);
    Some(trial(context, account.rule(rule), move |context| async move {
        if claimed {
            return needs_golden(found, &format!("`{pointer}` of {operation}"));
        }
        must_be_refused(&context, changed?, &REFUSED).await
    }))
}

/// An account that is fixed to one way to capture refuses the other: money that is taken when it
/// should be held, or held when it should be taken, is a surprise to somebody.
fn capture_method<P: PaymentProvider>(context: &Arc<Context<P>>, account: &Account) -> Vec<Trial> {
    let create = Operation::CreatePayment;
    let Some(golden) = account.goldens(create).next() else { return Vec::new() };
    let shown = |way: &str| {
        let mut ways = account.goldens(create).filter_map(|golden| golden.input("/capture"));
        ways.any(|there| there == way)
    };
    let name = account.rule("capture_method");
    let refused = match account.able.capture {
        CaptureChoice::Automatic => "manual",
        CaptureChoice::Manual => "automatic",
        CaptureChoice::PerRequest => {
            let both = shown("manual") && shown("automatic");
            return vec![trial(context, name, move |_| async move {
                needs_golden(both, "both ways to capture")
            })];
        }
    };
    let changed = golden.with(&account.name, "/capture", json!(refused));
    vec![trial(context, name, move |context| async move {
        must_be_refused(&context, changed?, &REFUSED).await
    })]
}

/// A currency that is not among those the account takes.
fn other_currency<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
) -> Option<Trial> {
    let Currencies::Only(taken) = &account.able.currencies else { return None };
    let other = Currency::all_iso().find(|currency| !taken.contains(currency))?;
    let golden = account.goldens(Operation::CreatePayment).next()?;
    let changed = golden.with(&account.name, "/amount/currency", json!(other));
    Some(trial(context, account.rule("currencies"), move |context| async move {
        must_be_refused(&context, changed?, &REFUSED).await
    }))
}

/// A key that the provider would cut would protect nothing: it is refused.
fn long_keys<P: PaymentProvider>(context: &Arc<Context<P>>, account: &Account) -> Vec<Trial> {
    let trial_of = |golden: &Golden, operation: Operation, max_len: usize| {
        let changed: Result<_, Problem> =
            golden.with(&account.name, "/key", json!("k".repeat(max_len + 1)));
        let name = account.rule(&format!("key_length::{operation}"));
        trial(context, name, move |context| async move {
            must_be_refused(&context, changed?, &REFUSED).await
        })
    };
    let keyed = account.able.replay.iter().filter_map(|(operation, replay)| match replay {
        Replay::Key { max_len, .. } if usize::from(*max_len) < LONGEST_KEY => {
            let golden = account.goldens(*operation).next()?;
            Some(trial_of(golden, *operation, usize::from(*max_len)))
        }
        Replay::Key { .. }
        | Replay::Reference
        | Replay::Harmless
        | Replay::LookupFirst
        | Replay::Never => None,
    });
    keyed.collect()
}

fn currency_of(account: &Account) -> Value {
    let golden = account.goldens(Operation::CreatePayment).next();
    let currency = golden.and_then(|golden| golden.input("/amount/currency")).cloned();
    currency.unwrap_or_else(|| json!("USD"))
}
