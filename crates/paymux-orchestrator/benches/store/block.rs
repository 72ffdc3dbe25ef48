//! One way, measured for a while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How long one way runs before it is the next one's turn.
pub(crate) const LENGTH: Duration = Duration::from_millis(400);

/// How often it is each way's turn.
pub(crate) const ROUNDS: usize = 7;

/// How many payments are under way at a time.
pub(crate) const IN_FLIGHT: [usize; 4] = [1, 16, 64, 256];

/// What one block came to.
pub(crate) struct Block {
    /// Payments that were written.
    pub(crate) payments: u64,
    /// In this time.
    pub(crate) elapsed: Duration,
}

/// So many payments at a time, numbered from 0, until the block is over.
pub(crate) async fn run<F: Future<Output = ()> + Send + 'static>(
    tasks: usize,
    pay: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> Block {
    let next = Arc::new(AtomicU64::new(0));
    let start = now();
    let running: Vec<_> = (0..tasks)
        .map(|_| {
            let (pay, next) = (pay.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut payments = 0;
                while now() - start < LENGTH {
                    pay(next.fetch_add(1, Ordering::Relaxed)).await;
                    payments += 1;
                }
                payments
            })
        })
        .collect();
    let mut payments = 0;
    for task in running {
        payments += task.await.unwrap();
    }
    Block { payments, elapsed: now() - start }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
