//! What has to hold when everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};

use paymux_core::{CaptureMethod, Money, PaymentProvider, PaymentStatus};
use paymux_orchestrator::{
    Attempt, AttemptState, Intent, PaymentRecord,
    store::{OutboxRow, Store, TransitionRow},
};

use super::{
    singles::Script,
    truth::{Kind, Object, SOMEBODY_ELSE, Telling},
    world::World,
};

impl World {
    /// Is everything settled, or with a person?
    pub(crate) fn is_quiet(&self) -> bool {
        let waits = self.nodes[0].finish(self.written.backlog(self.now())).expect("memory").inbox;
        waits == 0 && self.records().iter().all(|record| self.has_ended(record))
    }

    /// Nothing about it is open that does not wait for somebody.
    fn has_ended(&self, record: &PaymentRecord) -> bool {
        if !record.reviews.is_empty() {
            return true;
        }
        let refunds_wait = record.attempts.iter().any(|attempt| {
            attempt.refund.as_ref().is_some_and(|refund| !refund.status.is_final())
                && attempt.state == AttemptState::Accepted
        });
        if record.open_attempt().is_some() || refunds_wait {
            return false;
        }
        let was_refused = |step: fn(&Intent) -> bool| {
            record.attempts.iter().any(|attempt| {
                step(&attempt.intent)
                    && Some(&attempt.account) == record.account()
                    && matches!(attempt.state, AttemptState::Rejected | AttemptState::NotSent)
            })
        };
        let cancel_refused = was_refused(|intent| matches!(intent, Intent::Cancel(_)));
        if record.cancel_wanted && !record.status.is_final() && !cancel_refused {
            return false;
        }
        let was_taken = record.attempts.iter().any(|attempt| {
            matches!(attempt.intent, Intent::Capture(_)) && attempt.state == AttemptState::Accepted
        });
        match record.status {
            PaymentStatus::Succeeded
            | PaymentStatus::Cancelled
            | PaymentStatus::Expired
            | PaymentStatus::Failed => record.next_look_at.is_none(),
            // The payer has not paid.
            PaymentStatus::RequiresAction => {
                self.objects_of(record).iter().all(|object| object.captured == 0)
            }
            PaymentStatus::RequiresConfirmation => {
                cancel_refused || was_refused(|intent| matches!(intent, Intent::Confirm(_)))
            }
            // What was taken has to show.
            PaymentStatus::Authorized if was_taken => false,
            PaymentStatus::Authorized => {
                record.request.capture == CaptureMethod::Manual
                    || cancel_refused
                    || was_refused(|intent| matches!(intent, Intent::Capture(_)))
            }
            PaymentStatus::Processing | PaymentStatus::PartiallyPaid | PaymentStatus::Unknown => {
                false
            }
        }
    }

    fn objects_of(&self, record: &PaymentRecord) -> Vec<Object> {
        let mut objects = Vec::new();
        for model in &self.models {
            let ours = |object: &&Object| object.reference.as_str().starts_with(record.id.as_str());
            objects.extend(model.truth().objects.values().filter(ours).cloned());
        }
        objects
    }

    /// What is ours is what is true. Returns what this run has met.
    pub(crate) fn check(&self) -> Vec<String> {
        let records = self.records();
        self.nothing_lost(&records);
        let outbox = self.outbox();
        let mut met = Vec::new();
        for record in &records {
            self.same_books(record);
            self.one_at_a_time(record);
            self.whole_history(record, &outbox);
            if !self.has_ended(record) {
                self.broken.note(format!("I8: no end\n{}", self.explain(record)));
            }
            met.extend(words(record));
        }
        met.extend((self.deaths() > 0).then(|| "restarted".to_owned()));
        met
    }

    /// Nothing went wrong: one payment, charged once and given back, or called off in time, and
    /// nobody is asked.
    pub(crate) fn has_gone_well(&self, script: Script) {
        let end = |record: &PaymentRecord| {
            let objects = self.objects_of(record);
            let charges: u32 = objects.iter().map(|object| object.charges).sum();
            let back: i128 = objects.iter().map(|object| object.refunded).sum();
            (record.status, charges, back == record.request.amount.minor(), record.reviews.len())
        };
        let ends: Vec<_> = self.records().iter().map(end).collect();
        let due = match (script.called_off, script.kind) {
            (false, _) => (PaymentStatus::Succeeded, 1, true, 0),
            // It holds nothing, and what was taken cannot be called off.
            (true, Kind::Careless) => (PaymentStatus::Succeeded, 1, false, 0),
            (true, _) => (PaymentStatus::Cancelled, 0, false, 0),
        };
        if ends != [due] {
            self.broken.note(format!("{script:?} without a fault ended as {ends:?}"));
        }
    }

    /// What the merchant was told of is there, and so is what the providers have.
    fn nothing_lost(&self, records: &[PaymentRecord]) {
        let ids: BTreeSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
        for id in self.told.lock().unwrap().values() {
            if !ids.contains(id.as_str()) {
                self.broken.note(format!("I2: {id} was acknowledged and is lost"));
            }
        }
        let orders: BTreeSet<&str> =
            records.iter().map(|record| record.request.reference.as_str()).collect();
        if orders.len() != records.len() {
            self.broken.note("one key made two payments".to_owned());
        }
        for model in &self.models {
            for object in model.truth().objects.values() {
                let (payment, _) = object.reference.as_str().rsplit_once('-').expect("ours");
                if payment != SOMEBODY_ELSE && !ids.contains(payment) {
                    self.broken.note(format!("I2: nobody knows of {object:?}"));
                }
            }
        }
    }

    fn same_books(&self, record: &PaymentRecord) {
        let objects = self.objects_of(record);
        let captured: i128 = objects.iter().map(|object| object.captured).sum();
        let refunded: i128 = objects.iter().map(|object| object.refunded).sum();
        let amounts = record.provider.as_ref().map(|payment| payment.amounts.clone());
        let ours = amounts.clone().and_then(|amounts| amounts.captured).map_or(0, Money::minor);
        let back = amounts.and_then(|amounts| amounts.refunded).map_or(0, Money::minor);
        if !record.reviews.is_empty() {
            return;
        }
        if ours != captured || back != refunded {
            let what = format!("I4: took {captured}, gave {refunded}; ours says {ours}, {back}");
            self.broken.note(format!("{what}\n{}", self.explain(record)));
        }
        if (captured > 0) != (record.status == PaymentStatus::Succeeded) {
            let what = format!("I4: {captured} were taken, and it is {}", record.status);
            self.broken.note(format!("{what}\n{}", self.explain(record)));
        }
        // A refund that we call done is done, and no other is.
        for attempt in record.attempts.iter().filter(|attempt| attempt.refund.is_some()) {
            let Intent::Refund(request) = &attempt.intent else { continue };
            let status = attempt.refund.as_ref().map(|refund| refund.status);
            let truth = self.model(&attempt.account).truth();
            let mut rows = truth.refunds.iter();
            let row = rows.find(|row| row.reference == request.reference.as_str());
            if row.map(|row| row.status) != status {
                let what = format!("I4: refund {} is {row:?}, ours {status:?}", attempt.no);
                self.broken.note(what);
            }
        }
    }

    /// No account is asked before the one before it is out of it.
    fn one_at_a_time(&self, record: &PaymentRecord) {
        let creates: Vec<&Attempt> =
            record.attempts.iter().filter(|attempt| attempt.is_create()).collect();
        for pair in creates.windows(2) {
            let given_up = pair[0].settled_at.is_some_and(|at| at <= pair[1].created_at);
            if !given_up || pair[0].state.holds_slot() {
                let what = format!("I5: {} and {} at once", pair[0].no, pair[1].no);
                self.broken.note(format!("{what}\n{}", self.explain(record)));
            }
        }
    }

    /// Every step is in the history, in order, and each change of the status was told, once.
    fn whole_history(&self, record: &PaymentRecord, outbox: &[OutboxRow]) {
        let history = self.nodes[0].finish(self.written.history(&record.id)).expect("memory");
        let versions: Vec<u64> = history.iter().map(|line| line.version).collect();
        if versions != (1..=record.version).collect::<Vec<u64>>() {
            self.broken.note(format!("the history of {} has {versions:?}", record.id));
        }
        let follows = |pair: &[TransitionRow]| pair[1].previous_digest == pair[0].digest;
        let last = history.last().map(|line| line.digest.as_str());
        if !history.windows(2).all(follows) || last != Some(record.last_digest.as_str()) {
            self.broken.note(format!("the history of {} does not hang together", record.id));
        }
        let mut before = None;
        let mut moved = Vec::new();
        for line in &history {
            if before != Some(line.to) {
                moved.push(format!("payment.{}", line.to));
            }
            before = Some(line.to);
        }
        let statuses: BTreeSet<&str> = moved.iter().map(String::as_str).collect();
        let told: Vec<String> = outbox
            .iter()
            .filter(|event| event.payment.as_ref() == Some(&record.id))
            .filter(|event| statuses.contains(event.kind.as_str()))
            .map(|event| event.kind.clone())
            .collect();
        if told != moved {
            self.broken.note(format!("{} went {moved:?}, told was {told:?}", record.id));
        }
    }

    /// All events, each once; what is about no payment as often as it was kept.
    fn outbox(&self) -> Vec<OutboxRow> {
        let rows = self.nodes[0].finish(self.written.events(0, 100_000)).expect("memory");
        let events: Vec<OutboxRow> = rows.into_iter().map(|row| row.event).collect();
        let mut ids = BTreeSet::new();
        if !events.iter().all(|event| ids.insert(event.id.as_str())) {
            self.broken.note("an event was told twice".to_owned());
        }
        let mut others: BTreeMap<&str, usize> = BTreeMap::new();
        // One that could not be handed on for a day is handed on as such, under the same id.
        let kinds = ["webhook.other", "webhook.not_applied"];
        // What was forged has a key of its own, and is no telling.
        let is_told =
            |event: &&OutboxRow| kinds.contains(&event.kind.as_str()) && !event.id.contains(":lie");
        for event in events.iter().filter(is_told) {
            let account = event.id.split(':').next().unwrap_or_default();
            *others.entry(account).or_default() += 1;
        }
        for model in &self.models {
            let truth = model.truth();
            let payout = |place: &&usize| matches!(truth.tellings[**place], Telling::Payout);
            let kept = truth.told.iter().filter(payout).count();
            let told = others.get(model.id().as_str()).copied().unwrap_or(0);
            if kept > told || told > truth.tellings.len() {
                self.broken.note(format!("{kept} other events were kept, {told} handed on"));
            }
        }
        events
    }

    /// What is said of a payment was true of its object at some time.
    pub(crate) fn nothing_made_up(&self) {
        for record in self.records() {
            let Some(payment) = &record.provider else { continue };
            let truth = self.model(&payment.provider).truth();
            let was = truth.objects.get(payment.id.as_str()).map(|object| object.was.clone());
            let was = was.unwrap_or_default();
            let is_made_up = payment.status != PaymentStatus::Unknown
                && !was.contains(&payment.status)
                && record.status == payment.status;
            if is_made_up {
                let what = format!("I7: {} was never {}", payment.id, payment.status);
                self.broken.note(what);
            }
        }
    }

    pub(crate) fn explain(&self, record: &PaymentRecord) -> String {
        let node = &self.nodes[0];
        let explanation = node.finish(node.orchestrator.explain(&record.id));
        explanation.map_or_else(|error| error.to_string(), |page| page.to_string())
    }
}

/// What a payment has been through.
fn words(record: &PaymentRecord) -> Vec<String> {
    let mut met = vec!["payments".to_owned(), record.status.as_str().to_owned()];
    let creates = record.attempts.iter().filter(|attempt| attempt.is_create()).count();
    let attempts = &record.attempts;
    let flags = [
        (creates > 1, "failed over"),
        (attempts.iter().any(|attempt| attempt.sends > 1), "repeated"),
        (!record.reviews.is_empty(), "review"),
        (record.cancel_wanted, "cancel wanted"),
        (attempts.iter().any(|attempt| attempt.doubted), "doubted"),
    ];
    met.extend(flags.iter().filter(|(holds, _)| *holds).map(|(_, word)| (*word).to_owned()));
    for attempt in attempts {
        met.push(format!("{} {}", attempt.intent.in_words(), attempt.state.in_words()));
        if let Some(refund) = &attempt.refund {
            met.push(format!("refund {}", refund.status));
        }
    }
    met.extend(record.reviews.iter().map(|review| format!("review: {}", review.reason)));
    met
}
