//! A process: an orchestrator on a thread of its own that can be killed, put to sleep, and woken.

use std::{future::Future, sync::Arc, time::Duration};

use paymux_core::{ManualClock, SeededRandom};
use paymux_orchestrator::Orchestrator;
use tokio::{runtime::Runtime, task::JoinHandle};

use super::{bugs::Misused, provider::Model, shaky::Shaky};

pub(crate) struct Node {
    pub(crate) orchestrator: Orchestrator,
    pub(crate) sleeps: bool,
    jobs: Vec<JoinHandle<()>>,
    runtime: Runtime,
}

/// What a node is made of.
pub(crate) struct Parts<'a> {
    pub(crate) name: String,
    pub(crate) store: Shaky,
    pub(crate) models: &'a [Model],
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) seed: u64,
}

impl Node {
    pub(crate) fn start(parts: Parts<'_>) -> Self {
        let bug = parts.store.bug;
        let mut builder = Orchestrator::builder(Arc::new(parts.store))
            .clock(parts.clock)
            .random(Arc::new(SeededRandom::new(parts.seed)))
            .node(parts.name);
        for model in parts.models {
            builder = builder.account(Misused::new(model.clone(), bug));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            // One task at a time, so that a process can end between any two steps.
            .event_interval(1)
            .build()
            .expect("a runtime");
        let orchestrator = builder.build().expect("accounts that fit");
        Self { orchestrator, sleeps: false, jobs: Vec::new(), runtime }
    }

    /// Begins something; it goes on whenever the node runs.
    pub(crate) fn begin(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.retain(|job| !job.is_finished());
        self.jobs.push(self.runtime.spawn(job));
    }

    /// Is everything that was begun at its end?
    pub(crate) fn is_at_rest(&self) -> bool {
        self.jobs.iter().all(JoinHandle::is_finished)
    }

    /// Goes on for a while.
    pub(crate) fn run(&self, turns: u32) {
        self.runtime.block_on(async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        });
    }

    /// Time passes for calls that hang.
    pub(crate) fn advance(&self, span: Duration) {
        self.runtime.block_on(tokio::time::advance(span));
    }

    /// Does something to its end. Calls that hang run into their limit.
    pub(crate) fn finish<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Everything that was begun comes to its end.
    pub(crate) fn come_to_rest(&mut self) {
        for job in std::mem::take(&mut self.jobs) {
            if let Err(error) = self.runtime.block_on(job) {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}
