//! Answers that say more than documented, or leave out what may be left out.

use std::sync::Arc;

use paymux_core::{Effect, ErrorKind, PaymentProvider, Result};
use serde_json::{Value, json};

use crate::{
    case::{Case, CaseTemplate, Reply},
    data::{self, Problem},
    errors::Override,
    fault_trials::{SAMPLE_SERVER, Spot, result_differences},
    play::{self, Context, verdict},
    serve::{Answer, Step},
    suite::trial,
    trial::Trial,
};

/// A change of a body.
type Change = Box<dyn Fn(&mut Value) -> Result<(), Problem> + Send>;

pub(crate) fn trials<'o, P: PaymentProvider>(
    context: &Arc<Context<P>>,
    spot: &Spot<'_>,
    find: &mut impl FnMut(&str) -> Option<&'o Override>,
) -> Vec<Trial> {
    let reply = &spot.case.exchanges[spot.position].reply;
    let Some(body) = &reply.body else { return Vec::new() };
    let mut trials = Vec::new();
    // An override takes the trial away: what new fields would mean is then written down there.
    if (body.is_object() || body.is_array()) && find("extra_fields").is_none() {
        let (case, position) = (spot.template.clone(), spot.position);
        trials.push(trial(context, spot.name("extra_fields"), move |context| async move {
            check_extra(&context, &case, position).await
        }));
    }
    if body.is_object() && find("doubled_members").is_none() {
        let effect = spot.phase().effect(false);
        let (case, position) = (spot.template.clone(), spot.position);
        trials.push(trial(context, spot.name("doubled_members"), move |context| async move {
            check_doubled(&context, &case, position, effect).await
        }));
    }
    for pointer in &reply.optional {
        let name = spot.name(&format!("optional{}", pointer.replace('/', ".")));
        let (case, position, pointer) = (spot.template.clone(), spot.position, pointer.clone());
        trials.push(trial(context, name, move |context| async move {
            check_optional(&context, &case, position, &pointer).await
        }));
    }
    trials
}

/// New members everywhere change nothing.
async fn check_extra<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    template: &CaseTemplate,
    position: usize,
) -> Result<(), Problem> {
    let golden = play_changed(context, template, position, None).await?;
    let change: Change = Box::new(|body| {
        add_members(body);
        Ok(())
    });
    let changed = play_changed(context, template, position, Some(change)).await?;
    let golden = golden.map_err(|error| format!("as written: {error:?}"))?;
    verdict(&result_differences(&golden, &changed))
}

/// A member that is there twice says two things: whoever uses it must not believe either.
async fn check_doubled<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    template: &CaseTemplate,
    position: usize,
    effect: Effect,
) -> Result<(), Problem> {
    let golden = play_changed(context, template, position, None).await?;
    let golden = golden.map_err(|error| format!("as written: {error:?}"))?;
    let mut problems = Vec::new();
    for body in doubled_bodies(&template.read(SAMPLE_SERVER)?.exchanges[position].reply) {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let play = context.play(template, false, |case: &mut Case| {
            let mut steps = play::script(case);
            let written = Answer::of(&case.exchanges[position].reply);
            steps[position] = Step::Answer(Answer { body, ..written });
            Ok(steps)
        });
        match play.await?.1.result {
            Ok(value) if value == golden => {}
            Err(error)
                if error.kind() == ErrorKind::InvalidResponse && error.effect() == effect => {}
            other => problems.push(format!("answered `{shown}`: {other:?}")),
        }
    }
    verdict(&problems)
}

/// The body with one text or number twice, first and last, for each of them.
fn doubled_bodies(reply: &Reply) -> Vec<Vec<u8>> {
    let Some(Value::Object(map)) = &reply.body else { return Vec::new() };
    let mut bodies = Vec::new();
    for (key, value) in map {
        let other = match value {
            Value::String(_) => json!("paymux_other"),
            Value::Number(_) => json!(1),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => continue,
        };
        let text = Value::Object(map.clone()).to_string();
        let inner = &text[1..text.len() - 1];
        let twin = format!("{}:{other}", json!(key));
        bodies.push(format!("{{{twin},{inner}}}").into_bytes());
        bodies.push(format!("{{{inner},{twin}}}").into_bytes());
    }
    bodies
}

/// A member that may be absent or null: both mean the same, and neither fails the call or changes
/// the status.
async fn check_optional<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    template: &CaseTemplate,
    position: usize,
    pointer: &str,
) -> Result<(), Problem> {
    let golden = play_changed(context, template, position, None).await?;
    let golden = golden.map_err(|error| format!("as written: {error:?}"))?;
    let at = pointer.to_owned();
    let set_null: Change = Box::new(move |body| data::set_at(body, &at, Value::Null));
    let null = play_changed(context, template, position, Some(set_null)).await?;
    let at = pointer.to_owned();
    let remove: Change = Box::new(move |body| data::remove_at(body, &at));
    let absent = play_changed(context, template, position, Some(remove)).await?;
    let null = null.map_err(|error| format!("with null: {error:?}"))?;
    let mut problems: Vec<Problem> = result_differences(&null, &absent)
        .into_iter()
        .map(|line| format!("absent differs from null: {line}"))
        .collect();
    let status = |value: &Value| value.get("status").cloned();
    if status(&golden) != status(&null) {
        problems.push(format!("without it the status is {:?}", status(&null)));
    }
    verdict(&problems)
}

/// Plays the case with one reply changed; its requests must be as written.
async fn play_changed<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    template: &CaseTemplate,
    position: usize,
    change: Option<Change>,
) -> Result<Result<Value>, Problem> {
    let play = context.play(template, false, |case: &mut Case| {
        if let (Some(change), Some(body)) = (change, &mut case.exchanges[position].reply.body) {
            change(body)?;
        }
        Ok(play::script(case))
    });
    let (case, played) = play.await?;
    let mut problems = play::check_requests(&case, &played.received, case.exchanges.len());
    problems.extend(played.problems);
    verdict(&problems)?;
    Ok(played.result)
}

fn add_members(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(add_members);
            map.insert("paymux_new_field".to_owned(), json!({ "deep": [1, null, "x"] }));
        }
        Value::Array(items) => items.iter_mut().for_each(add_members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
