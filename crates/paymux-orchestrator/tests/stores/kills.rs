//! The suite is judged by what it kills: each planted bug fails the trial that is there for it.

use std::sync::Arc;

use libtest_mimic::Trial;

use super::{
    flawed::{Flaw, Flawed},
    holds,
};

/// Each bug with a promise that it breaks. That the promise holds without it is a trial of the
/// memory store.
const KILLS: &[(Flaw, &str)] = &[
    (Flaw::IgnoresTheVersion, "refusal::lost_version_writes_nothing"),
    (Flaw::ComparesBeforeItWrites, "storm::no_change_is_lost"),
    (Flaw::LetsASecondSlot, "slot::second_is_refused"),
    (Flaw::LetsAnybodyRelease, "slot::only_the_holder_releases"),
    (Flaw::ForgetsTheSlot, "slot::released_can_be_taken"),
    (Flaw::SharesKeys, "refusal::key_is_taken"),
    (Flaw::SharesKeysOfOnePayment, "refusal::key_is_taken_on_the_same_payment"),
    (Flaw::ChecksTheKeyLate, "refusal::key_is_checked_first"),
    (Flaw::SharesObjects, "refusal::object_is_taken"),
    (Flaw::RefusesKnownObjects, "commit::object_named_again_is_no_error"),
    (Flaw::DropsObjects, "commit::object_is_found"),
    (Flaw::DropsEvents, "commit::all_parts_are_written"),
    (Flaw::TellsOfRefusedChanges, "refusal::taken_object_writes_nothing"),
    (Flaw::SettlesForRefusedChanges, "refusal::refused_slot_writes_nothing"),
    (Flaw::DropsSettlements, "settle::with_a_change"),
    (Flaw::DropsDigests, "commit::history_is_kept"),
    (Flaw::TurnsHistoryRound, "commit::history_is_kept"),
    (Flaw::CallsUnknownProcessing, "commit::every_status_survives"),
    (Flaw::CutsText, "text::megabytes_are_kept"),
    (Flaw::CutsAtNul, "text::nul_is_kept_or_refused_whole"),
    (Flaw::FoldsCase, "text::keys_are_told_apart"),
    (Flaw::ForgetsLeases, "claim::lease_holds"),
    (Flaw::ForgetsLeases, "settle::lease_holds"),
    (Flaw::LeasesForGood, "claim::lease_ends_by_time"),
    (Flaw::LeasesPastACommit, "claim::lease_ends_by_a_commit"),
    (Flaw::FreesWhatItRefused, "refusal::leaves_the_lease"),
    (Flaw::ClaimsTheLatestFirst, "claim::longest_waiting_first"),
    (Flaw::ClaimsWithoutLimit, "claim::keeps_to_its_limit"),
    (Flaw::ClaimsEarly, "claim::nothing_before_its_time"),
    (Flaw::CallsAllNew, "inbox::again_is_a_duplicate"),
    (Flaw::SeesNoContradiction, "inbox::other_content_is_a_contradiction"),
    (Flaw::KeepsHalfABatch, "text::one_bad_event_refuses_the_batch"),
    (Flaw::SettlesForGood, "settle::later_comes_again"),
    (Flaw::HearsLateWords, "settle::late_word_is_not_heard"),
    (Flaw::FindsAnyEvent, "settle::no_such_event"),
    (Flaw::PagesFromTheStart, "list::pages_without_gaps"),
    (Flaw::IgnoresFilters, "list::by_all_at_once"),
    (Flaw::NumbersWhatItShows, "outbox::positions_grow"),
    (Flaw::PublishesLate, "outbox::nothing_appears_below"),
    (Flaw::AddsTwice, "outbox::adding_twice_is_no_error"),
    (Flaw::CountsTheFuture, "backlog::counts_payments"),
    (Flaw::ForgetsTooMuch, "forget::old_keys_go"),
    (Flaw::ForgetsWhatWaits, "forget::waiting_events_stay"),
];

/// A trial for each.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |&(flaw, promise): &(Flaw, &'static str)| {
        Trial::test(format!("kills::{flaw:?}::by::{promise}"), move || {
            if holds(promise, Arc::new(Flawed::new(flaw))) {
                return Err(format!("{promise} holds in spite of {flaw:?}").into());
            }
            Ok(())
        })
    };
    let mut all: Vec<Trial> = KILLS.iter().map(trial).collect();
    all.push(Trial::test("kills::none_of_a_sound_store", || {
        for (_, promise) in KILLS {
            if !holds(promise, Arc::new(Flawed::new(Flaw::None))) {
                return Err(format!("{promise} does not hold of a sound store").into());
            }
        }
        Ok(())
    }));
    all
}
