//! After the last kill: the providers are well again, and one more process, which is not killed,
//! does what is left to do while time leaps.

use std::{sync::Arc, time::Duration};

use paymux::Clock;
use paymux_endurance::{Access, FastClock, Pace, Place, Shop, Told, open_door, orchestrator};
use paymux_orchestrator::Orchestrator;
use tokio::task::JoinHandle;

use crate::{counter::Counter, run::release};

/// A little longer than each rung of the ladder out of doubt, and of the looks at open payments.
/// On the way everything that nobody pays expires, and doubts come before a person.
const LEAPS: [u64; 11] =
    [1, 6, 40, 180, 720, 4_500, 9 * 3600, 30 * 3600, 30 * 3600, 30 * 3600, 30 * 3600];
/// A little longer than a lease: the limit of a call and half a minute.
const LEASE: Duration = Duration::from_secs(33);
/// Longer than a webhook on loopback takes.
const MOMENT: Duration = Duration::from_millis(500);
/// The number of this process, behind those that were killed.
const INDEX: u32 = 1_000;
/// More steps than are ever due at one moment; a bound against a loop.
const MOST_STEPS: usize = 10_000;

/// The process that is left.
pub(crate) struct Node {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) clock: Arc<FastClock>,
    door: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.door.abort();
    }
}

/// Settles what can be settled.
pub(crate) async fn settle(
    place: &Place,
    access: &Access,
    pace: Pace,
    counter: &Arc<Counter>,
) -> Node {
    counter.sandbox().clear_faults();
    let clock = Arc::new(FastClock::new(Pace { from: pace.now(), ..Pace::from_now(1) }));
    let store = place.open().await.expect("the store opens after the last kill");
    let orchestrator = orchestrator(access, store, clock.clone(), "the-last-node").unwrap();
    let (port, door) = open_door(orchestrator.clone(), clock.clone()).await.unwrap();
    let counter = counter.clone();
    for index in 0..INDEX {
        counter.door_closed(index);
    }
    counter.door_opened(INDEX, port);
    let shop = Shop::new(orchestrator.clone(), counter.orders().to_vec(), counter.bills());
    let node = Node { orchestrator, clock, door };
    if matches!(place, Place::Postgres { .. }) {
        // What the dead had claimed is theirs until their leases end, and those end by the
        // server's clock alone, which does not leap.
        tokio::time::sleep(LEASE).await;
    }
    for leap in LEAPS {
        node.clock.leap(Duration::from_secs(leap));
        counter.sandbox().advance(Duration::from_secs(leap));
        node.calm(&shop, &counter).await;
    }
    node
}

impl Node {
    /// Works until nothing more is to be done at this moment.
    async fn calm(&self, shop: &Shop, counter: &Arc<Counter>) {
        let tell = |told: &Told| counter.hear(INDEX, told.clone());
        let all = u32::try_from(counter.orders().len()).unwrap();
        // What the shop asks for leads to webhooks, and these to steps.
        for _ in 0..3 {
            shop.work(all, &tell).await;
            let sandbox = counter.sandbox();
            while release(sandbox) > 0 {}
            sandbox.toffeepay().webhooks_settled().await;
            sandbox.milkypay().callbacks_settled().await;
            sandbox.wallet().callbacks_settled().await;
            // One that found nobody is sent again when time leaps, and so often that waiting for the
            // last of them would be waiting for the machine's clock.
            let ramp = sandbox.ramp();
            let _ = tokio::time::timeout(MOMENT, ramp.webhooks_settled()).await;
            self.step_until_idle(counter).await;
        }
    }

    async fn step_until_idle(&self, counter: &Arc<Counter>) {
        for _ in 0..MOST_STEPS {
            match self.orchestrator.step().await {
                Ok(stepped) if stepped.is_idle() => return,
                Ok(_) => {}
                Err(error) => return counter.note(format!("a step failed: {error}")),
            }
        }
        counter.note(format!("there is always something due at {}", self.clock.now()));
    }
}
