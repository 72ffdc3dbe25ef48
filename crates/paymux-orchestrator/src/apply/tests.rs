//! Which reads an event leads to.

use paymux_core::{EventKey, Part, PaymentStatus, ProviderPartId, Subject, Trust, WebhookEvent};

use super::{handle_named, is_on_its_way, names_a_new_part};
use crate::{
    record::AttemptState,
    testing::{accepted, account, capture, object, push, refund},
};

fn about(subject: Subject) -> WebhookEvent {
    WebhookEvent::new(EventKey::new("event").unwrap(), "payment.authorized", Trust::Signed, subject)
}

#[test]
fn a_part_that_an_event_names_is_read_with_its_payment() {
    let id = ProviderPartId::new("part1").unwrap();
    let record = accepted(PaymentStatus::RequiresAction);
    // Of the payment as it is known, and of one of an attempt that was given up.
    for named in ["obj1", "obj0"] {
        let event = about(Subject::Part { id: id.clone(), payment: Some(object(named)) });
        let handle = handle_named(&event, &account("a"), &record).unwrap();
        assert_eq!((handle.id, handle.parts), (object(named), vec![id.clone()]));
    }
}

#[test]
fn an_event_about_a_payment_adds_no_part() {
    let record = accepted(PaymentStatus::RequiresAction);
    let event = about(Subject::Payment(object("obj1")));
    let handle = handle_named(&event, &account("a"), &record).unwrap();
    assert_eq!((handle.id, handle.parts), (object("obj1"), vec![]));
}

/// Looks that were made since the event arrived did not know of the part, so they do not stand in
/// for the one that the event asks for.
#[test]
fn a_part_is_new_until_its_payment_was_read_with_it() {
    let id = ProviderPartId::new("part1").unwrap();
    let mut record = accepted(PaymentStatus::RequiresAction);
    let event = about(Subject::Part { id: id.clone(), payment: Some(object("obj1")) });
    assert!(names_a_new_part(&event, &record));
    let part = Part::new(id, PaymentStatus::Processing, "processing");
    record.provider.as_mut().unwrap().parts.push(part);
    assert!(!names_a_new_part(&event, &record));
    assert!(!names_a_new_part(&about(Subject::Payment(object("obj1"))), &record));
}

/// An event may be about the refund of what was left elsewhere, whatever else is open.
#[test]
fn what_is_on_its_way_is_that_beside_a_doubt() {
    let mut record = accepted(PaymentStatus::Authorized);
    push(&mut record, capture(), AttemptState::Unknown);
    let no = push(&mut record, refund(), AttemptState::Sending);
    record.attempt_mut(no).unwrap().gives_back = Some(1);
    assert!(is_on_its_way(&record));
    record.attempt_mut(no).unwrap().state = AttemptState::Accepted;
    assert!(!is_on_its_way(&record));
}
