//! What the golden cases and deliveries, taken together, must show.

use std::{collections::BTreeMap, sync::Arc};

use paymux_core::{CreateEffect, Operation, PaymentProvider, PaymentStatus};
use serde_json::{Value, json};

use super::{Account, Golden, needs_golden};
use crate::{
    data::{self, Problem},
    play::{Context, verdict},
    status::Object,
    suite::trial,
    trial::Trial,
    webhook::Received,
};

/// A shorter text would be found where it is not meant.
const SHORTEST_SECRET: usize = 8;

/// Without secrets to look for, nothing is proved of them.
pub(super) fn secrets<P: PaymentProvider>(context: &Arc<Context<P>>) -> Trial {
    trial(context, "rule::secrets", |context| async move {
        if context.secrets.is_empty() {
            return Err("the suite names no secret to look for".to_owned());
        }
        let short = context.secrets.iter().any(|secret| secret.len() < SHORTEST_SECRET);
        if short { Err(format!("a secret is below {SHORTEST_SECRET} characters")) } else { Ok(()) }
    })
}

pub(super) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
    deliveries: &[Received],
) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, check: Check| {
        let account = account.clone();
        trials.push(trial(context, account.rule(name), move |context| async move {
            let shown = play_all(&context, &account).await?;
            check(&account, &shown)
        }));
    };
    add("confirm_steps", confirm_steps);
    add("reports_captured", reports_captured);
    add("opens_only", opens_only);
    add("next_pages", next_pages);
    let golden: Vec<Received> = deliveries.iter().filter(|d| d.is_golden()).cloned().collect();
    let believed = golden.clone();
    let able = account.able.clone();
    trials.push(trial(context, account.rule("webhook_trust"), move |context| async move {
        let reached = believed.iter().filter_map(|received| events(&context, received).ok());
        let most = reached.flatten().map(|event| event.trust).max();
        if most == Some(able.webhook_trust) {
            return Ok(());
        }
        Err(format!("the account says {}, its deliveries reach {most:?}", able.webhook_trust))
    }));
    trials.push(trial(context, account.rule("event_keys"), move |context| async move {
        event_keys(&context, &golden)
    }));
    trials
}

/// The documented statuses of what the account can open are written down.
pub(super) fn statuses<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
    known: &[Object],
) -> Vec<Trial> {
    let needed = [
        (Object::Payment, Operation::CreatePayment),
        (Object::Refund, Operation::CreateRefund),
        (Object::Mandate, Operation::CreateMandate),
    ];
    let able = needed.into_iter().filter(|(_, operation)| account.able.has(*operation));
    let trials = able.map(|(object, operation)| {
        let name = account.rule(&format!("statuses::{operation}"));
        let found = known.contains(&object);
        trial(context, name, move |_| async move {
            if found {
                return Ok(());
            }
            Err(format!("statuses.json has no template with a {object:?} in it"))
        })
    });
    trials.collect()
}

/// Looks at what the golden cases showed.
type Check = fn(&Account, &[(Golden, Value)]) -> Result<(), Problem>;

/// The results of the account's golden cases; those that fail do so in their own trial.
async fn play_all<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    account: &Account,
) -> Result<Vec<(Golden, Value)>, Problem> {
    let mut shown = Vec::new();
    for golden in account.goldens.iter() {
        let (_, played) = context.play_as_written(&golden.template).await?;
        if let Ok(value) = played.result {
            shown.push((golden.clone(), value));
        }
    }
    Ok(shown)
}

/// Every step that a payment asks for is one that `confirm_payment` is shown to take.
fn confirm_steps(account: &Account, shown: &[(Golden, Value)]) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for (golden, value) in shown {
        let Some(step) = value.pointer("/next_action/step") else { continue };
        let mut steps =
            account.goldens(Operation::ConfirmPayment).filter_map(|golden| golden.input("/step"));
        // A mandate's confirmation has no step.
        let of_a_mandate = golden.case.trait_operation().is_some_and(|operation| {
            matches!(operation.as_str(), "create_mandate" | "fetch_mandate" | "confirm_mandate")
        });
        if !of_a_mandate && !steps.any(|shown| shown == step) {
            let id = &golden.template.id;
            problems.push(format!("{id} asks for the step {step}, and no case confirms that"));
        }
    }
    verdict(&problems)
}

/// Success comes with a figure exactly where the account says so.
fn reports_captured(account: &Account, shown: &[(Golden, Value)]) -> Result<(), Problem> {
    let figures: Vec<&String> = shown
        .iter()
        .filter(|(golden, value)| {
            golden.is(Operation::FetchPayment)
                && value.get("status") == Some(&json!("succeeded"))
                && value.pointer("/amounts/captured").is_some_and(|amount| !amount.is_null())
        })
        .map(|(golden, _)| &golden.template.id)
        .collect();
    match (account.able.reports_captured, figures.first()) {
        (true, found) => needs_golden(found.is_some(), "that success comes with a figure"),
        (false, None) => Ok(()),
        (false, Some(id)) => Err(format!("{id} reports what the capabilities deny")),
    }
}

/// Where creating only opens, nothing is held or taken by it.
fn opens_only(account: &Account, shown: &[(Golden, Value)]) -> Result<(), Problem> {
    if account.able.create != CreateEffect::OpensOnly {
        return Ok(());
    }
    let mut problems = Vec::new();
    let creates = shown
        .iter()
        .filter(|(golden, _)| golden.is(Operation::CreatePayment) && !golden.case.repetition);
    for (golden, value) in creates {
        let status = value.get("status").cloned().unwrap_or_default();
        let status: PaymentStatus = data::read_as(&status, &golden.template.id)?;
        match status {
            PaymentStatus::Authorized | PaymentStatus::PartiallyPaid | PaymentStatus::Succeeded => {
                problems.push(format!("{} is {status} at once", golden.template.id));
            }
            PaymentStatus::RequiresAction
            | PaymentStatus::RequiresConfirmation
            | PaymentStatus::Processing
            | PaymentStatus::Cancelled
            | PaymentStatus::Expired
            | PaymentStatus::Failed
            | PaymentStatus::Unknown => {}
        }
    }
    verdict(&problems)
}

/// Where a list names a next page, a case asks for one so named.
fn next_pages(account: &Account, shown: &[(Golden, Value)]) -> Result<(), Problem> {
    let lists = || shown.iter().filter(|(golden, _)| golden.is(Operation::ListPayments));
    let next: Vec<&str> =
        lists().filter_map(|(_, value)| value.get("next").and_then(Value::as_str)).collect();
    let mut asked = account.goldens(Operation::ListPayments).filter_map(|golden| {
        // A cursor that is a link begins with the address that plays the provider.
        golden.template.raw.pointer("/call/list_payments/cursor")?.as_str()
    });
    if next.is_empty() || asked.any(|cursor| next.contains(&cursor)) {
        return Ok(());
    }
    Err(format!("lists name the next pages {next:?}, and no case asks for one of them"))
}

fn events<P: PaymentProvider>(
    context: &Context<P>,
    received: &Received,
) -> Result<Vec<paymux_core::WebhookEvent>, Problem> {
    context.verify(&received.account, &received.delivery)?
}

/// Two deliveries with different bodies are different events.
fn event_keys<P: PaymentProvider>(
    context: &Context<P>,
    deliveries: &[Received],
) -> Result<(), Problem> {
    let mut seen: BTreeMap<(String, String), &Received> = BTreeMap::new();
    let mut problems = Vec::new();
    for received in deliveries {
        for event in events(context, received).unwrap_or_default() {
            let key = (received.account.clone(), event.key.as_str().to_owned());
            if let Some(other) = seen.insert(key, received)
                && other.delivery.body != received.delivery.body
            {
                problems.push(format!("{} and {} have one event key", other.id, received.id));
            }
        }
    }
    verdict(&problems)
}
