use paymux_core::{ConfirmStep, PaymentStatus};

use super::*;
use crate::testing::{accepted, account, at, confirm, push};

/// A provider that cannot tell what waits for our consent would take it as given.
#[test]
fn what_was_confirmed_at_one_account_is_not_confirmed_at_the_next() {
    let mut record = accepted(PaymentStatus::RequiresConfirmation);
    push(&mut record, confirm(ConfirmStep::Authorize), AttemptState::Accepted);
    let confirmed = |record: &PaymentRecord| record.handle().unwrap().confirmed;
    assert_eq!(confirmed(&record), Some(vec![ConfirmStep::Authorize]));
    crate::settle::abandon(&mut record, 1, at(1));
    let second = crate::testing::create(&record, 3);
    let no = push(&mut record, second, AttemptState::Accepted);
    record.attempt_mut(no).unwrap().account = account("b");
    let mut payment = crate::testing::seen(PaymentStatus::RequiresConfirmation);
    payment.provider = account("b");
    record.provider = Some(payment);
    assert_eq!(confirmed(&record), Some(vec![]));
}
