//! Forgeries of a delivery that is accepted: every one must be refused.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use paymux_core::{
    Effect, ErrorKind, PaymentProvider, Random, SeededRandom, Timestamp, Trust, WebhookEvent,
};
use serde_json::{Value, json};

use crate::{
    call::Delivery,
    data::Problem,
    garbage,
    play::{Context, verdict},
    suite::trial,
    trial::Trial,
    webhook::Received,
};

/// A longer body is not changed at every byte, but at so many.
const MOST_CHANGES: usize = 2048;
/// How many malformed bodies are signed and delivered.
const MALFORMED: usize = 500;
/// Always the same malformed bodies.
const SEED: u64 = 0x5eed;

pub(crate) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    received: &Received,
    trust: Trust,
) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, check: fn(&Context<P>, &Received) -> Result<(), Problem>| {
        let received = received.clone();
        trials.push(trial(
            context,
            format!("{}::{name}", received.id),
            move |context| async move { check(&context, &received) },
        ));
    };
    if trust >= Trust::Signed {
        add("body_changed", body_changed);
        add("header_changed", header_changed);
    }
    if trust >= Trust::SignedFresh {
        add("old_or_early", old_or_early);
    }
    add("repeated", repeated);
    if context.signer.is_some() {
        add("malformed", malformed);
    }
    trials
}

/// Refused means: not authentic, and for certain nothing done.
fn must_be_refused<P: PaymentProvider>(
    context: &Context<P>,
    account: &str,
    forged: &Delivery,
    how: impl FnOnce() -> String,
) -> Option<Problem> {
    let provider = match context.build_alone(account) {
        Ok(provider) => provider,
        Err(problem) => return Some(problem),
    };
    match provider.verify_webhook(&forged.borrow()) {
        Ok(events) => Some(format!("{}: believed as {events:?}", how())),
        Err(error) if error.kind() != ErrorKind::InvalidSignature => {
            Some(format!("{}: refused, but as {:?}", how(), error.kind()))
        }
        Err(error) if error.effect() != Effect::None => Some(format!("{}: with effect", how())),
        Err(_) => None,
    }
}

fn body_changed<P: PaymentProvider>(context: &Context<P>, from: &Received) -> Result<(), Problem> {
    let body = &from.delivery.body;
    let step = (body.len() / MOST_CHANGES).max(1);
    let mut bodies: Vec<(String, Vec<u8>)> = Vec::new();
    for at in (0..body.len()).step_by(step) {
        let mut changed = body.clone();
        changed[at] ^= 1;
        bodies.push((format!("byte {at} changed"), changed));
    }
    if !body.is_empty() {
        bodies.push(("the last byte cut".to_owned(), body[..body.len() - 1].to_vec()));
        bodies.push(("emptied".to_owned(), Vec::new()));
    }
    bodies.push(("a line end added".to_owned(), [body.as_slice(), b"\n"].concat()));
    bodies.push(("a byte order mark before".to_owned(), [b"\xef\xbb\xbf", &body[..]].concat()));
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        bodies.push(("written anew".to_owned(), format!("{json:#}").into_bytes()));
    }
    bodies.retain(|(_, changed)| changed != body);
    let problems = bodies.into_iter().filter_map(|(how, body)| {
        let forged = Delivery { body, ..from.delivery.clone() };
        must_be_refused(context, &from.account, &forged, || how)
    });
    verdict(&problems.collect::<Vec<_>>())
}

fn header_changed<P: PaymentProvider>(
    context: &Context<P>,
    from: &Received,
) -> Result<(), Problem> {
    let mut problems = Vec::new();
    for name in &from.signature_headers {
        let Some(value) = from.delivery.headers.get(name) else {
            problems.push(format!("the delivery has no header {name}"));
            continue;
        };
        for (how, forged) in header_forgeries(&from.delivery, name, value) {
            let how = || format!("{name} {how}");
            problems.extend(must_be_refused(context, &from.account, &forged, how));
        }
    }
    verdict(&problems)
}

fn header_forgeries(
    delivery: &Delivery,
    name: &HeaderName,
    value: &HeaderValue,
) -> Vec<(String, Delivery)> {
    let mut forgeries = Vec::new();
    let mut forge = |how: &str, values: Vec<HeaderValue>| {
        let mut forged = delivery.clone();
        forged.headers.remove(name);
        for value in values {
            forged.headers.append(name.clone(), value);
        }
        forgeries.push((how.to_owned(), forged));
    };
    forge("removed", Vec::new());
    forge("there twice", vec![value.clone(), value.clone()]);
    forge("empty", vec![HeaderValue::from_static("")]);
    let bytes = value.as_bytes();
    for at in [0, bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(1)] {
        let mut changed = bytes.to_vec();
        if let Some(byte) = changed.get_mut(at) {
            *byte = if *byte == b'0' { b'1' } else { b'0' };
        }
        if let Ok(changed) = HeaderValue::from_bytes(&changed) {
            forge(&format!("changed at {at}"), vec![changed]);
        }
    }
    forgeries
}

fn old_or_early<P: PaymentProvider>(context: &Context<P>, from: &Received) -> Result<(), Problem> {
    let second = Duration::from_secs(1);
    let before = |moment: Timestamp, span: Duration| {
        let span = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(moment.as_millis().saturating_sub(span))
    };
    let (signed, tolerance) = (from.signed_at, from.tolerance);
    let mut problems = Vec::new();
    for moment in [signed.after(tolerance), before(signed, tolerance)] {
        if let Err(error) = context.verify(&from.account, &from.arriving_at(moment))? {
            problems.push(format!("arriving {moment}, within the tolerance: {error}"));
        }
    }
    for moment in [signed.after(tolerance + second), before(signed, tolerance + second)] {
        let how = || format!("arriving {moment}, beyond the tolerance");
        problems.extend(must_be_refused(context, &from.account, &from.arriving_at(moment), how));
    }
    verdict(&problems)
}

/// The same delivery again is the same event. One that nobody signed may have another key when it
/// comes later: it is only a reason to look, and a second look costs nothing.
fn repeated<P: PaymentProvider>(context: &Context<P>, from: &Received) -> Result<(), Problem> {
    let events = |moment| -> Result<Vec<WebhookEvent>, Problem> {
        context.verify(&from.account, &from.arriving_at(moment))?
    };
    let first = events(from.delivery.received_at)?;
    // As late as any delivery of it can be accepted.
    let later = events(from.signed_at.after(from.tolerance))?;
    let again = events(from.delivery.received_at)?;
    let told = |events: &[WebhookEvent]| -> Vec<Value> {
        let told = events.iter().map(|event| {
            let mut told = json!(event);
            if event.trust == Trust::Unsigned {
                told["key"].take();
            }
            told
        });
        told.collect()
    };
    if json!(first) == json!(again) && told(&first) == told(&later) {
        return Ok(());
    }
    Err(format!("delivered again, {} became {}", json!(first), json!([again, later])))
}

/// A body that cannot be read behind a good signature: an error without effect, or events; never
/// a panic.
fn malformed<P: PaymentProvider>(context: &Context<P>, from: &Received) -> Result<(), Problem> {
    let Some(sign) = &context.signer else { return Ok(()) };
    let provider = context.build_alone(&from.account)?;
    let mut problems = Vec::new();
    for malformed in malformed_bodies(&from.unsigned_body) {
        let (headers, body) = sign(&from.account, &malformed, from.signed_at);
        let mut forged = Delivery { body, ..from.delivery.clone() };
        for (name, value) in headers {
            if let Some(name) = name {
                forged.headers.insert(name, value);
            }
        }
        if let Err(error) = provider.verify_webhook(&forged.borrow())
            && (error.kind(), error.effect()) != (ErrorKind::InvalidResponse, Effect::None)
        {
            let body = String::from_utf8_lossy(&malformed).into_owned();
            problems.push(format!("the authentic body `{body}` gives {error:?}"));
        }
    }
    verdict(&problems)
}

fn malformed_bodies(body: &[u8]) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = vec![Vec::new(), b"null".to_vec(), b"[]".to_vec()];
    bodies.push("[".repeat(10_000).into_bytes());
    if let Ok(json) = serde_json::from_slice::<Value>(body) {
        bodies.extend(garbage::other_values(&json));
    }
    let random = SeededRandom::new(SEED);
    let roll = |below: usize| {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        usize::try_from(u32::from_le_bytes(bytes)).unwrap_or_default() % below.max(1)
    };
    while bodies.len() < MALFORMED {
        let mut changed = body.to_vec();
        match roll(3) {
            0 => changed.truncate(roll(body.len())),
            1 => {
                let at = roll(changed.len());
                if let Some(byte) = changed.get_mut(at) {
                    *byte = u8::try_from(roll(256)).unwrap_or_default();
                }
            }
            _ => {
                let (from, to) = (roll(changed.len()), roll(changed.len()));
                changed.drain(from.min(to)..from.max(to));
            }
        }
        bodies.push(changed);
    }
    bodies
}
