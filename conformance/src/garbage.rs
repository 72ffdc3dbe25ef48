//! Answers that are damaged in many ways: whatever they hold, nothing panics and nothing is
//! guessed.

use std::sync::Arc;

use paymux_core::{Effect, ErrorKind, PaymentProvider};
use serde_json::{Value, json};

use crate::{
    case::{Case, CaseTemplate, Outcome},
    data::{self, Problem},
    errors::Override,
    fault::{ExpectedFailure, Phase},
    fault_trials::{Expected, Spot, expected},
    play::{self, Context, Played, verdict},
    serve::{Answer, Step},
    suite::trial,
    trial::Trial,
};

/// At how many places, evenly spread, a body is cut.
const CUTS: usize = 12;
/// How many values of a body are replaced at most.
const VALUES: usize = 24;

/// Which damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Damage {
    /// What remains is no JSON: it cannot be read, so it must be an error.
    NoJson,
    /// It is JSON with other values than documented: an error, or still a success.
    OtherValues,
}

pub(crate) fn trials<'o, P: PaymentProvider>(
    context: &Arc<Context<P>>,
    spot: &Spot<'_>,
    find: &mut impl FnMut(&str) -> Option<&'o Override>,
) -> Vec<Trial> {
    let Ok(body) = serde_json::from_slice::<Value>(&spot.golden().body) else { return Vec::new() };
    let mut trials = Vec::new();
    for (name, damage) in [("garbage", Damage::NoJson), ("garbage_values", Damage::OtherValues)] {
        let variants = match damage {
            Damage::NoJson => no_json(&body),
            Damage::OtherValues => other_values(&body),
        };
        let failure = unreadable(spot.phase());
        let expected = expected(failure, spot.position + 1, find(name));
        let planned =
            Planned { case: spot.template.clone(), position: spot.position, damage, expected };
        trials.push(trial(context, spot.name(name), |context| async move {
            planned.check(&context, variants).await
        }));
    }
    trials
}

fn unreadable(phase: Phase) -> ExpectedFailure {
    ExpectedFailure {
        kind: ErrorKind::InvalidResponse,
        effect: phase.effect(false),
        retryable: false,
        retry_after_s: None,
        code: None,
    }
}

struct Planned {
    case: CaseTemplate,
    position: usize,
    damage: Damage,
    expected: Expected,
}

impl Planned {
    async fn check<P: PaymentProvider>(
        self,
        context: &Arc<Context<P>>,
        variants: Vec<Vec<u8>>,
    ) -> Result<(), Problem> {
        let mut problems = Vec::new();
        for body in variants {
            let shown = shorten(&String::from_utf8_lossy(&body));
            let play = context.play(&self.case, false, |case| {
                let mut steps = play::script(case);
                let golden = Answer::of(&case.exchanges[self.position].reply);
                steps[self.position] = Step::Answer(Answer { body, ..golden });
                Ok(steps)
            });
            let (case, played) = play.await?;
            let found = self.differences(&case, played);
            problems.extend(found.into_iter().map(|line| format!("answered `{shown}`: {line}")));
        }
        verdict(&problems)
    }

    fn differences(&self, case: &Case, played: Played) -> Vec<Problem> {
        let still_ok = self.damage == Damage::OtherValues && played.result.is_ok();
        match &self.expected {
            // A success that is read tolerantly: no more requests than the case has.
            Expected::Failure { .. } if still_ok => {
                let extra = played.received.iter().skip(case.exchanges.len());
                let mut problems: Vec<Problem> = extra
                    .map(|sent| format!("an unexpected request was sent: {}", sent.describe()))
                    .collect();
                problems.extend(played.problems);
                problems
            }
            // Later requests may name what the damaged answer said, so only their number counts.
            Expected::Failure { failure, .. } if self.damage == Damage::OtherValues => {
                let mut wanted = failure.to_error();
                // An object in another state than the call needs is a conflict, and read well.
                if let Err(error) = &played.result
                    && error.kind() == ErrorKind::Conflict
                    && failure.effect == Effect::None
                {
                    wanted.kind = ErrorKind::Conflict;
                }
                let mut problems = play::check_outcome(&Outcome::Err(wanted), &played.result);
                problems.extend(played.problems);
                problems
            }
            Expected::Golden | Expected::Success { .. } | Expected::Failure { .. } => {
                self.expected.differences(case, played)
            }
        }
    }
}

/// Texts that are no JSON, made of one that is.
fn no_json(body: &Value) -> Vec<Vec<u8>> {
    let text = body.to_string().into_bytes();
    let step = (text.len() / CUTS).max(1);
    let mut variants: Vec<Vec<u8>> =
        (1..text.len()).step_by(step).map(|cut| text[..cut].to_vec()).collect();
    variants.push([text.as_slice(), b"}"].concat());
    variants.push([b"\xff\xfe".as_slice(), &text].concat());
    variants.push("[".repeat(10_000).into_bytes());
    variants.push(b"NaN".to_vec());
    // A number and a `null` that was cut are JSON again, and an object never is.
    variants.retain(|variant| serde_json::from_slice::<Value>(variant).is_err());
    variants
}

/// The same body with one value replaced by another kind of value, for each value.
pub(crate) fn other_values(body: &Value) -> Vec<Vec<u8>> {
    let mut pointers = Vec::new();
    collect_pointers(body, "", &mut pointers);
    let mut variants = Vec::new();
    for pointer in pointers.iter().take(VALUES) {
        for replacement in replacements(body.pointer(pointer)) {
            let mut changed = body.clone();
            if data::set_at(&mut changed, pointer, replacement).is_ok() {
                variants.push(changed.to_string().into_bytes());
            }
        }
        // Numbers that no integer holds, as JSON allows them to be written.
        let mut changed = body.clone();
        if data::set_at(&mut changed, pointer, json!("paymux_number")).is_ok() {
            let text = changed.to_string();
            variants.push(text.replace("\"paymux_number\"", "1e400").into_bytes());
        }
    }
    variants
}

/// What a value of one kind is replaced by.
fn replacements(value: Option<&Value>) -> Vec<Value> {
    match value {
        Some(Value::String(_)) => vec![json!(7), json!(""), json!("\u{0}\u{2028}é"), json!({})],
        Some(Value::Number(_)) => vec![json!("7"), json!(-1), json!(0.1), json!(u64::MAX)],
        Some(Value::Bool(_)) => vec![json!("yes"), json!(1)],
        Some(Value::Object(_)) => vec![json!([]), json!("x"), json!(null)],
        Some(Value::Array(_)) => vec![json!({}), json!([null]), json!("x")],
        Some(Value::Null) | None => vec![json!({ "a": [1] })],
    }
}

fn collect_pointers(value: &Value, at: &str, pointers: &mut Vec<String>) {
    pointers.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect_pointers(value, &format!("{at}/{key}"), pointers);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_pointers(item, &format!("{at}/{index}"), pointers);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
