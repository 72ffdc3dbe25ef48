//! Kills and pauses, one process at a time, at moments that the dice choose.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use paymux_endurance::Setup;
use tokio::sync::watch;

use crate::{counter::Counter, process::Process, run::Plan};

/// A nap is longer than any lease: the limit of a call and half a minute.
const NAP: Duration = Duration::from_secs(34);
/// A pause is shorter than a lease, and around the time after which others give up a call.
const PAUSE_MS: (u64, u64) = (200, 5_000);
/// When enough was done to them, the processes live so many times as long, and get on with it.
const LONGER: u32 = 5;

/// What has been done to the processes.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) kills: AtomicU32,
    pub(crate) pauses: AtomicU32,
    pub(crate) naps: AtomicU32,
    /// How many naps have begun: they are counted when they end.
    naps_begun: AtomicU32,
}

impl Done {
    fn counts(&self) -> [u32; 3] {
        [&self.kills, &self.pauses, &self.naps].map(|count| count.load(Ordering::SeqCst))
    }

    /// How much of what is planned was done, and how much is planned.
    pub(crate) fn share(&self, plan: &Plan) -> (u32, u32) {
        let planned = [plan.kills, plan.pauses, plan.naps];
        let done = self.counts().into_iter().zip(planned).map(|(done, planned)| done.min(planned));
        (done.sum(), planned.iter().sum())
    }
}

/// One of the processes, and what happens to it.
pub(crate) struct Chaos {
    pub(crate) plan: Plan,
    pub(crate) setup: Setup,
    pub(crate) counter: Arc<Counter>,
    pub(crate) done: Arc<Done>,
    pub(crate) come: watch::Sender<u32>,
    pub(crate) over: watch::Receiver<bool>,
    pub(crate) dice: Rng,
}

/// What happens to a process next.
enum Next {
    Kill,
    Pause(Duration),
    Nap,
    /// It was enough.
    Over,
    /// It ended by itself.
    Ended(String),
}

impl Chaos {
    /// Keeps one process running, by killing it again and again, until all is over. Then it is
    /// killed for good.
    pub(crate) async fn keep(mut self) {
        loop {
            let mut process = self.start().await;
            loop {
                match self.next(&mut process).await {
                    Next::Kill => break,
                    Next::Pause(span) => self.pause(&process, span, &self.done.pauses).await,
                    Next::Nap => self.pause(&process, NAP, &self.done.naps).await,
                    Next::Over => return process.kill().await,
                    Next::Ended(how) => return self.counter.note(how),
                }
            }
            self.counter.door_closed(self.setup.index);
            process.kill().await;
            self.did(&self.done.kills);
        }
    }

    /// Lets it live for a while, and says what happens then.
    async fn next(&mut self, process: &mut Process) -> Next {
        let mut life = Duration::from_millis(self.dice.u64(self.plan.life.0..self.plan.life.1));
        let (done, planned) = self.done.share(&self.plan);
        if done == planned {
            life *= LONGER;
        }
        tokio::select! {
            // This wait is what the test does to the process, not a wait for something.
            () = tokio::time::sleep(life) => self.choose(),
            _ = self.over.changed() => Next::Over,
            how = process.ended() => Next::Ended(how),
        }
    }

    async fn start(&mut self) -> Process {
        Process::start(&self.setup, &self.counter, self.come.subscribe()).await
    }

    fn choose(&mut self) -> Next {
        let [_, pauses, _] = self.done.counts();
        let roll = self.dice.u32(0..100);
        let naps = &self.done.naps_begun;
        let one_more = |begun| (begun < self.plan.naps).then_some(begun + 1);
        if roll < 40 && naps.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_more).is_ok() {
            return Next::Nap;
        }
        if pauses < self.plan.pauses && roll < 75 {
            return Next::Pause(Duration::from_millis(self.dice.u64(PAUSE_MS.0..PAUSE_MS.1)));
        }
        Next::Kill
    }

    async fn pause(&self, process: &Process, span: Duration, count: &AtomicU32) {
        // Now and then webhooks still go to the one that sleeps.
        let index = self.setup.index;
        let long = span > Duration::from_secs(2);
        let door = if long { self.counter.door_closed(index) } else { None };
        process.pause();
        tokio::time::sleep(span).await;
        process.go_on();
        if let Some(port) = door {
            self.counter.door_opened(index, port);
        }
        self.did(count);
    }

    /// Counts what was done, and lets more orders come in: there is work until the last kill.
    fn did(&self, count: &AtomicU32) {
        count.fetch_add(1, Ordering::SeqCst);
        let (done, planned) = self.done.share(&self.plan);
        let come = u64::from(self.plan.orders) * u64::from(done + 1) / u64::from(planned + 1);
        let come = u32::try_from(come).unwrap_or(u32::MAX);
        self.come.send_if_modified(|known| {
            let more = come > *known;
            *known = come.max(*known);
            more
        });
        self.counter.choose_door();
    }
}
