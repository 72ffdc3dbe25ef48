//! The door through which randomness comes in. Nothing else in paymux makes random bytes.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

/// Gives random bytes. Passed to whatever needs them, so that tests repeat.
pub trait Random: fmt::Debug + Send + Sync + 'static {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The operating system's source: for keys and nonces.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    #[expect(clippy::disallowed_methods, reason = "this is the door")]
    #[expect(
        clippy::expect_used,
        reason = "without randomness two payments could share a key; there is no safe way on"
    )]
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    }
}

/// A repeatable source for tests, simulations and jitter. Never for keys of real payments.
#[derive(Debug)]
pub struct SeededRandom(Mutex<fastrand::Rng>);

impl SeededRandom {
    /// The source that this seed begins.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill(buffer);
    }
}
