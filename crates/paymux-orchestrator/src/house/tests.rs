//! When the house is kept.

use super::*;
use crate::testing::at;

#[test]
fn what_is_rare_goes_by_the_calendar() {
    // 1_800_000_000 is 8 h into its day.
    let day = Duration::from_secs(DAY);
    let next = boundary(at(0), day);
    assert_eq!(next.as_millis() % 86_400_000, 0);
    assert_eq!(next, at(16 * 3600));
    assert_eq!(boundary(next, day), next.after(day), "not the same moment again");
    assert!(boundary(at(0), Duration::ZERO) > at(0), "and never at once again");
}

#[test]
fn a_process_that_starts_anew_keeps_the_calendar_and_no_other_time() {
    let times = |now| -> Vec<Timestamp> {
        House::new(Housekeeping::default(), now).all.iter().map(|due| due.next).collect()
    };
    let midnight = at(16 * 3600);
    assert_eq!(times(at(0)), [at(900), midnight, midnight]);
    assert_eq!(times(at(600)), [at(1_500), midnight, midnight]);
    assert!(House::new(Housekeeping::none(), at(0)).all.is_empty());
}
