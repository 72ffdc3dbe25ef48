//! One run from its beginning to its end.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use fastrand::Rng;
use paymux_endurance::{Access, Pace, Place, Setup, orders};
use paymux_sandbox::{
    Fault, FaultKind, Sandbox, SandboxConfig, StartTime,
    ramp::{ConfirmAgain, RampSettings},
    wallet::WalletSettings,
};
use tokio::{sync::watch, task::JoinSet};
use url::Url;

use crate::{
    chaos::{Chaos, Done},
    counter::Counter,
    line::Line,
    settle::settle,
    truth::{self, Found},
};

/// So many times as fast as the machine's clock run the clocks of the processes and the sandbox.
const TIMES: u32 = 5;
/// How often the sandbox's time follows, and webhooks that are held back are let go. Whenever it
/// does, refused webhooks are sent again at once, and that only so many times.
const TICK: Duration = Duration::from_secs(1);
/// Each kind of fault happens in so many of a hundred places that it applies to.
const PERCENT: u8 = 5;
/// Longer than any call waits for its answer.
const LATE_MS: u64 = 1_500;
/// More than all payers of a run together pay from their wallet, in cents.
const FUNDS: i64 = 1_000_000_000;
/// For how long a debited bill is not called paid, in seconds: until after the repetitions of the
/// first minute.
const SETTLING: u32 = 60;
/// Longer than a run with all its leaps, in seconds.
const LONG: u32 = 90 * 24 * 3600;

/// The size of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How many processes.
    pub(crate) nodes: u32,
    /// How many payments.
    pub(crate) orders: u32,
    /// How many kills at least.
    pub(crate) kills: u32,
    /// How many pauses at least.
    pub(crate) pauses: u32,
    /// How many pauses beyond the lease at least.
    pub(crate) naps: u32,
    /// How many milliseconds pass between two of them, at each process: from, to.
    pub(crate) life: (u64, u64),
    /// What takes longer hangs.
    pub(crate) limit: Duration,
}

/// What a run was, and what it found.
pub(crate) struct Report {
    done: Arc<Done>,
    faults: Vec<(String, u32)>,
    downs: u32,
    shown: usize,
    found: Found,
    took: Duration,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: &std::sync::atomic::AtomicU32| count.load(Ordering::SeqCst);
        let Done { kills, pauses, naps, .. } = &*self.done;
        write!(f, "{}; {} ways to pay shown; ", self.found, self.shown)?;
        write!(f, "{} kills, {} pauses, ", count(kills), count(pauses))?;
        write!(f, "{} beyond the lease; {} s; ", count(naps), self.took.as_secs())?;
        write!(f, "providers were down {} times; faults:", self.downs)?;
        self.faults.iter().try_for_each(|(kind, times)| write!(f, " {kind}: {times};"))
    }
}

/// Kills, settles, and compares.
///
/// # Errors
/// Everything that must not be, in words.
#[expect(clippy::disallowed_methods, reason = "a report of how long it took")]
pub(crate) async fn run(plan: Plan, place: Place, seed: u64) -> Result<Report, String> {
    let began = Instant::now();
    let pace = Pace::from_now(TIMES);
    let sandbox = sandbox(seed).await;
    let (access, lines) = access(&sandbox);
    let counter = Arc::new(Counter::new(sandbox, orders(seed, plan.orders), seed));
    let done = Arc::new(Done::default());
    let setup = Setup {
        node: String::new(),
        index: 0,
        of: plan.nodes,
        place: place.clone(),
        access: access.clone(),
        pace,
        seed,
        orders: plan.orders,
        bills: counter.bills().clone(),
    };
    let ended = kill(plan, &setup, &counter, &lines, &done).await;
    let faults = faults_happened(counter.sandbox());
    let downs = lines.iter().map(|line| line.downs()).sum();
    let mut well = JoinSet::new();
    lines.iter().for_each(|line| line.stay(&mut well));
    if let Err(why) = ended {
        return Err(format!("{why}\n{}", counter.wrong().join("\n")));
    }
    let node = settle(&place, &access, pace, &counter).await;
    let mut wrong = counter.wrong();
    let found = truth::compare(&node, &counter, &mut wrong).await;
    let (shown, took) = (counter.shown(), began.elapsed());
    let report = Report { done, faults, downs, shown, found, took };
    if wrong.is_empty() { Ok(report) } else { Err(format!("{}\n{report}", wrong.join("\n"))) }
}

/// Lets the processes work and die until enough was done to them and every order was taken.
async fn kill(
    plan: Plan,
    setup: &Setup,
    counter: &Arc<Counter>,
    lines: &[Arc<Line>],
    done: &Arc<Done>,
) -> Result<(), String> {
    // Until the first of them was killed, there is little to do.
    let come = watch::Sender::new(plan.nodes);
    let (end, over) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for index in 0..plan.nodes {
        let mut setup = setup.clone();
        (setup.index, setup.node) = (index, format!("node-{index}"));
        let chaos = Chaos {
            plan,
            dice: Rng::with_seed(setup.seed.wrapping_add(index.into())),
            setup,
            counter: counter.clone(),
            done: done.clone(),
            come: come.clone(),
            over: over.clone(),
        };
        tasks.spawn(chaos.keep());
    }
    // Other dice than those of the processes.
    for (line, number) in lines.iter().zip(1_000..) {
        let dice = Rng::with_seed(setup.seed.wrapping_add(number));
        tasks.spawn(line.clone().waver(dice, over.clone()));
    }
    tasks.spawn(follow(counter.clone(), over));
    let mut changes = counter.changes();
    let enough = async {
        loop {
            let (share, planned) = done.share(&plan);
            let (taken, _) = counter.progress();
            let all = usize::try_from(plan.orders).unwrap();
            if !counter.wrong().is_empty() || (share == planned && taken == all) {
                return;
            }
            changes.changed().await.expect("the counter is there");
        }
    };
    let in_time = tokio::time::timeout(plan.limit, enough).await;
    end.send_replace(true);
    while let Some(task) = tasks.join_next().await {
        task.map_err(|error| error.to_string())?;
    }
    let state = || format!("after {:?}: {done:?}, {:?}", plan.limit, counter.progress());
    in_time.map_err(|_| state())
}

/// The sandbox's time follows the clocks of the processes.
async fn follow(counter: Arc<Counter>, mut over: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = over.wait_for(|over| *over) => return,
        }
        counter.sandbox().advance(TICK * (TIMES - 1));
        release(counter.sandbox());
    }
}

/// Lets webhooks go that faults hold back.
pub(crate) fn release(sandbox: &Sandbox) -> usize {
    sandbox.toffeepay().release_webhooks()
        + sandbox.milkypay().release_callbacks()
        + sandbox.wallet().release_callbacks()
        + sandbox.ramp().release_webhooks()
}

async fn sandbox(seed: u64) -> Sandbox {
    let config = SandboxConfig::default().seed(seed).time(StartTime::Now);
    let sandbox = Sandbox::start(config.sign_in_virtual_time(true)).await;
    let sandbox = sandbox.expect("the sandbox starts");
    let wallet = sandbox.wallet();
    // What nobody accepts ends like an offer of the others, and not after a month.
    wallet.set_settings(WalletSettings { new_lifetime_seconds: 1_800, ..wallet.settings() });
    wallet.add_funds(wallet.usual_payer(), "EUR", FUNDS).expect("the payer has a wallet");
    let ramp = sandbox.ramp();
    let settings = RampSettings {
        // Tokens are the trials' of the adapter.
        token_seconds: LONG,
        // A second confirmation is not refused, and nothing that is read shows the first one yet:
        // only who never sends it twice never debits twice.
        confirm_again: ConfirmAgain::Debits,
        pending_while_settling: true,
        settle_seconds: SETTLING,
        ..ramp.settings()
    };
    ramp.set_settings(settings).expect("it can be played so");
    let account = ramp.usual_account("EUR").expect("the payer has an account");
    ramp.add_funds(&account, &FUNDS.to_string()).expect("the account is there");
    for kind in [
        FaultKind::DropReply,
        FaultKind::ErrorAfterCommit { status: 500 },
        FaultKind::ErrorAfterCommit { status: 504 },
        FaultKind::ErrorBefore { status: 503, retry_after_seconds: None },
        FaultKind::ErrorBefore { status: 429, retry_after_seconds: Some(1) },
        FaultKind::DelayReply { delay_ms: LATE_MS },
        FaultKind::TruncateReply,
        FaultKind::GarbageReply,
        FaultKind::UnknownStatus { status: "under_review".to_owned() },
        FaultKind::DropWebhook,
        FaultKind::DuplicateWebhook,
        FaultKind::DelayWebhook,
        FaultKind::ReorderWebhook,
        FaultKind::BadSignature,
    ] {
        sandbox.inject(Fault::new(kind).percent(PERCENT).times(u32::MAX));
    }
    sandbox
}

/// How often each kind of fault has happened by now.
fn faults_happened(sandbox: &Sandbox) -> Vec<(String, u32)> {
    let word = |kind: &FaultKind| {
        if let FaultKind::ErrorBefore { status, .. } | FaultKind::ErrorAfterCommit { status } = kind
        {
            return format!("{} {status}", kind.word());
        }
        kind.word().to_owned()
    };
    let faults = sandbox.faults();
    faults.iter().map(|fault| (word(&fault.kind), u32::MAX - fault.times)).collect()
}

/// How to reach the providers, each over a line of its own.
pub(crate) fn access(sandbox: &Sandbox) -> (Access, Vec<Arc<Line>>) {
    let (games, invoices) = (sandbox.toffeepay(), sandbox.milkypay());
    let wallet = sandbox.wallet();
    let mut lines = Vec::new();
    let mut over_a_line = |provider: &Url| {
        let (line, url) = Line::to(provider);
        lines.push(line);
        url
    };
    let access = Access {
        games: over_a_line(&games.base_url()),
        games_key: games.api_key().to_owned(),
        games_secret: games.webhook_secret(),
        invoices: over_a_line(&invoices.base_url()),
        invoices_account: invoices.account_id().to_owned(),
        invoices_key: invoices.api_key().to_owned(),
        invoices_secret: invoices.secret_test().to_owned(),
        wallet: over_a_line(&wallet.base_url()),
        wallet_client: wallet.client_id().to_owned(),
        wallet_key: wallet.mac_key().to_owned(),
        wallet_callback_key: wallet.public_key().to_owned(),
        bills: over_a_line(&sandbox.ramp().base_url()),
        bills_token: sandbox.ramp().sign_in(sandbox.ramp().usual_user()).expect("they are known"),
    };
    (access, lines)
}
