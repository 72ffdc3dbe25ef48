//! The suite is judged by what it kills: a sound adapter passes all of it, and each broken one
//! fails the trial that is there for its bug.
//!
//! `cargo test -p paymux-conformance --test kills -- --ignored --nocapture` prints for each bug how
//! many trials kill it.

mod toy;

use std::process::ExitCode;

use paymux_conformance::Trial;
use toy::Bug;

/// Each bug with the trial that must fail for it.
const KILLS: &[(Bug, &str)] = &[
    (Bug::SendsAgainAfter5xx, "create::minimal::fault::500"),
    (Bug::SendsAgainAfterALoss, "create::minimal::fault::reset"),
    (Bug::FollowsRedirects, "create::minimal::fault::307"),
    (Bug::MakesItsOwnKey, "create::minimal"),
    (Bug::DropsTheKey, "rule::key_sent::create::minimal"),
    (Bug::SendsKeysThatAreCut, "rule::key_length::create_payment"),
    (Bug::ChangesARepetition, "rule::same_bytes::create::minimal"),
    (Bug::MutatesTwice, "create::minimal"),
    (Bug::Swallows5xx, "create::minimal::fault::502"),
    (Bug::CallsTimeoutHarmless, "create::minimal::fault::late"),
    (Bug::CallsUnreadableHarmless, "create::minimal::fault::html"),
    (Bug::CallsLaterReadHarmless, "change::capture::fault::2::503"),
    (Bug::BelievesAnyRefusal, "create::minimal::fault::404"),
    (Bug::BelievesAnyNotFound, "read::paid::fault::404_html"),
    (Bug::RepeatsUnreadable, "create::minimal::fault::empty"),
    (Bug::DropsRetryAfter, "create::minimal::fault::429"),
    (Bug::UnknownIsSuccess, "status::payment_invented::fetch"),
    (Bug::UnknownIsFailure, "status::payment_invented::webhook"),
    (Bug::UnknownIsFailure, "status::event_invented::webhook"),
    (Bug::DropsTheProvidersWord, "status::payment_paid::fetch"),
    (Bug::MapsAStatusWrongly, "status::payment_void::fetch"),
    (Bug::ListsOtherStatuses, "status::payment_open::list"),
    (Bug::LosesTheFailure, "read::failed"),
    (Bug::RefusesNewFields, "read::paid::fault::extra_fields"),
    (Bug::RefusesNulls, "create::minimal::fault::optional.note"),
    (Bug::PanicsOnGarbage, "read::paid::fault::garbage_values"),
    (Bug::CountsInFloats, "rule::money::USD"),
    (Bug::SendsMajorUnits, "rule::money::EUR"),
    (Bug::CountsAllInHundredths, "rule::money::JPY"),
    (Bug::IgnoresAListFilter, "rule::list_filters::created_from"),
    (Bug::IgnoresCaptureMethod, "rule::capture_method"),
    (Bug::CapturesAllForAPart, "rule::partial_capture"),
    (Bug::LooksUpByReference, "rule::lookups::reference"),
    (Bug::ClaimsWhatItLacks, "rule::capabilities::cancel_payment"),
    (Bug::HasWhatItDenies, "rule::capabilities::confirm_payment"),
    (Bug::HidesItsName, "read::not_found"),
    (Bug::LeaksSecretInDebug, "create::minimal"),
    (Bug::LeaksSecretInError, "read::not_found"),
    (Bug::KeepsAStrangersBody, "create::minimal::fault::502"),
    (Bug::AcceptsAChangedBody, "webhook::deliveries::payment_paid::body_changed"),
    (Bug::AcceptsOldDeliveries, "webhook::deliveries::payment_paid::old_or_early"),
    (Bug::AcceptsUnsigned, "webhook::deliveries::payment_paid::header_changed"),
    (Bug::AcceptsTwoSignatures, "webhook::deliveries::payment_paid::header_changed"),
    (Bug::AcceptsAnyEnvelope, "webhook::enveloped::payment_paid::body_changed"),
    (Bug::AcceptsOldDeliveries, "webhook::enveloped::payment_paid::old_or_early"),
    (Bug::TrustsAboveItsWord, "webhook::deliveries::payment_paid"),
    (Bug::NamesAllEventsAlike, "rule::event_keys"),
    (Bug::NamesEachDeliveryAnew, "webhook::deliveries::payment_paid::repeated"),
    (Bug::PanicsOnAStrangeEvent, "webhook::deliveries::payment_paid::malformed"),
    (Bug::PanicsOnAStrangeEvent, "webhook::enveloped::payment_paid::malformed"),
    (Bug::UnknownIsFailure, "status::enveloped_invented::webhook"),
    (Bug::ReadsDoubledMembers, "create::minimal::fault::doubled_members"),
    (Bug::ReportsNoFigure, "rule::reports_captured"),
    (Bug::AsksForAStepItLacks, "rule::confirm_steps"),
    (Bug::ChargesAtOnce, "rule::opens_only"),
    (Bug::NamesAPageItDoesNotTake, "rule::next_pages"),
    (Bug::ClaimsAFilterItLacks, "rule::list_filters::customer"),
    (Bug::TakesAnyCurrency, "rule::currencies"),
    (Bug::CallsAConflictHarmless, "create::minimal::fault::in_flight"),
    (Bug::DropsTheProvidersCode, "create::minimal::fault::too_small"),
    (Bug::SendsNoCredentials, "read::paid"),
    (Bug::SendsAKeyOfAllCalls, "rule::key_sent::create::minimal"),
];

/// Each mistake in data with the trial that fails for it and what its text says.
const MISTAKES: &[(&str, &str)] = &[
    ("data::unknown_key", "unknown field `outcom`"),
    ("data::no_source", "missing field `source`"),
    ("data::twice", "twice::one is there twice"),
    ("data::unfilled", "nothing is known as {{nobody_knows}}"),
    ("data::missing_file", "nowhere.json cannot be read"),
    ("data::no_reason", "`no_faults` must say why"),
    ("data::reading_mutates", "fetch_payment only reads"),
    ("data::unmarked", "capture_payment must mark its mutating exchange"),
    ("data::two_mutations", "at most one mutating request"),
    ("data::two_calls", "`call` must have one key"),
    ("data::two_bodies", "one of body, text, form"),
    ("data::faults", "meets no trial"),
    ("data::statuses", "`skip` needs a route and a reason"),
    ("data::webhooks::deliveries", "must be an RFC 3339 time"),
    ("data::exceptions", "there is no trial `no::such::trial`"),
    ("unknown_field::one", "/payment/idd is missing"),
    ("unknown_call::one", "`fetch_paiment` is neither a method of the trait"),
    ("rule::statuses::create_payment", "no template with a Payment"),
    ("rule::webhook_trust", "its deliveries reach None"),
    ("rule::capabilities::create_payment", "no case shows it"),
    ("rule::capabilities::fetch_refund", "no case shows it"),
];

fn main() -> ExitCode {
    // Some bugs panic on purpose, and a trial says so itself.
    std::panic::set_hook(Box::new(|_| {}));
    let mut trials = toy::suite(None).trials();
    trials.extend(KILLS.iter().map(|(bug, killer)| {
        Trial::new(format!("kills::{bug:?}::by::{killer}"), move || must_kill(*bug, killer))
    }));
    trials.extend(MISTAKES.iter().map(|(trial, text)| {
        Trial::new(format!("mistakes::{trial}"), move || must_explain(trial, text))
    }));
    let matrix = Trial::new("matrix", print_matrix).ignored("slow; prints a table");
    trials.push(matrix);
    paymux_conformance::run(trials)
}

/// The named trial fails with the bug. That it passes without is a trial of the sound toy.
fn must_kill(bug: Bug, killer: &str) -> Result<(), String> {
    let name = format!("toy::{killer}");
    let mut trials = toy::suite(Some(bug)).trials();
    let at = trials.iter().position(|trial| trial.name() == name);
    let trial = trials.swap_remove(at.ok_or_else(|| format!("there is no trial {name}"))?);
    match trial.run() {
        Err(_) => Ok(()),
        Ok(()) => Err(format!("{name} passes in spite of {bug:?}")),
    }
}

/// A mistake in the data fails the named trial, which says what is wrong.
fn must_explain(name: &str, text: &str) -> Result<(), String> {
    let suite = toy::suite_of("mistakes", None).except("no::such::trial", "to see it fail");
    let name = format!("toy::{name}");
    let mut trials = suite.trials();
    let at = trials.iter().position(|trial| trial.name() == name);
    let trial = trials.swap_remove(at.ok_or_else(|| format!("there is no trial {name}"))?);
    match trial.run() {
        Err(problem) if problem.contains(text) => Ok(()),
        Err(problem) => Err(format!("{name} says: {problem}")),
        Ok(()) => Err(format!("{name} passes")),
    }
}

/// For each bug, every trial that fails.
#[expect(clippy::print_stdout, reason = "it is asked for to be read")]
fn print_matrix() -> Result<(), String> {
    for (bug, _) in KILLS {
        let trials = toy::suite(Some(*bug)).trials();
        let all = trials.len();
        let killers: Vec<String> = trials
            .into_iter()
            .filter_map(|trial| {
                let name = trial.name().to_owned();
                trial.run().err().map(|_| name)
            })
            .collect();
        let first = killers.first().ok_or_else(|| format!("{bug:?} lives"))?;
        println!("{bug:?}: {} of {all} trials, such as {first}", killers.len());
    }
    Ok(())
}
