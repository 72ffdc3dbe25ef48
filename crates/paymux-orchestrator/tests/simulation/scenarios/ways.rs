//! Which account a payment goes to, and when another one is tried.

use std::{sync::Arc, time::Duration};

use paymux_core::{PaymentStatus, SeededRandom};
use paymux_orchestrator::{
    NewPayment, Orchestrator, ReviewReason, routing::Capability, routing::Routes,
};

use super::{Scene, order, reasons};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

#[tokio::test(start_paused = true)]
async fn a_decline_leads_elsewhere_only_where_it_may() {
    let soft = Fault::Declined;
    let hard = Fault::DeclinedHard;
    let fine = Fault::Nothing;
    // Where, which, and whether the second account has it in the end.
    let table: [(Kind, &[Fault], bool); 6] = [
        (Kind::Card, &[soft], true),
        (Kind::Card, &[hard], false),
        (Kind::Steps, &[fine, soft], true),
        (Kind::Steps, &[fine, hard], false),
        (Kind::Careless, &[fine, soft], true),
        (Kind::Hold, &[fine, soft], false),
    ];
    for (kind, faults, elsewhere) in table {
        let scene = Scene::new(kind, Kind::Card).meeting(faults);
        let record = scene.create(order()).await;
        assert_eq!(record.is_paid(), elsewhere, "{kind:?} {faults:?}");
        assert_eq!(scene.b.truth().objects.len(), usize::from(elsewhere), "{kind:?} {faults:?}");
        let failed = record.status == PaymentStatus::Failed;
        let asks = reasons(&record) == [ReviewReason::StepRefused];
        assert!(elsewhere || failed || asks, "{kind:?} {faults:?}: {record:#?}");
    }
}

fn routed(scene: &Scene, routes: &str) -> Orchestrator {
    Orchestrator::builder(scene.written.clone())
        .clock(scene.clock.clone())
        .random(Arc::new(SeededRandom::new(11)))
        .account(scene.a.clone())
        .account(scene.b.clone())
        .routes(Routes::from_toml(routes).expect("routes"))
        .build()
        .expect("routes that fit")
}

#[tokio::test(start_paused = true)]
async fn a_payment_goes_where_its_needs_are_met() {
    let scene = Scene::new(Kind::Page, Kind::Card);
    let orchestrator = routed(
        &scene,
        r#"
        [[rule]]
        name = "given back in part"
        when = { capability = ["partial_refund"] }
        use = ["b"]
        [[rule]]
        name = "the rest"
        use = ["a"]
        "#,
    );
    let rule = |request: &NewPayment| orchestrator.route(request).expect("a plan").rule;
    assert_eq!(rule(&order()).as_deref(), Some("the rest"));
    let needy = order().needs(Capability::PartialRefund);
    assert_eq!(rule(&needy).as_deref(), Some("given back in part"));
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_after_a_payment_was_routed_is_left_out() {
    let lost = [Fault::LostBefore, Fault::LostBefore, Fault::Declined];
    let scene = Scene::new(Kind::Card, Kind::Card).meeting(&lost);
    const ROUTES: &str = "[[rule]]\nname = \"all\"\nuse = [\"a\", \"b\"]\n";
    let first = routed(&scene, ROUTES);
    let record = first.create_payment(&key("order"), &order()).await.expect("a payment");
    assert!(record.in_doubt(), "{record:?}");
    let paused = routed(&scene, &format!("pause = [\"b\"]\n{ROUTES}"));
    scene.clock.advance(Duration::from_secs(10));
    while !paused.step().await.expect("a store that works").is_idle() {}
    let record = paused.stored_payment(&record.id).await.expect("it is there");
    assert_eq!(record.status, PaymentStatus::Failed, "{record:#?}");
    assert!(scene.b.truth().objects.is_empty(), "nothing was sent to what is paused");
}
