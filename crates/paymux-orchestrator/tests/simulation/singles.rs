//! Every single fault at every place of a small script, so that none of them is left to chance.

use std::time::Duration;

use paymux_core::PaymentStatus;
use paymux_orchestrator::{Intent, PaymentRecord, ReviewReason};

use super::{
    bugs::Bug,
    merchant::HELD,
    provider::key,
    shaky::{Fate, StoreFault},
    truth::{FAULTS, Fault, Kind},
    world::{Size, World},
};

mod met;

pub(crate) use met::Met;

/// The process that the merchant asks, and the other one, which takes the webhooks.
const FRONT: usize = 0;
const BACK: usize = 1;
/// What the merchant asks for, in the numbers of its operations.
const CAPTURE: u32 = 0;
const REFUND: u32 = 1;
const CANCEL: u32 = 3;
/// More turns than anything takes that does not hang.
const MOST_TURNS: u32 = 600;
/// Longer than any lease.
const NAP: Duration = Duration::from_secs(200);

/// What goes wrong, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Single {
    Nothing,
    /// At the call with this number.
    Call(u32, Fault),
    Store(StoreFault),
    /// A process dies at this turn.
    Death(u32),
    /// A process sleeps from this turn on, for longer than a lease, and others go on.
    Nap(u32),
    /// What is told at this place of the script never comes, or comes twice, or in reverse.
    Lost(u32),
    Twice(u32),
    Reversed(u32),
}

impl Single {
    /// Is it of a class of which there are few?
    pub(crate) fn is_rare(self) -> bool {
        matches!(self, Self::Lost(_) | Self::Twice(_) | Self::Reversed(_))
    }

    /// The kind of it, for the count.
    pub(crate) fn class(self) -> String {
        match self {
            Self::Call(_, fault) => format!("call: {fault:?}"),
            Self::Store(StoreFault::Unreached(_)) => "store: unreached".to_owned(),
            Self::Store(StoreFault::Change(_, fate)) => format!("store: {fate:?}"),
            Self::Nothing => "nothing".to_owned(),
            Self::Death(_) => "death".to_owned(),
            Self::Nap(_) => "nap".to_owned(),
            Self::Lost(_) => "telling: lost".to_owned(),
            Self::Twice(_) => "telling: twice".to_owned(),
            Self::Reversed(_) => "telling: reversed".to_owned(),
        }
    }
}

/// A script: one order at an account of this kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Script {
    pub(crate) kind: Kind,
    /// Is the money held first?
    pub(crate) held: bool,
    /// Does the merchant call it off, instead of taking it and giving it back?
    pub(crate) called_off: bool,
}

impl Script {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().flat_map(|kind| {
            let ways = [(false, false), (true, false), (true, true)];
            ways.into_iter().map(move |(held, called_off)| Self { kind, held, called_off })
        })
    }

    /// Every place at which something can go wrong once.
    pub(crate) fn singles(self) -> Vec<Single> {
        let places = self.play(Single::Nothing, None).expect("nothing went wrong").places;
        let fates = [Fate::Lost, Fate::AnswerLost, Fate::LandsLater];
        let calls = (0..places.calls).flat_map(|n| FAULTS.map(|fault| Single::Call(n, fault)));
        let changes =
            (0..places.changes).flat_map(|n| fates.map(|fate| StoreFault::Change(n, fate)));
        let requests = (0..places.requests).map(StoreFault::Unreached);
        let tellings = [Single::Lost, Single::Twice, Single::Reversed];
        let mut all: Vec<Single> = calls.collect();
        all.extend(changes.chain(requests).map(Single::Store));
        let moments = [Single::Death, Single::Nap];
        all.extend(places.moments.iter().flat_map(|turn| moments.map(|moment| moment(*turn))));
        for (number, new) in (0..).zip(places.tellings) {
            // What is to come in reverse is more than one.
            let that_fit = tellings.iter().take(if new > 1 { 3 } else { 2 });
            all.extend(that_fit.filter(|_| new > 0).map(|telling| telling(number)));
        }
        all
    }

    /// Plays it with this fault. Gives what came of it, or what broke.
    pub(crate) fn play(self, single: Single, bug: Option<Bug>) -> Result<Played, String> {
        // The second account takes what the first one gives up.
        let size = Size { nodes: 2, store_fails: false, is_steady: true };
        let mut play = Play {
            world: World::new(7, [self.kind, Kind::Card], size, bug),
            single,
            places: Places::default(),
            counted: (0, 0),
            met: false,
        };
        play.prepare();
        play.run(self);
        play.count();
        play.world.nothing_made_up();
        play.world.settle();
        if play.world.broken.first().is_none() {
            play.world.check();
        }
        if single == Single::Nothing {
            play.world.has_gone_well(self);
        }
        let reasons = |record: PaymentRecord| record.reviews.into_iter().map(|it| it.reason);
        let reviews = play.world.records().into_iter().flat_map(reasons).collect();
        match play.world.broken.first() {
            Some(what) => Err(format!("{self:?} with {single:?}: {what}")),
            None => Ok(Played { places: play.places, met: play.met, reviews }),
        }
    }
}

/// What came of a play.
pub(crate) struct Played {
    places: Places,
    /// Did what was to go wrong go wrong?
    pub(crate) met: bool,
    /// Why a person is asked, where one is.
    pub(crate) reviews: Vec<ReviewReason>,
}

/// How many places there are at which something could go wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    calls: u32,
    changes: u32,
    requests: u32,
    turns: u32,
    /// The turns before which something was asked of a provider or the store: whatever happens to a
    /// process between two of them is the same.
    moments: Vec<u32>,
    /// How much was new each time that something was told.
    tellings: Vec<usize>,
}

struct Play {
    world: World,
    single: Single,
    places: Places,
    /// How much was asked of the provider and the store when that was counted last.
    counted: (u32, u32),
    /// Did it go wrong?
    met: bool,
}

impl Play {
    fn prepare(&self) {
        match self.single {
            Single::Call(number, fault) => {
                let mut truth = self.world.models[0].truth();
                truth.faults.extend((0..number).map(|_| Fault::Nothing));
                truth.faults.push_back(fault);
                if fault == Fault::AboutAnother {
                    truth.add_somebody_elses();
                }
            }
            Single::Store(fault) => {
                self.world.weather.plan.lock().expect("no panic").fault = Some(fault);
            }
            Single::Nothing
            | Single::Death(_)
            | Single::Nap(_)
            | Single::Lost(_)
            | Single::Twice(_)
            | Single::Reversed(_) => {}
        }
    }

    /// How much there was of everything, and whether the fault was among it.
    fn count(&mut self) {
        self.places.calls = self.calls();
        let plan = self.world.weather.plan.lock().expect("no panic");
        (self.places.changes, self.places.requests) = (plan.changes, plan.requests);
        match self.single {
            Single::Call(..) => self.met = self.world.models[0].truth().faults.is_empty(),
            Single::Store(StoreFault::Unreached(number)) => self.met = number < plan.requests,
            Single::Store(StoreFault::Change(number, _)) => self.met = number < plan.changes,
            Single::Nothing
            | Single::Death(_)
            | Single::Nap(_)
            | Single::Lost(_)
            | Single::Twice(_)
            | Single::Reversed(_) => {}
        }
    }

    /// How much was asked of the provider and the store.
    fn asked(&self) -> (u32, u32) {
        (self.calls(), self.world.weather.plan.lock().expect("no panic").requests)
    }

    fn calls(&self) -> u32 {
        let truth = self.world.models[0].truth();
        truth.looks + u32::try_from(truth.calls.values().sum::<u64>()).expect("few")
    }

    /// One payment from its order to its end. What the merchant had no answer to, it asks for again,
    /// with the same key.
    fn run(&mut self, script: Script) {
        let no = if script.held { HELD } else { 0 };
        for _ in 0..2 {
            if self.world.told.lock().expect("no panic").is_empty() {
                self.world.ask_for(no, false, FRONT);
                self.rest(FRONT);
            }
        }
        self.pay();
        self.go_on();
        let whats = match (script.held, script.called_off) {
            (_, true) => &[CANCEL][..],
            (true, false) => &[CAPTURE, REFUND][..],
            (false, false) => &[REFUND][..],
        };
        for what in whats {
            for _ in 0..2 {
                self.operate(*what);
                self.rest(FRONT);
            }
            self.go_on();
        }
    }

    /// The payer pays at whatever was shown.
    fn pay(&self) {
        for record in self.world.records() {
            if let (Some(payment), Some(_)) = (&record.provider, record.next_action()) {
                self.world.model(&payment.provider).pay(payment.id.as_str());
            }
        }
    }

    /// Captures, gives back or cancels, where the payment is so far and that was not written yet.
    fn operate(&mut self, what: u32) {
        for record in self.world.records() {
            let is_for_it = |intent: &Intent| match what {
                CAPTURE => matches!(intent, Intent::Capture(_)),
                REFUND => matches!(intent, Intent::Refund(_)),
                _ => false,
            };
            let begun = record.attempts.iter().any(|attempt| is_for_it(&attempt.intent));
            let fits = match what {
                CAPTURE => record.status == PaymentStatus::Authorized,
                REFUND => record.status == PaymentStatus::Succeeded,
                _ => !record.cancel_wanted,
            };
            if fits && !begun {
                let key = key(&format!("operation-{what}"));
                self.world.begin_operation(record, key, what, None, FRONT);
            }
        }
    }

    /// What is on its way at the providers arrives, is told, and time passes.
    fn go_on(&mut self) {
        for model in &self.world.models {
            model.truth().finish(false);
        }
        self.tell();
        for place in [FRONT, BACK] {
            self.world.pass(Duration::from_secs(40));
            self.world.step_at(place);
            self.rest(place);
        }
    }

    /// Everything that is new is told to the other process.
    fn tell(&mut self) {
        let number = u32::try_from(self.places.tellings.len()).expect("few");
        let mut most = 0;
        for model in self.world.models.clone() {
            let mut new: Vec<usize> = {
                let truth = model.truth();
                (0..truth.tellings.len()).filter(|place| !truth.told.contains(place)).collect()
            };
            most = most.max(new.len());
            if self.single == Single::Lost(number) {
                self.met |= !new.is_empty();
                new.clear();
            } else if self.single == Single::Twice(number) {
                self.met |= !new.is_empty();
                new.extend(new.clone());
            } else if self.single == Single::Reversed(number) {
                self.met |= new.len() > 1;
                new.reverse();
            }
            for telling in new {
                self.world.tell_to(BACK, &model, telling);
                self.rest(BACK);
            }
        }
        self.places.tellings.push(most);
    }

    /// A process goes on turn by turn until it has nothing more to do.
    fn rest(&mut self, place: usize) {
        let began = self.places.turns;
        while !self.world.nodes[place].is_at_rest() && self.places.turns - began < MOST_TURNS {
            let turn = self.places.turns;
            let asked = self.asked();
            if asked != self.counted {
                self.counted = asked;
                self.places.moments.push(turn);
            }
            if self.single == Single::Death(turn) {
                self.met = true;
                self.world.kill(place);
            } else if self.single == Single::Nap(turn) {
                self.met = true;
                self.nap(place);
            } else {
                self.world.nodes[place].run(1);
            }
            self.places.turns += 1;
        }
        // What hangs runs into its limit.
        self.world.nodes[place].come_to_rest();
    }

    /// Nobody hears of this process for a while, and the other one does what is due.
    fn nap(&mut self, place: usize) {
        let other = 1 - place;
        self.world.nodes[place].sleeps = true;
        for _ in 0..2 {
            self.world.pass(NAP);
            self.world.step_at(other);
            self.world.nodes[other].come_to_rest();
        }
        self.world.nodes[place].sleeps = false;
    }
}
