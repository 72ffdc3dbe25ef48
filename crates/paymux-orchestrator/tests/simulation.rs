//! The orchestrator against providers that err, over thousands of seeds: nothing is charged twice,
//! nothing is lost, and once the faults stop everything is settled or waits for a person.
//!
//! A run is a function of its seed: one thread, a clock that is moved by hand, randomness from the
//! seed. `PAYMUX_SIMULATIONS=100000` asks for more of them, `PAYMUX_SEED=42` for one, with a trace.

mod simulation {
    pub(crate) mod provider;
    pub(crate) mod world;
}

use std::collections::BTreeMap;

use simulation::{provider::Kind, world::World};

const USUAL_RUNS: u64 = 1_500;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

#[test]
fn never_twice_and_nothing_lost() {
    let seeds: Vec<u64> = match number("PAYMUX_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("PAYMUX_SIMULATIONS").unwrap_or(USUAL_RUNS)).collect(),
    };
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let many = seeds.len() > 1_000;
    for seed in seeds {
        let mut world =
            World::new(seed, [Kind::ALL[index(seed, 5)], Kind::ALL[index(seed / 5, 5)]]);
        world.run();
        world.settle();
        for word in world.check() {
            *seen.entry(word).or_default() += 1;
        }
    }
    println!("{seen:#?}");
    // The runs have to have met what they are for.
    if many {
        for word in ["succeeded", "failed over", "repeated", "review", "refunded", "restarted"] {
            assert!(seen.get(word).is_some_and(|count| *count >= 50), "{word} was hardly met");
        }
    }
}

fn index(seed: u64, of: u64) -> usize {
    usize::try_from(seed % of).expect("small")
}
