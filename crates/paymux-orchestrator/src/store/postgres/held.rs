//! Connections in use, and what becomes of one that failed.
//!
//! A server that waits for its standby does not notice that nobody waits for its answer any more. A
//! connection that was closed meanwhile would stay one of the server's, with its locks, and the next
//! one would be opened beside it, until the server takes no more from anybody. So a connection whose
//! commit is unknown keeps its place in the pool until the server has answered.

use std::{ops::Deref, time::Duration};

use deadpool_postgres::{ClientWrapper, Object};
use tokio::sync::OwnedSemaphorePermit;

use super::fault::{Fault, Stop, is_gone, is_stale};
use crate::store::StoreErrorKind;

/// How often a transaction that lost a race, was chosen to end a deadlock, or met a connection that
/// was not right is run again.
const AGAIN: u32 = 8;
/// What never answered after this long, a proxy has swallowed.
const KEPT: Duration = Duration::from_secs(3600);

/// A connection for one task.
pub(super) struct Held {
    client: Object,
    /// The place among those that may commit at once, for one that will.
    place: Option<OwnedSemaphorePermit>,
}

impl Held {
    /// For work that commits nothing, or where as many may commit as there are connections.
    pub(super) fn new(client: Object) -> Self {
        Self { client, place: None }
    }

    pub(super) fn committing(client: Object, place: OwnedSemaphorePermit) -> Self {
        Self { client, place: Some(place) }
    }

    /// Closes the connection, which is of no more use.
    pub(super) fn close(self) {
        drop(Object::take(self.client));
    }

    /// Closes the connection once the server has answered all that was sent on it.
    pub(super) fn close_when_answered(self) {
        tokio::spawn(async move {
            let Self { client, place } = self;
            // Answered after everything before it, or not at all where the connection is gone.
            let _ = tokio::time::timeout(KEPT, client.batch_execute("")).await;
            drop(Object::take(client));
            drop(place);
        });
    }

    /// Says why, and lets a connection go that is of no more use, before its end is noticed: the
    /// next caller is not to get it.
    pub(super) fn part(self, doing: &str, stop: Stop) -> Fault {
        match stop {
            Stop::Fault(fault) => {
                self.end(&fault);
                fault
            }
            Stop::Met(phase, error) => {
                if is_gone(&error) || is_stale(&error) {
                    self.close();
                }
                Fault::of(doing, phase, &error)
            }
        }
    }

    /// Is the same work worth another run, on this connection or another one? Counts how often it
    /// was: each connection may have stale statements.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn again(self, doing: &str, stop: Stop, times: &mut u32) -> Result<(), Fault> {
        *times += 1;
        if *times > AGAIN || !(stop.is_lost_race() || stop.is_stale()) {
            return Err(self.part(doing, stop));
        }
        if stop.is_stale() {
            self.close();
        }
        Ok(())
    }

    /// Lets a connection go for this fault.
    pub(super) fn end(self, fault: &Fault) {
        if fault.kind == StoreErrorKind::CommitUnknown {
            self.close_when_answered();
        } else {
            self.close();
        }
    }
}

impl Deref for Held {
    type Target = ClientWrapper;

    fn deref(&self) -> &ClientWrapper {
        &self.client
    }
}
