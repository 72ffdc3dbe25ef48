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

/// A comparison that takes longer than it rests is due again whenever it ends.
#[test]
fn what_takes_longer_than_it_rests_leaves_the_others_their_turn() {
    let mut house = House::new(Housekeeping::default(), at(0));
    let midnight = 16 * 3600;
    let mut begun: Vec<Chore> =
        (0..4).filter_map(|no| house.begin(at(midnight + no * 1_000))).collect();
    assert_eq!(begun.len(), 4);
    begun.dedup();
    assert!(begun.contains(&Chore::Forget), "{begun:?}");
    let longer = Housekeeping::default().compare_longer.map(|longer| longer.span);
    assert!(longer.is_some_and(|span| begun.contains(&Chore::Compare(span))), "{begun:?}");
}
