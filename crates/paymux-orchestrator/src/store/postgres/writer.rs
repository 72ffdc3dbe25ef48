//! The tasks that commit changes. Each takes what waits, commits it as one group, and answers when
//! it is on disk; while it does, the next group gathers. Nothing waits for a group to fill.
//!
//! A change belongs to a task here from the moment it is taken, so a caller that goes away never
//! leaves a transaction half done.

use std::{
    collections::{BTreeSet, VecDeque},
    mem,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use deadpool_postgres::Pool;
use futures_util::FutureExt;
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    fault::Fault,
    group::{self, Failure, Locks},
    held::Held,
    patience::Patience,
};
use crate::store::{Change, Committed, ObjectRef, StoreError, StoreErrorKind, StoreResult};

/// More of them cut groups smaller, fewer leave the server idle. Chosen among 4, 8 and 14 by one
/// run of the benchmark each, on two busy cores: a hint, to be measured again on a quiet machine.
const WRITERS: usize = 8;
/// How many changes one transaction holds at most.
const GROUP: usize = 64;
/// How many changes may wait before callers have to.
const QUEUE: usize = 1024;
/// How often a transaction that lost a race is run again, or one that met a connection with stale
/// statements: each may have them.
const AGAIN: u32 = 8;
/// How long a writer waits for what others hold, however many changes it has that need it.
const HELD_UP: Duration = Duration::from_secs(10);

/// How many of so many connections are the writers' own.
pub(super) fn writers(connections: usize) -> usize {
    WRITERS.min(connections / 2).max(1)
}

/// A change, and whoever waits for what became of it.
struct Work {
    change: Arc<Change>,
    answer: oneshot::Sender<StoreResult<Committed>>,
}

/// The way to the tasks that commit.
#[derive(Debug)]
pub(super) struct Writers {
    queue: std::sync::Mutex<Option<mpsc::Sender<Work>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writers {
    /// As many as the pool has connections, which nobody else uses.
    pub(super) fn start(pool: &Pool, patience: &Patience, tenant: &Arc<str>) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let tasks = (0..pool.status().max_size)
            .map(|_| {
                let (pool, patience) = (pool.clone(), patience.clone());
                let writer = Writer { pool, patience, tenant: Arc::clone(tenant) };
                tokio::spawn(writer.run(Arc::clone(&waiting)))
            })
            .collect();
        Self { queue: std::sync::Mutex::new(Some(queue)), tasks: Mutex::new(tasks) }
    }

    /// Hands a change over and waits for what became of it.
    pub(super) async fn commit(&self, change: Arc<Change>) -> StoreResult<Committed> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue().clone();
        let Some(queue) = queue else { return Err(closed()) };
        if queue.send(Work { change, answer }).await.is_err() {
            return Err(closed());
        }
        drop(queue);
        answered.await.unwrap_or_else(|_| {
            let message =
                "the runtime ended, or the task panicked, while a change was being committed";
            Err(StoreError::new(StoreErrorKind::CommitUnknown, message))
        })
    }

    /// Takes no more changes, and waits until those that were handed over are answered.
    pub(super) async fn close(&self) {
        drop(self.queue().take());
        for task in mem::take(&mut *self.tasks.lock().await) {
            // A task that panicked has nothing left to wait for either.
            let _ = task.await;
        }
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Option<mpsc::Sender<Work>>> {
        self.queue.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn closed() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "the store was closed")
}

struct Writer {
    pool: Pool,
    patience: Patience,
    tenant: Arc<str>,
}

impl Writer {
    async fn run(self, waiting: Arc<Mutex<mpsc::Receiver<Work>>>) {
        let mut taken = Vec::with_capacity(GROUP);
        loop {
            // Whoever waits for the lock is the next to take; it is free during the commit.
            if waiting.lock().await.recv_many(&mut taken, GROUP).await == 0 {
                return;
            }
            let mut left: VecDeque<Work> = taken.drain(..).collect();
            while !left.is_empty() {
                let group = apart(&mut left);
                // Its callers are told that it is unknown; the writer is there for the next.
                if AssertUnwindSafe(self.settle(group)).catch_unwind().await.is_err() {
                    tracing::error!("a change ended in a panic");
                }
            }
        }
    }

    /// Answers every change of a group.
    async fn settle(&self, group: Vec<Work>) {
        let locks = if group.len() > 1 { Locks::Brief } else { Locks::Long };
        let Err((group, failure)) = self.together(group, locks).await else { return };
        if group.len() == 1 || !failure.is_of_one() {
            return refuse(group, &failure.into_fault());
        }
        // One of them is in the way; the others are not to suffer for it.
        let mut blocked = Vec::new();
        for work in group {
            match self.together(vec![work], Locks::Brief).await {
                Ok(()) => {}
                Err((work, Failure::Blocked(_))) => blocked.extend(work),
                Err((work, failure)) => refuse(work, &failure.into_fault()),
            }
        }
        // All that are held up have the time of one.
        let mut time = pin!(tokio::time::sleep(HELD_UP));
        for work in blocked {
            let is_over = time.as_mut().now_or_never().is_some();
            let locks = if is_over { Locks::Brief } else { Locks::Long };
            if let Err((work, failure)) = self.together(vec![work], locks).await {
                refuse(work, &failure.into_fault());
            }
        }
    }

    /// Answers every change of a group, unless something is in the way; then gives those back that
    /// have no answer, and says what it was.
    async fn together(
        &self,
        mut group: Vec<Work>,
        locks: Locks,
    ) -> Result<(), (Vec<Work>, Failure)> {
        let mut again = 0;
        while !group.is_empty() {
            match self.attempt(&group, locks).await {
                Ok(answers) => group = deliver(group, answers),
                Err(Failure::Race | Failure::Stale(_)) if again < AGAIN => again += 1,
                Err(failure) => return Err((group, failure)),
            }
        }
        Ok(())
    }

    async fn attempt(
        &self,
        group: &[Work],
        locks: Locks,
    ) -> Result<Vec<Option<Committed>>, Failure> {
        let client = self.patience.connection("commit a change", &self.pool).await;
        let client = Held::new(client.map_err(Failure::Fault)?);
        let changes: Vec<&Change> = group.iter().map(|work| &*work.change).collect();
        let result = group::commit(&client, &self.patience, &self.tenant, &changes, locks).await;
        if let Err(Failure::Fault(fault) | Failure::Stale(fault)) = &result
            && fault.kind != StoreErrorKind::Corrupt
        {
            // Most likely it is gone, or about to be: the next group is not to get it.
            client.end(fault);
        }
        result
    }
}

/// Takes from what is left the changes that touch no payment, key or object twice. Of one payment
/// the first is taken first.
fn apart(left: &mut VecDeque<Work>) -> Vec<Work> {
    let mut payments = BTreeSet::new();
    let mut keys: BTreeSet<String> = BTreeSet::new();
    let mut objects: BTreeSet<ObjectRef> = BTreeSet::new();
    let mut group = Vec::with_capacity(left.len());
    for work in mem::take(left) {
        let Change { payment, caller_key, objects: named, .. } = &*work.change;
        let key = caller_key.as_ref().map(|row| &row.key);
        let free = !payments.contains(&payment.id)
            && key.is_none_or(|key| !keys.contains(key))
            && named.iter().all(|object| !objects.contains(object));
        // What has to wait keeps its place before later ones of the same payment.
        payments.insert(payment.id.clone());
        keys.extend(key.cloned());
        objects.extend(named.iter().cloned());
        if free {
            group.push(work);
        } else {
            left.push_back(work);
        }
    }
    group
}

/// Tells those that have an answer; gives those that have none back.
fn deliver(group: Vec<Work>, answers: Vec<Option<Committed>>) -> Vec<Work> {
    let mut again = Vec::new();
    for (work, answer) in group.into_iter().zip(answers) {
        match answer {
            // Whoever went away does not want to know.
            Some(answer) => drop(work.answer.send(Ok(answer))),
            None => again.push(work),
        }
    }
    again
}

fn refuse(group: Vec<Work>, fault: &Fault) {
    for work in group {
        drop(work.answer.send(Err(fault.clone().into())));
    }
}
