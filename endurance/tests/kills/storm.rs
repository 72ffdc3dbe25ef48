//! Many callers ask for the same payments at the same time, on two nodes: each is made once, and
//! everybody is given the same one.

use std::{collections::BTreeMap, sync::Arc};

use fastrand::Rng;
use paymux::{Clock, ProviderPaymentId};
use paymux_endurance::{FastClock, GAMES, Order, Pace, Place, Script, orchestrator};
use paymux_orchestrator::{Orchestrator, PaymentId};
use paymux_sandbox::{Sandbox, SandboxConfig, StartTime};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::run::access;

/// How many callers ask at once.
const CALLERS: u32 = 64;

/// What a caller was given for a key. There is no object yet where another node is about to ask
/// for it.
#[derive(Clone, Debug, PartialEq)]
struct Given {
    payment: PaymentId,
    object: Option<ProviderPaymentId>,
}

/// Asks for so many payments on two nodes with this store.
///
/// # Errors
/// Everything that must not be, in words.
pub(crate) async fn storm(keys: u32, place: Place, seed: u64) -> Result<String, String> {
    let sandbox = SandboxConfig::default().seed(seed).time(StartTime::Now);
    let sandbox = Sandbox::start(sandbox).await.expect("the sandbox starts");
    let clock: Arc<dyn Clock> = Arc::new(FastClock::new(Pace::from_now(1)));
    let (access, lines) = access(&sandbox);
    let mut open = JoinSet::new();
    for line in &lines {
        line.stay(&mut open);
    }
    let mut nodes = Vec::new();
    for name in ["one", "two"] {
        let store = place.open().await.expect("a store");
        let node = orchestrator(&access, store, clock.clone(), name);
        nodes.push(node.expect("an orchestrator"));
    }
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let node = nodes[usize::try_from(caller).unwrap() % nodes.len()].clone();
        callers.spawn(ask(node, keys, Rng::with_seed(seed.wrapping_add(caller.into()))));
    }
    let mut answers = Vec::new();
    while let Some(caller) = callers.join_next().await {
        answers.extend(caller.map_err(|error| error.to_string())?);
    }
    // Nothing is under way any more: everybody is given this now, and can have been given no other.
    let last = ask(nodes[0].clone(), keys, Rng::with_seed(seed)).await;
    let mut given = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, answer) in last {
        match answer {
            Ok(answer @ Given { object: Some(_), .. }) => drop(given.insert(number, answer)),
            other => wrong.push(format!("order {number} in the end: {other:?}")),
        }
    }
    let count = answers.len();
    for (number, answer) in answers {
        let end = given.get(&number);
        let same = |answer: &Given| {
            let known = answer.object.as_ref();
            end.is_some_and(|end| {
                end.payment == answer.payment && (known.is_none() || known == end.object.as_ref())
            })
        };
        if !answer.as_ref().is_ok_and(same) {
            wrong.push(format!("order {number}: {answer:?}, and in the end {end:?}"));
        }
    }
    let made = sandbox.toffeepay().snapshot()["sessions"].as_array().map_or(0, Vec::len);
    if made != usize::try_from(keys).unwrap() {
        wrong.push(format!("{made} sessions were made for {keys} keys"));
    }
    let others = [sandbox.milkypay().snapshot(), sandbox.wallet().snapshot()];
    if others.iter().any(made_something) {
        wrong.push("another account was asked, too".to_owned());
    }
    if wrong.is_empty() {
        Ok(format!("{count} answers about {keys} keys, {made} sessions"))
    } else {
        Err(wrong.join("\n"))
    }
}

fn made_something(state: &Value) -> bool {
    ["invoices", "transactions"]
        .iter()
        .any(|name| state[name].as_array().is_some_and(|rows| !rows.is_empty()))
}

/// Asks for all of them, in an order of its own.
async fn ask(node: Orchestrator, keys: u32, mut dice: Rng) -> Vec<(u32, paymux::Result<Given>)> {
    let mut numbers: Vec<u32> = (0..keys).collect();
    dice.shuffle(&mut numbers);
    let mut answers = Vec::new();
    for number in numbers {
        answers.push((number, ask_once(&node, number).await));
    }
    answers
}

async fn ask_once(node: &Orchestrator, number: u32) -> paymux::Result<Given> {
    let order = Order { number, first: GAMES, script: Script::Leave, cents: 100 + number };
    let record = node.create_payment(&order.key()?, &order.request(None)?).await?;
    Ok(Given { payment: record.id, object: record.provider.map(|payment| payment.id) })
}
