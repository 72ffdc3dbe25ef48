//! What somebody wanted once, and nobody wants any more.

use paymux_orchestrator::{Resolution, ReviewReason};

use super::{Scene, order, reasons};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

const DAY: u64 = 24 * 3600;

/// A person wanted it tried again, its provider was not there, and by the time it was, the merchant
/// wanted an end.
#[tokio::test(start_paused = true)]
async fn an_end_that_is_wanted_later_outweighs_a_try_that_was_wanted_before() {
    for is_ended in [false, true] {
        let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&[Fault::LostBefore]);
        scene.a.truth().faults.push_back(Fault::NotSent);
        let record = scene.create(order()).await;
        scene.a.truth().down = true;
        scene.later(DAY + 3_600).await;
        assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::StillInDoubt]);
        let again = Resolution::TryAgain { attempt: 1 };
        let decided = scene.orchestrator.resolve_review(&record.id, again, "ann", "try it").await;
        decided.expect("it is in doubt");
        if is_ended {
            scene.orchestrator.cancel_payment(&key("end"), &record.id).await.expect("a wish");
        }
        scene.a.truth().down = false;
        scene.later(60).await;
        scene.later(60).await;
        let made = scene.a.truth().objects.len();
        assert_eq!(made, usize::from(!is_ended), "{:#?}", scene.now(&record).await);
    }
}
