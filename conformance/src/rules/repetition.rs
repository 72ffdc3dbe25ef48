//! The same request twice sends the same bytes, and what the provider tells repetitions by is
//! really sent.

use std::sync::Arc;

use paymux_core::{PaymentProvider, Replay};
use serde_json::json;

use super::Golden;
use crate::{
    data::Problem,
    play::{self, Context, verdict},
    serve::Received,
    suite::trial,
    trial::Trial,
};

/// Headers that a connection adds, not an adapter.
const OF_THE_CONNECTION: [&str; 3] = ["host", "connection", "user-agent"];

/// How far apart two texts of one length must be to be told from each other.
const OTHER: &str = "paymux-other-9";

pub(super) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    goldens: &[Golden],
) -> Vec<Trial> {
    let mut trials = Vec::new();
    for golden in goldens.iter().filter(|golden| golden.case.mutating_at().is_some()) {
        let id = &golden.template.id;
        let twice = golden.clone();
        trials.push(trial(context, format!("rule::same_bytes::{id}"), |context| async move {
            same_bytes(&context, &twice).await
        }));
        let Some(what) = told_by(context, golden) else { continue };
        let sent = golden.clone();
        let name = format!("rule::{what}_sent::{id}");
        trials.push(trial(context, name, move |context| async move {
            is_sent(&context, &sent, what).await
        }));
    }
    trials
}

/// The member of the call by which the provider tells a repetition.
fn told_by<P: PaymentProvider>(context: &Context<P>, golden: &Golden) -> Option<&'static str> {
    let provider = context.build_alone(&golden.case.account).ok()?;
    match provider.capabilities().replay(golden.case.trait_operation()?) {
        Replay::Key { .. } => Some("key"),
        Replay::Reference => Some("reference"),
        Replay::Harmless | Replay::LookupFirst | Replay::Never => None,
    }
}

async fn same_bytes<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    golden: &Golden,
) -> Result<(), Problem> {
    let received = context.play_twice(&golden.template).await?;
    let half = golden.case.exchanges.len();
    if received.len() != 2 * half {
        return Err(format!("twice {half} requests were expected, not {}", received.len()));
    }
    let (first, second) = received.split_at(half);
    let mut problems = Vec::new();
    for (first, second) in first.iter().zip(second) {
        let (first, second) = (comparable(context, first), comparable(context, second));
        if first != second {
            problems.push(format!("sent twice, it is\n  {first:?}\n  {second:?}"));
        }
    }
    verdict(&problems)
}

/// A request without what may differ.
fn comparable<P>(context: &Context<P>, request: &Received) -> Received {
    let mut request = request.clone();
    let fresh = context.fresh_headers.iter().map(String::as_str);
    for name in fresh.chain(OF_THE_CONNECTION) {
        request.headers.remove(name);
    }
    request
}

/// The key, or the reference, stands in the mutating request, and another one does in its place.
async fn is_sent<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    golden: &Golden,
    what: &str,
) -> Result<(), Problem> {
    let pointer = format!("/{what}");
    let own = golden.input(&pointer).and_then(|value| value.as_str());
    let own = own.ok_or_else(|| format!("the call has no `{what}`"))?.to_owned();
    let at = golden.case.mutating_at().unwrap_or_default();
    let other = golden.with(&golden.case.account, &pointer, json!(OTHER))?;
    let mut problems = Vec::new();
    for (template, sent, not_sent) in
        [(&golden.template, own.as_str(), OTHER), (&other, OTHER, own.as_str())]
    {
        let play = context.play(template, false, |case| Ok(play::script(case)));
        let (_, played) = play.await?;
        let Some(request) = played.received.get(at) else {
            problems.push(format!("with the {what} `{sent}` nothing was sent"));
            continue;
        };
        if !holds(request, sent) {
            problems.push(format!("the {what} `{sent}` is not sent: {}", request.describe()));
        }
        if holds(request, not_sent) {
            problems.push(format!("with the {what} `{sent}`, `{not_sent}` is sent"));
        }
    }
    verdict(&problems)
}

fn holds(request: &Received, text: &str) -> bool {
    let in_headers = request.headers.values().any(|value| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        value == text || value.trim_matches('"') == text
    });
    let rest = format!("{} {} ", request.path, request.query);
    in_headers || rest.contains(text) || String::from_utf8_lossy(&request.body).contains(text)
}
