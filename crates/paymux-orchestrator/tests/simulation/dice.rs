//! Chance, from a seed.

use std::sync::{Arc, Mutex};

use paymux_core::{Random, SeededRandom};

/// More than others go first where nothing is slow.
const LONG: u32 = 10;

/// One source of chance for a whole world, so that a run is a function of its seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    random: Arc<SeededRandom>,
    /// Others go first as often everywhere.
    is_steady: bool,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Arc::new(SeededRandom::new(seed)), is_steady: false }
    }

    /// Lets others go first once wherever it might, so that there are no more turns than places;
    /// what takes long takes its whole time.
    pub(crate) fn steady(seed: u64) -> Self {
        Self { is_steady: true, ..Self::new(seed) }
    }

    pub(crate) fn roll(&self, sides: u32) -> u32 {
        let mut bytes = [0_u8; 4];
        self.random.fill(&mut bytes);
        u32::from_le_bytes(bytes) % sides
    }

    pub(crate) fn one_in(&self, sides: u32) -> bool {
        self.roll(sides) == 0
    }

    pub(crate) fn pick<T: Copy>(&self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    pub(crate) fn index(&self, len: usize) -> usize {
        self.roll(u32::try_from(len).expect("few")) as usize
    }

    /// Lets others go first, up to so many times: here a process can die or be overtaken.
    pub(crate) async fn pass(&self, most: u32) {
        let times =
            if self.is_steady { if most < LONG { 1 } else { most } } else { self.roll(most + 1) };
        for _ in 0..times {
            tokio::task::yield_now().await;
        }
    }
}

/// What was seen that must never be seen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Broken(Arc<Mutex<Vec<String>>>);

impl Broken {
    pub(crate) fn note(&self, what: String) {
        self.0.lock().expect("no panic").push(what);
    }

    pub(crate) fn first(&self) -> Option<String> {
        self.0.lock().expect("no panic").first().cloned()
    }
}
