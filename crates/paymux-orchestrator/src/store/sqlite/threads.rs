//! Threads of a store's own, and a queue in front of them.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
};

use tokio::sync::mpsc;

use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// How many calls wait in the queue before callers wait for a place.
const QUEUE: usize = 1024;

/// The end of the queue that the threads hold.
pub(super) struct Queue<W>(Arc<Mutex<mpsc::Receiver<W>>>);

impl<W> Queue<W> {
    /// The next work, once there is some; `None` when there will be none.
    pub(super) fn next(&self) -> Option<W> {
        held(&self.0).blocking_recv()
    }

    /// The next work, if it waits already.
    pub(super) fn next_waiting(&self) -> Option<W> {
        held(&self.0).try_recv().ok()
    }
}

/// Threads that take work from one queue until it is closed and empty.
pub(super) struct Threads<W> {
    queue: Mutex<Option<mpsc::Sender<W>>>,
    running: Mutex<Vec<JoinHandle<()>>>,
    /// Closed when the last thread has ended.
    ended: tokio::sync::Mutex<mpsc::Receiver<Infallible>>,
}

impl<W: Send + 'static> Threads<W> {
    /// Starts a thread for each of these, which `run` makes the work of.
    pub(super) fn start<P: Send + 'static>(
        name: &str,
        parts: Vec<P>,
        run: fn(P, &Queue<W>),
    ) -> StoreResult<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let (alive, ended) = mpsc::channel(1);
        let waiting = Queue(Arc::new(Mutex::new(receiver)));
        let threads = Self {
            queue: Mutex::new(Some(sender)),
            running: Mutex::new(Vec::new()),
            ended: tokio::sync::Mutex::new(ended),
        };
        for part in parts {
            let (waiting, alive) = (Queue(Arc::clone(&waiting.0)), alive.clone());
            let work = move || {
                run(part, &waiting);
                drop(alive);
            };
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(work);
            held(&threads.running).push(thread.map_err(|error| {
                StoreError::new(StoreErrorKind::Unavailable, "a thread cannot be started")
                    .with_source(error)
            })?);
        }
        Ok(threads)
    }

    /// Hands work over, when there is place.
    pub(super) async fn hand_over(&self, work: W) -> StoreResult<()> {
        let queue = held(&self.queue).clone();
        let gone = || {
            let message = "the store is closed, or its thread has ended; nothing was written";
            StoreError::new(StoreErrorKind::Unavailable, message)
        };
        queue.ok_or_else(gone)?.send(work).await.map_err(|_| gone())
    }

    /// Takes no more work, and waits until what was handed over is done.
    pub(super) async fn close(&self) {
        held(&self.queue).take();
        // Nothing is ever sent: it is over when every sender is gone.
        let over = self.ended.lock().await.recv().await;
        debug_assert!(over.is_none());
    }
}

impl<W> Drop for Threads<W> {
    fn drop(&mut self) {
        held(&self.queue).take();
        for thread in held(&self.running).drain(..) {
            // A thread that panicked has already failed its callers.
            let _ended = thread.join();
        }
    }
}

/// What these locks guard is changed in one step, so a lock that a panic poisoned is still good.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
