//! What single faults met, and what they may leave to a person.

use std::{collections::BTreeMap, fmt};

use paymux_orchestrator::ReviewReason;

use super::{Played, Script, Single};
use crate::simulation::truth::Kind;

/// What single faults may leave to a person, and at which kinds. All else settles by
/// itself: after no failure of the store, no sleep and nothing about tellings is anybody asked.
const LEFT: [(&str, ReviewReason, &[Kind]); 6] = [
    ("call: AboutAnother", ReviewReason::Mismatch, &Kind::ALL),
    ("call: ActsLater", ReviewReason::StillInDoubt, &SENDS_ONCE),
    ("call: Declined", ReviewReason::StepRefused, &CAN_BE_REFUSED),
    ("call: DeclinedHard", ReviewReason::StepRefused, &Kind::ALL),
    ("call: LostBefore", ReviewReason::StillInDoubt, &SENDS_ONCE),
    ("death", ReviewReason::StillInDoubt, &SENDS_ONCE),
];
/// Here some requests are never sent again, and what became of them may show nowhere.
const SENDS_ONCE: [Kind; 3] = [Kind::Invoice, Kind::Steps, Kind::Careless];
/// Here a refused step can be refused for now alone.
const CAN_BE_REFUSED: [Kind; 5] = [Kind::Page, Kind::Invoice, Kind::Steps, Kind::Card, Kind::Hold];

/// How often each class was met, and what it left to a person.
#[derive(Debug, Default)]
pub(crate) struct Met {
    classes: BTreeMap<String, u32>,
    left: BTreeMap<String, u32>,
}

impl Met {
    /// What it left and must not have, if there is anything.
    pub(crate) fn note(&mut self, script: Script, single: Single, played: &Played) -> Vec<String> {
        let class = single.class();
        *self.classes.entry(class.clone()).or_default() += 1;
        let mut wrong = Vec::new();
        for reason in &played.reviews {
            let may_be_left = LEFT.iter().any(|(of, left, kinds)| {
                *of == class && left == reason && kinds.contains(&script.kind)
            });
            if !may_be_left {
                wrong.push(format!("{script:?} with {single:?} is left to a person: {reason}"));
            }
            *self.left.entry(row(&class, *reason, script.kind)).or_default() += 1;
        }
        wrong
    }

    pub(crate) fn least(&self) -> u32 {
        self.classes.values().copied().min().unwrap_or(0)
    }

    /// What the table says and no fault left.
    pub(crate) fn never_left(&self) -> Vec<String> {
        let rows = LEFT
            .iter()
            .flat_map(|(class, reason, kinds)| kinds.iter().map(|kind| row(class, *reason, *kind)));
        rows.filter(|row| !self.left.contains_key(row)).collect()
    }
}

fn row(class: &str, reason: ReviewReason, kind: Kind) -> String {
    format!("{class}, {kind:?}: {reason}")
}

impl fmt::Display for Met {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: u32 = self.classes.values().sum();
        write!(f, "{all} single faults:")?;
        self.classes.iter().try_for_each(|(class, count)| write!(f, " {class} {count};"))?;
        self.left.iter().try_for_each(|(left, count)| write!(f, "\n{left} {count}"))
    }
}
