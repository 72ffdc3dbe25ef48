//! Work that the orchestrator owns: whoever asked for it may stop waiting, and it goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use paymux_core::{Effect, Error, ErrorKind, Result};
use tokio::sync::Notify;

/// The work that is under way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<State>);

#[derive(Debug, Default)]
struct State {
    running: AtomicUsize,
    closed: AtomicBool,
    idle: Notify,
}

/// One piece of work; ends when it is dropped, by a panic too.
struct Running(Arc<State>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Calls {
    /// Does the work in a task of its own. Dropping the future that this returns does not stop it.
    ///
    /// # Errors
    /// `Unavailable` without effect after [`Calls::close`]; `Unexpected` with a possible effect
    /// when the work panicked.
    pub(crate) async fn own<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let running = self.begin()?;
        let task = tokio::spawn(async move {
            let _running = running;
            work.await
        });
        task.await.unwrap_or_else(|source| {
            let message = "the work on a payment ended unexpectedly; it is looked after later";
            Err(Error::new(ErrorKind::Unexpected, Effect::Possible, message).with_source(source))
        })
    }

    fn begin(&self) -> Result<Running> {
        self.0.running.fetch_add(1, Ordering::SeqCst);
        let running = Running(self.0.clone());
        if self.0.closed.load(Ordering::SeqCst) {
            let message = "the orchestrator is shutting down";
            return Err(
                Error::new(ErrorKind::Unavailable, Effect::None, message).with_retryable(true)
            );
        }
        Ok(running)
    }

    /// Is no more work taken?
    pub(crate) fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::SeqCst)
    }

    /// Takes no more work, and waits for what is under way, up to `limit`. Returns how much was
    /// still under way then.
    pub(crate) async fn close(&self, limit: Duration) -> usize {
        self.0.closed.store(true, Ordering::SeqCst);
        let idle = async {
            loop {
                let notified = self.0.idle.notified();
                if self.0.running.load(Ordering::SeqCst) == 0 {
                    return;
                }
                notified.await;
            }
        };
        // Running out of time is an answer here, not an error.
        let _ = tokio::time::timeout(limit, idle).await;
        self.0.running.load(Ordering::SeqCst)
    }
}
