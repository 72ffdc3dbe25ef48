use paymux_core::{
    EventKey, Part, PaymentStatus, ProviderPartId, ProviderRefundId, Refund, RefundStatus,
    SeededRandom,
};

use super::*;
use crate::{
    engine::read_document,
    record::AttemptState,
    store::InboxOutcome,
    testing::{accepted, account, at, create, push, record, refund, tried},
};

fn evidence() -> Evidence {
    Evidence::Asked { what: "a test".to_owned() }
}

fn finished(draft: Draft<'_>) -> (PaymentRecord, Change) {
    let random = SeededRandom::new(1);
    let writer = Writer { node: "here", now: at(5), random: &random };
    draft.finish(&evidence(), Some(at(9)), &writer).unwrap()
}

fn changed(before: PaymentRecord, work: impl Fn(&mut PaymentRecord)) -> Change {
    let mut draft = Draft::of(Cow::Owned(before));
    work(&mut draft.record);
    finished(draft).1
}

/// Who holds the right to move money before and after says what happens to it.
#[test]
fn the_slot_follows_the_attempts() {
    use AttemptState::{
        Abandoned, Accepted, Intent, NotCharged, NotSent, Rejected, Sending, Unknown,
    };
    let holds = [Intent, Sending, Unknown, Accepted];
    let free = [NotSent, Rejected, NotCharged, Abandoned];
    for before in holds {
        for after in holds {
            let change = changed(tried(before), |record| record.attempts[0].state = after);
            assert_eq!(change.slot, Slot::Keep, "{before:?} {after:?}");
        }
        for after in free {
            let change = changed(tried(before), |record| record.attempts[0].state = after);
            assert_eq!(change.slot, Slot::Release(1), "{before:?} {after:?}");
            let change = changed(tried(before), |record| {
                record.attempts[0].state = after;
                let next = create(record, 2);
                push(record, next, Intent);
            });
            assert_eq!(change.slot, Slot::Move { from: 1, to: 2 }, "{before:?} {after:?}");
        }
    }
    for before in free {
        let change = changed(tried(before), |record| {
            let next = create(record, 2);
            push(record, next, Intent);
        });
        assert_eq!(change.slot, Slot::Take(2), "{before:?}");
        assert_eq!(changed(tried(before), |_| ()).slot, Slot::Keep);
    }
    // What is done with a payment afterwards takes no right of its own.
    let change = changed(accepted(PaymentStatus::Succeeded), |record| {
        push(record, refund(), Sending);
    });
    assert_eq!(change.slot, Slot::Keep);
}

/// The time of a doubt runs from the first send, through every repetition.
#[test]
fn a_doubt_is_measured_once() {
    use AttemptState::{Accepted, Sending, Unknown};
    let mut record = tried(Sending);
    let mut measured = Vec::new();
    for (second, state) in (1..).zip([Unknown, Sending, Unknown, Sending, Accepted]) {
        let mut draft = Draft::of(Cow::Borrowed(&record));
        draft.record.attempts[0].state = state;
        draft.record.attempts[0].doubted = true;
        measured.extend(draft.cleared_doubts(at(second)));
        record = draft.record;
    }
    assert_eq!(measured, [(account("a"), Duration::from_secs(5))]);
    // What is answered at once never was in doubt.
    let mut draft = Draft::of(Cow::Owned(tried(Sending)));
    draft.record.attempts[0].state = Accepted;
    assert!(draft.cleared_doubts(at(1)).is_empty());
}

#[test]
fn every_object_is_claimed_once() {
    let names = |change: &Change| -> Vec<String> {
        let name = |object: &ObjectRef| format!("{} {}", object.kind.as_str(), object.id);
        change.objects.iter().map(name).collect()
    };
    let mut first = tried(AttemptState::Sending);
    let change = changed(first.clone(), |record| *record = accepted(PaymentStatus::Processing));
    assert_eq!(names(&change), ["payment obj1"]);
    assert!(change.objects.iter().all(|object| object.account == account("a")));
    first = accepted(PaymentStatus::Processing);
    assert!(names(&changed(first.clone(), |_| ())).is_empty());
    let change = changed(first, |record| {
        let id = ProviderPartId::new("p1").unwrap();
        let part = Part::new(id, PaymentStatus::Processing, "a word");
        record.provider.as_mut().unwrap().parts.push(part);
        push(record, refund(), AttemptState::Accepted);
        let mut row = Refund::new(RefundStatus::Processing, "on its way");
        row.id = Some(ProviderRefundId::new("ref1").unwrap());
        record.attempts[1].refund = Some(row);
    });
    assert_eq!(names(&change), ["part p1", "refund ref1"]);
    // An attempt that was given up keeps its object: who hears of it finds the payment.
    let change = changed(tried(AttemptState::Unknown), |record| {
        record.attempts[0].state = AttemptState::Abandoned;
        record.attempts[0].object = Some(crate::testing::object("obj1"));
    });
    assert_eq!(names(&change), ["payment obj1"]);
}

#[test]
fn a_change_names_where_it_comes_from_and_what_is_found_by() {
    let (made, change) = finished(Draft::new(record()));
    assert_eq!((change.from_version, change.payment.version, made.version), (0, 1, 1));
    assert_eq!(change.transition.from, change.transition.to);
    let (again, next) = finished({
        let mut draft = Draft::of(Cow::Borrowed(&made));
        draft.record.status = PaymentStatus::Cancelled;
        draft.record.cancel_wanted = true;
        let settled = InboxSettlement {
            account: account("a"),
            key: EventKey::new("evt1").unwrap(),
            tries: 1,
            outcome: InboxOutcome::Applied,
        };
        draft.inbox.push(settled);
        draft
    });
    assert_eq!((next.from_version, next.payment.version), (1, 2));
    assert_eq!(next.transition.from, PaymentStatus::Processing);
    assert_eq!(next.transition.to, PaymentStatus::Cancelled);
    assert_eq!((next.transition.node.as_str(), next.transition.cause.as_str()), ("here", "asked"));
    let row = &next.payment;
    assert_eq!((row.reference.as_str(), row.status), ("order-1", PaymentStatus::Cancelled));
    assert_eq!((row.due_at, row.updated_at), (Some(at(9)), at(5)));
    assert_eq!(next.inbox.len(), 1);
    assert!(next.check().is_ok() && change.check().is_ok());
    // The document is the record, to the letter.
    let read = read_document(&row.document).unwrap();
    assert_eq!(to_json(&read).unwrap(), row.document);
    assert_eq!(to_json(&again).unwrap(), row.document);
}

#[test]
fn each_line_of_the_history_seals_those_before_it() {
    let (made, first) = finished(Draft::new(record()));
    let (again, second) = finished(Draft::of(Cow::Owned(made)));
    assert_eq!(first.transition.previous_digest, "");
    assert_eq!(second.transition.previous_digest, first.transition.digest);
    assert_eq!(again.last_digest, second.transition.digest);
    let line = &second.transition;
    assert_eq!(line.digest, digest(line));
    type Forge = fn(&mut TransitionRow);
    let forgeries: [Forge; 10] = [
        |line| line.payment = format!("pay_{:026}", 2).parse().unwrap(),
        |line| line.version += 1,
        |line| line.id.push('0'),
        |line| line.at = at(6),
        |line| line.node.push('x'),
        |line| line.cause = "rule".to_owned(),
        |line| line.evidence.push(' '),
        |line| line.from = PaymentStatus::Failed,
        |line| line.to = PaymentStatus::Succeeded,
        |line| line.previous_digest.clear(),
    ];
    for (number, forge) in forgeries.iter().enumerate() {
        let mut forged = line.clone();
        forge(&mut forged);
        assert_ne!(digest(&forged), line.digest, "number {number}");
    }
    // What moves from one field into the next is another line.
    let mut shifted = line.clone();
    shifted.node = "her".to_owned();
    shifted.cause = "easked".to_owned();
    assert_ne!(digest(&shifted), line.digest);
}
