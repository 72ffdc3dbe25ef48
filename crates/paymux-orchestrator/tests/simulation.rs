//! The orchestrator against providers, networks, stores and processes that err, over thousands of
//! seeds: nothing is charged twice, nothing is lost, and once the faults stop everything is settled
//! or waits for a person.
//!
//! A run is a function of its seed: each process has one thread, the clock is moved by hand, and
//! chance comes from the seed. `PAYMUX_SIMULATIONS=100000` asks for more runs (with `--release` and
//! `--nocapture` it says what they met), `PAYMUX_SEED=42` for one, with a trace. What chance may
//! miss is enumerated: every single fault at every place of small scripts.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it met"
)]

mod simulation {
    pub(crate) mod bugs;
    pub(crate) mod check;
    pub(crate) mod dice;
    pub(crate) mod gate;
    pub(crate) mod kinds;
    mod merchant;
    pub(crate) mod node;
    pub(crate) mod provider;
    mod scenarios;
    pub(crate) mod shaky;
    pub(crate) mod singles;
    pub(crate) mod truth;
    pub(crate) mod world;
}

use std::collections::BTreeMap;

use paymux_orchestrator::store::Store;
use simulation::{
    bugs::Bug,
    singles::{Met, Script, Single},
    truth::{Fault, Kind},
    world::{Size, World},
};

const USUAL_RUNS: u64 = 600;
/// The usual run takes one of so many single faults: a number that divides none of those by which
/// they come again.
const USUAL_PART: usize = 7;
/// A planted bug has to be found within so many runs.
const ENOUGH_RUNS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// One run: what it met, or what broke.
fn run(seed: u64, bug: Option<Bug>) -> Result<(Vec<String>, World), String> {
    let (kinds, size) = shape(seed);
    let mut world = World::new(seed, kinds, size, bug);
    world.run();
    world.nothing_made_up();
    world.settle();
    let met = match world.broken.first() {
        Some(_) => Vec::new(),
        None => world.check(),
    };
    match world.broken.first() {
        Some(what) => Err(format!("seed {seed} with {kinds:?} and {size:?}: {what}")),
        None => Ok((met, world)),
    }
}

/// Any two kinds of providers, one to four processes, and in half of the worlds a store that fails:
/// 288 seeds in a row have all that there is.
fn shape(seed: u64) -> ([Kind; 2], Size) {
    let kinds = [Kind::ALL[index(seed, 6)], Kind::ALL[index(seed / 6, 6)]];
    let (pair, round) = (seed % 36, seed / 36);
    let nodes = 1 + u32::try_from((pair + round) % 4).expect("small");
    (kinds, Size { nodes, store_fails: (pair / 2 + round / 4) % 2 == 1, is_steady: false })
}

fn index(seed: u64, of: u64) -> usize {
    usize::try_from(seed % of).expect("small")
}

#[test]
fn never_twice_and_nothing_lost() {
    let first = number("PAYMUX_FIRST_SEED").unwrap_or(0);
    let seeds = match number("PAYMUX_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + number("PAYMUX_SIMULATIONS").unwrap_or(USUAL_RUNS),
    };
    let many = seeds.end - seeds.start >= 500;
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut broken = Vec::new();
    for seed in seeds {
        match run(seed, None) {
            Ok((met, _)) => {
                for word in met {
                    *seen.entry(word).or_default() += 1;
                }
            }
            Err(what) => broken.push(what),
        }
        if broken.len() >= 5 {
            break;
        }
    }
    println!("{seen:#?}");
    assert!(broken.is_empty(), "{}", broken.join("\n\n"));
    // The runs have to have met what they are for, and not to have left everything to a person.
    if many {
        for word in ["succeeded", "failed over", "repeated", "review", "refund succeeded"] {
            assert!(seen.get(word).is_some_and(|count| *count >= 20), "{word} was hardly met");
        }
        assert!(seen["review"] * 4 < seen["payments"], "too much is left to people: {seen:#?}");
    }
}

/// Not by dice: each fault at each call of the account that is asked first, each failure of the
/// store at each request and each change, and a death and a long sleep at each moment of small
/// scripts. Each has to happen, and to leave no more to a person than it may. The usual run takes a
/// part of them that has every class of fault; `PAYMUX_SINGLES=all` takes all.
#[test]
fn no_single_fault_breaks_anything() {
    let is_whole = std::env::var("PAYMUX_SINGLES").is_ok_and(|which| which == "all");
    let part = if is_whole { 1 } else { USUAL_PART };
    let mut met = Met::default();
    let mut broken = Vec::new();
    for (number, script) in Script::all().enumerate() {
        let is_taken = |place, single: Single| place % part == number % part || single.is_rare();
        let singles = script.singles().into_iter().enumerate();
        for (_, single) in singles.filter(|(place, single)| is_taken(*place, *single)) {
            match script.play(single, None) {
                Ok(played) if played.met => broken.extend(met.note(script, single, &played)),
                Ok(_) => broken.push(format!("{script:?}: {single:?} never happened")),
                Err(what) => broken.push(what),
            }
        }
    }
    println!("{met}");
    let first = &broken[..broken.len().min(5)];
    assert!(broken.is_empty(), "{} broke:\n{}", broken.len(), first.join("\n\n"));
    assert!(met.least() >= 2, "a class was hardly met: {met}");
    let never_left = if is_whole { met.never_left() } else { Vec::new() };
    assert!(never_left.is_empty(), "nobody is asked after {never_left:?}");
}

/// So that the one above can fail: where an answer is lost, bugs that take money twice show.
#[test]
fn a_single_lost_answer_finds_bugs() {
    let cases = [
        (Bug::NewKeys, Kind::Card),
        (Bug::LostIsUnsent, Kind::Card),
        (Bug::LostIsDeclined, Kind::Card),
        (Bug::SendsOnceTwice, Kind::Careless),
    ];
    for (bug, kind) in cases {
        let scripts = Script::all().filter(|script| script.kind == kind);
        let lost = (0..4).map(|call| Single::Call(call, Fault::LostAfter));
        let found = scripts
            .flat_map(|script| lost.clone().map(move |single| (script, single)))
            .find_map(|(script, single)| script.play(single, Some(bug)).err());
        println!("{bug:?}: {found:?}");
        assert!(found.is_some_and(|what| what.contains("I1")), "{bug:?} was not found");
    }
}

#[test]
fn every_planted_bug_is_found() {
    let all = Bug::ALL.iter().map(|bug| {
        let found = (0..ENOUGH_RUNS).find_map(|seed| run(seed, Some(*bug)).err());
        println!("{bug:?}: {found:?}");
        (bug, found)
    });
    let missed: Vec<&Bug> = all.filter(|(_, found)| found.is_none()).map(|(bug, _)| bug).collect();
    assert!(missed.is_empty(), "not found within {ENOUGH_RUNS} runs: {missed:?}");
}

/// What a seed broke can be looked at again: a run is the same to the letter.
#[test]
fn a_run_can_be_repeated() {
    let story = |seed| {
        let (_, world) = run(seed, None).expect("nothing breaks");
        let mut story = Vec::new();
        for record in world.records() {
            let lines = world.nodes[0].finish(world.written.history(&record.id)).expect("memory");
            story.extend(lines.into_iter().map(|line| line.digest));
        }
        story
    };
    // Of all sizes.
    for seed in (0..12).map(|number| number * 37) {
        assert_eq!(story(seed), story(seed), "seed {seed}");
    }
}
