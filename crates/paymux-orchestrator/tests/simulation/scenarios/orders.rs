//! Everything that a provider tells of one payment, in every order: the end is the same.

use std::collections::BTreeMap;

use paymux_core::{CaptureMethod, PaymentStatus, RefundStatus};
use paymux_orchestrator::{ConfirmBy, NewRefund, PaymentRecord, ReviewReason};

use super::{Scene, money, order, reasons};
use crate::simulation::{
    provider::key,
    truth::{Kind, RefundRow},
};

const OBJECT: &str = "a-obj1";
/// How many things are told of one payment.
const THINGS: usize = 5;

/// What is to be the same, whatever came first.
#[derive(Debug, PartialEq)]
struct End {
    status: PaymentStatus,
    amounts: serde_json::Value,
    is_paid: bool,
    reasons: Vec<ReviewReason>,
    attempts: Vec<String>,
    waiting: u64,
    /// How often the merchant was told of an end, and of money that went back.
    told: BTreeMap<String, usize>,
}

/// Who gives the money back.
#[derive(Clone, Copy, Debug)]
enum GivenBack {
    /// The merchant, through us: all before is known by then.
    ByUs,
    /// Somebody at the provider's page: we know of the first of all things alone.
    ByThem,
}

impl Scene {
    /// A hold, of which a part is taken and some of that given back: [`THINGS`] that the
    /// provider tells of, at most.
    async fn lived_through(kind: Kind, refund: GivenBack) -> (Self, PaymentRecord) {
        let scene = Self::new(kind, Kind::Page);
        let request = order().capture(CaptureMethod::Manual).confirm(ConfirmBy::Merchant);
        let record = scene.create(request).await;
        scene.hold_and_take();
        match refund {
            GivenBack::ByUs => {
                scene.later(60).await;
                let part = NewRefund { amount: Some(money(300)), ..NewRefund::default() };
                let made = scene.orchestrator.create_refund(&key("part"), &record.id, part).await;
                made.expect("a refund");
            }
            GivenBack::ByThem => scene.a.truth().refunds.push(RefundRow {
                id: "a-ref1".to_owned(),
                reference: "made-at-their-page".to_owned(),
                object: OBJECT.to_owned(),
                names: OBJECT.to_owned(),
                amount: 300,
                status: RefundStatus::Processing,
            }),
        }
        scene.a.truth().finish_refund(0, RefundStatus::Succeeded);
        (scene, record)
    }

    fn hold_and_take(&self) {
        let mut truth = self.a.truth();
        if truth.objects[OBJECT].status != PaymentStatus::Authorized {
            let mut object = truth.objects[OBJECT].clone();
            object.step = None;
            object.take();
            truth.put(object);
        }
        truth.capture(OBJECT, Some(money(700))).expect("it is held");
    }

    async fn end(&self, record: &PaymentRecord) -> End {
        let record = self.now(record).await;
        let mut told = BTreeMap::new();
        for kind in self.kinds_told().await {
            if ["payment.succeeded", "payment.refunded", "refund.succeeded"]
                .contains(&kind.as_str())
            {
                *told.entry(kind).or_default() += 1;
            }
        }
        let payment = record.provider.as_ref().expect("it is known");
        End {
            status: record.status,
            amounts: serde_json::to_value(&payment.amounts).expect("JSON"),
            is_paid: record.is_paid(),
            reasons: reasons(&record),
            attempts: record.attempts.iter().map(|one| format!("{:?}", one.state)).collect(),
            waiting: self.orchestrator.backlog().await.expect("a store that works").inbox,
            told,
        }
    }
}

/// All orders of so many things.
fn orders(count: usize) -> Vec<Vec<usize>> {
    let mut all = vec![vec![]];
    for thing in 0..count {
        let with = |order: Vec<usize>| {
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, thing);
                longer
            })
        };
        all = all.into_iter().flat_map(with).collect();
    }
    all
}

/// Applied one by one, a moment apart or minutes, or all at once.
#[derive(Clone, Copy, Debug)]
enum Pace {
    Moment,
    Minutes,
    AtOnce,
}

async fn told_in(kind: Kind, refund: GivenBack, order: &[usize], pace: Pace) -> End {
    let (scene, record) = Scene::lived_through(kind, refund).await;
    for telling in order {
        scene.tell(&scene.a, *telling).await.expect("it is kept");
        match pace {
            Pace::Moment => scene.later(1).await,
            Pace::Minutes => scene.later(180).await,
            Pace::AtOnce => {}
        }
    }
    scene.later(200).await;
    scene.later(200).await;
    scene.end(&record).await
}

async fn every_order_ends_alike(kind: Kind, refund: GivenBack) {
    let (scene, _) = Scene::lived_through(kind, refund).await;
    let tellings = scene.a.truth().tellings.len();
    // What holds at once has no beginning before that.
    let things = if kind == Kind::Hold { THINGS - 1 } else { THINGS };
    assert_eq!(tellings, things, "{kind:?}, {refund:?}");
    let as_it_happened: Vec<usize> = (0..tellings).collect();
    let expected = told_in(kind, refund, &as_it_happened, Pace::Moment).await;
    assert_eq!(expected.status, PaymentStatus::Succeeded, "{kind:?}");
    assert_eq!(expected.amounts["captured"], serde_json::to_value(money(700)).unwrap());
    assert_eq!(expected.amounts["refunded"], serde_json::to_value(money(300)).unwrap());
    let unsettled = (expected.is_paid, expected.waiting);
    assert_eq!(unsettled, (false, 0), "{kind:?}, {refund:?}: {expected:#?}");
    let paces = [Pace::Moment, Pace::Minutes, Pace::AtOnce];
    for (order, pace) in orders(tellings).iter().zip(paces.iter().cycle()) {
        let end = told_in(kind, refund, order, *pace).await;
        assert_eq!(end, expected, "{kind:?}, {refund:?}, {order:?}, {pace:?}");
    }
}

#[test]
fn the_orders_are_all_orders() {
    let all = orders(THINGS);
    let different: std::collections::BTreeSet<&Vec<usize>> = all.iter().collect();
    assert_eq!((all.len(), different.len()), (120, 120));
}

#[tokio::test(start_paused = true)]
async fn what_is_signed_and_fresh_ends_alike_in_every_order() {
    every_order_ends_alike(Kind::Page, GivenBack::ByUs).await;
    every_order_ends_alike(Kind::Page, GivenBack::ByThem).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_signed_alone_ends_alike_in_every_order() {
    every_order_ends_alike(Kind::Hold, GivenBack::ByUs).await;
    every_order_ends_alike(Kind::Hold, GivenBack::ByThem).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_unsigned_ends_alike_in_every_order() {
    every_order_ends_alike(Kind::Steps, GivenBack::ByUs).await;
    every_order_ends_alike(Kind::Steps, GivenBack::ByThem).await;
}
