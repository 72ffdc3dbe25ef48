//! Where a story has something wait, so that something else happens first.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

/// Whoever comes by waits until it is opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_reached: AtomicBool,
    is_open: AtomicBool,
}

impl Gate {
    pub(crate) async fn pass(&self) {
        self.0.is_reached.store(true, Ordering::SeqCst);
        while !self.0.is_open.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    /// Ready once somebody waits.
    pub(crate) async fn reached(&self) {
        while !self.0.is_reached.load(Ordering::SeqCst) {
            tokio::task::yield_now().await;
        }
    }

    pub(crate) fn open(&self) {
        self.0.is_open.store(true, Ordering::SeqCst);
    }
}

/// A place with a gate for the next one that comes by, and no other.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Arc<Mutex<Option<Gate>>>);

impl Place {
    pub(crate) fn shut(&self) -> Gate {
        self.0.lock().unwrap().insert(Gate::default()).clone()
    }

    pub(crate) async fn pass(&self) {
        let gate = self.0.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.pass().await;
        }
    }
}
