//! Money that showed late where it must not is given back there, once.

use paymux_core::{
    ConfirmStep, ErrorKind, Operation, PaymentProvider, PaymentStatus, ProviderPaymentId,
    RefundStatus,
};
use paymux_orchestrator::{
    AttemptState, Intent, NewRefund, Orchestrator, PaymentRecord, Resolution, ReviewReason,
};

use super::{Scene, money, order, reasons, start};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind, RefundRow, Telling},
};

/// Declined at the first account, paid at the second, and charged at the first all the same.
pub(super) async fn charged_twice(kind: Kind) -> (Scene, PaymentRecord) {
    let before = if kind == Kind::Steps { 2 } else { 1 };
    let mut faults = vec![Fault::Nothing; before];
    faults.push(Fault::Declined);
    let scene = Scene::new(kind, Kind::Card).meeting(&faults);
    let record = scene.create(order()).await;
    assert!(record.is_paid() && record.account() == Some(scene.b.id()), "{record:#?}");
    {
        let mut truth = scene.a.truth();
        truth.confirm("a-obj1", ConfirmStep::Commit).expect("it is still open there");
        truth.finish(false);
    }
    scene.later(3_600).await;
    let record = scene.now(&record).await;
    assert_eq!(reasons(&record), [ReviewReason::LateSuccess]);
    (scene, record)
}

pub(super) async fn give_back(
    orchestrator: &Orchestrator,
    record: &PaymentRecord,
    object: &str,
) -> paymux_core::Result<PaymentRecord> {
    let object = ProviderPaymentId::new(object).unwrap();
    let resolution = Resolution::GiveBack { attempt: 1, object };
    orchestrator.resolve_review(&record.id, resolution, "ann", "paid twice").await
}

fn amounts(scene: &Scene) -> Vec<i128> {
    scene.a.truth().refunds.iter().map(|refund| refund.amount).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_charged_twice_is_given_back_once() {
    for kind in [Kind::Careless, Kind::Steps] {
        let (scene, record) = charged_twice(kind).await;
        let refunds = give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits");
        scene.later(60).await;
        let record = scene.now(&refunds).await;
        assert!(record.is_paid() && record.reviews.is_empty(), "{kind:?}: {record:#?}");
        assert_eq!(amounts(&scene), [1_000]);
        let kinds = scene.kinds_told().await;
        assert!(kinds.contains(&"late_refund.succeeded".to_owned()), "{kinds:?}");
        assert!(!kinds.contains(&"refund.succeeded".to_owned()), "not of the order: {kinds:?}");
        let again = give_back(&scene.orchestrator, &record, "a-obj1").await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Conflict);
        // The looks that come later show nothing new, and the order's own money is all there.
        for days in [1, 7, 30] {
            scene.later(days * 86_400).await;
            assert!(scene.now(&record).await.is_paid(), "{kind:?} after {days} days");
        }
        let all = NewRefund::default();
        scene.orchestrator.create_refund(&key("all"), &record.id, all).await.expect("a refund");
        assert_eq!(scene.b.truth().refunds[0].amount, 1_000);
        assert_eq!(amounts(&scene), [1_000]);
    }
}

/// The answer is lost: only what the object there shows tells whether it happened, and it is not
/// sent again.
#[tokio::test(start_paused = true)]
async fn a_doubt_about_it_is_told_by_the_object_that_was_left() {
    for (fault, happened) in [(Fault::LostAfter, true), (Fault::LostBefore, false)] {
        for kind in [Kind::Careless, Kind::Steps] {
            let (scene, record) = charged_twice(kind).await;
            // The first is the look that comes before.
            scene.a.truth().faults.extend([Fault::Nothing, fault]);
            give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits for that");
            let twice = give_back(&scene.orchestrator, &record, "a-obj1").await;
            assert!(twice.is_err() || happened, "{kind:?} {fault:?}");
            for _ in 0..6 {
                scene.later(600).await;
            }
            let record = scene.now(&record).await;
            let refund = record.attempts.last().unwrap();
            let expected = if happened { AttemptState::Accepted } else { AttemptState::Unknown };
            assert_eq!(refund.state, expected, "{kind:?} {fault:?}: {record:#?}");
            assert_eq!(record.is_paid(), happened, "{kind:?} {fault:?}: {record:#?}");
            assert_eq!(amounts(&scene).len(), usize::from(happened), "{kind:?} {fault:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_given_back_is_refused_and_stays_with_the_person() {
    let (scene, record) = charged_twice(Kind::Careless).await;
    // What counts is refunded as ever, and nothing else is known.
    for object in ["b-obj1", "a-obj2"] {
        let error = give_back(&scene.orchestrator, &record, object).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{object}");
    }
    let unable = scene.a.clone().without(Operation::CreateRefund);
    let other = start(&scene.written, &scene.weather, &scene.clock, [&unable, &scene.b]);
    let error = give_back(&other, &record, "a-obj1").await.unwrap_err();
    assert_eq!((error.kind(), error.provider()), (ErrorKind::Unsupported, Some(scene.a.id())));
    scene.a.truth().faults.push_back(Fault::NotSent);
    let error = give_back(&scene.orchestrator, &record, "a-obj1").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "it has to say how much is there");
    // A part went back at the provider's own page: the rest is given back.
    let mut object = scene.a.truth().objects["a-obj1"].clone();
    object.refunded = 300;
    scene.a.truth().put(object);
    scene.a.truth().faults.extend([Fault::Nothing, Fault::DeclinedHard]);
    give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it is asked for, and refused");
    let refused = scene.now(&record).await;
    assert_eq!(reasons(&refused), [ReviewReason::LateSuccess], "{refused:#?}");
    assert!(!refused.is_paid() && amounts(&scene).is_empty());
    give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it can be asked for again");
    assert_eq!(amounts(&scene), [700]);
    assert!(scene.now(&record).await.is_paid());
}

/// Given up in doubt by a person's word at an account whose refunds have no ids, and paid there all
/// the same: no account has the payment.
pub(super) async fn paid_after_the_end() -> (Scene, PaymentRecord) {
    let scene = Scene::new(Kind::Invoice, Kind::Card).meeting(&[Fault::LostBefore; 3]);
    let record = scene.create(order()).await;
    scene.later(90_000).await;
    let nothing = Resolution::DidNothing { attempt: 1 };
    let record = scene.orchestrator.resolve_review(&record.id, nothing, "ann", "they say so").await;
    let record = record.expect("it is in doubt");
    assert_eq!((record.status, record.account()), (PaymentStatus::Failed, None));
    scene.a.truth().faults.clear();
    let intent = match &record.attempts[0].intent {
        Intent::Create(create) => Some(create),
        Intent::Confirm(_) | Intent::Capture(_) | Intent::Cancel(_) | Intent::Refund(_) => None,
    };
    let create = intent.expect("a create");
    scene.a.truth().create(create, record.created_at);
    scene.a.pay("a-obj1");
    scene.later(3_600).await;
    scene.later(86_400).await;
    (scene, record)
}

/// The refund has no id of its own: what was left there tells.
#[tokio::test(start_paused = true)]
async fn a_refund_without_an_id_is_followed_where_no_account_has_the_payment() {
    let (scene, record) = paid_after_the_end().await;
    let record = give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits");
    assert!(record.attempts.last().unwrap().refund.as_ref().unwrap().id.is_none());
    scene.a.truth().faults.push_back(Fault::NotSent);
    scene.later(600).await;
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::LateSuccess], "on its way");
    scene.a.truth().finish(false);
    scene.later(4_000).await;
    let record = scene.now(&record).await;
    assert!(record.reviews.is_empty(), "{record:#?}");
    assert_eq!((record.status, amounts(&scene)), (PaymentStatus::Failed, vec![1_000]));
    let next = scene.orchestrator.explain(&record.id).await.expect("it is there").next;
    assert!(next.contains("given up"), "it is still watched: {next}");
}

/// Its account does not show it, and a person found out that it was done: nothing is left to be
/// looked at. So it is for one in doubt and for one under way.
#[tokio::test(start_paused = true)]
async fn what_a_person_says_was_given_back_is_settled() {
    for fault in [Fault::LostBefore, Fault::Nothing] {
        let (scene, record) = paid_after_the_end().await;
        scene.a.truth().faults.extend([Fault::Nothing, fault]);
        let record = give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits");
        assert_eq!(record.in_doubt(), fault == Fault::LostBefore);
        scene.later(90_000).await;
        let attempt = record.attempts.last().expect("the refund").no;
        let done = Resolution::WasDone { attempt };
        let record =
            scene.orchestrator.resolve_review(&record.id, done, "ann", "it is there").await;
        let record = record.expect("it is asked for");
        assert_eq!(reasons(&record), [], "{fault:?}: {record:#?}");
        for days in [1, 7, 30] {
            scene.later(days * 86_400).await;
            assert_eq!(reasons(&scene.now(&record).await), [], "{fault:?} after {days} days");
        }
        let kinds = scene.kinds_told().await;
        assert!(kinds.contains(&"late_refund.succeeded".to_owned()), "{kinds:?}");
    }
}

/// Whoever gives it back at the provider's own page makes a refund that is none of ours.
#[tokio::test(start_paused = true)]
async fn what_is_given_back_at_the_providers_page_is_seen_where_it_was_left() {
    let (scene, record) = charged_twice(Kind::Careless).await;
    {
        let mut truth = scene.a.truth();
        truth.refunds.push(RefundRow {
            id: "a-ref9".to_owned(),
            reference: "by hand".to_owned(),
            object: "a-obj1".to_owned(),
            names: "a-obj1".to_owned(),
            amount: 1_000,
            status: RefundStatus::Succeeded,
        });
        truth.objects.get_mut("a-obj1").expect("it is there").refunded = 1_000;
        truth.tellings.push(Telling::Refund("a-ref9".to_owned()));
    }
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.later(1).await;
    assert_eq!(scene.orchestrator.backlog().await.unwrap().inbox, 0, "it is applied");
    let record = scene.now(&record).await;
    let refunded = record.attempts[0].left[0].amounts.refunded;
    assert_eq!(refunded, Some(money(1_000)), "{record:#?}");
}

/// The object that was left is asked for, and its account speaks of another one.
#[tokio::test(start_paused = true)]
async fn nobodys_word_is_proved_by_an_answer_about_another_object() {
    let (scene, record) = paid_after_the_end().await;
    scene.a.truth().faults.extend([Fault::Nothing, Fault::LostBefore]);
    let record = give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits");
    scene.later(90_000).await;
    {
        let mut truth = scene.a.truth();
        let mut other = truth.objects["a-obj1"].clone();
        other.id = ProviderPaymentId::new("a-obj2").unwrap();
        truth.put(other);
        truth.faults.push_back(Fault::AboutAnother);
    }
    let done = Resolution::WasDone { attempt: record.attempts.last().expect("the refund").no };
    let decided = scene.orchestrator.resolve_review(&record.id, done, "ann", "it is there").await;
    assert_eq!(decided.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(scene.now(&record).await.attempts[0].left.len(), 1);
}

/// It was carried out by all that was said, a look saw it gone, and then the bank sent it back.
#[tokio::test(start_paused = true)]
async fn what_came_back_is_there_by_the_figures_of_now() {
    let (scene, record) = charged_twice(Kind::Careless).await;
    give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits");
    scene.later(2 * 86_400).await;
    assert!(scene.now(&record).await.is_paid());
    {
        let mut truth = scene.a.truth();
        truth.refunds[0].status = RefundStatus::Failed;
        let mut object = truth.objects["a-obj1"].clone();
        object.refunded = 0;
        truth.put(object);
        let id = truth.refunds[0].id.clone();
        truth.tellings.push(Telling::Refund(id));
    }
    let last = scene.a.truth().tellings.len() - 1;
    scene.tell(&scene.a, last).await.expect("it is kept");
    scene.later(60).await;
    let waits = scene.now(&record).await;
    assert_eq!(reasons(&waits), [ReviewReason::Contradiction]);
    let refund = waits.attempts.last().unwrap().no;
    let decide = async |resolution| {
        scene.orchestrator.resolve_review(&record.id, resolution, "ann", "the bank says so").await
    };
    decide(Resolution::ProviderIsRight { attempt: refund }).await.expect("it is");
    assert_eq!(reasons(&scene.now(&record).await), [ReviewReason::LateSuccess]);
    let dismissed = Resolution::Dismiss { attempt: 1, reason: ReviewReason::LateSuccess };
    assert_eq!(decide(dismissed).await.unwrap_err().kind(), ErrorKind::Conflict, "it is there");
    give_back(&scene.orchestrator, &record, "a-obj1").await.expect("it waits for that");
    assert_eq!(amounts(&scene), [1_000, 1_000]);
    assert!(scene.now(&record).await.is_paid());
}
