//! What the history says: who was asked, what was sent, and what was not.

use std::{sync::Arc, time::Duration};

use paymux_core::{PaymentProvider, SeededRandom, Url};
use paymux_orchestrator::{
    AccountPolicy, AttemptState, Evidence, NewRefund, Orchestrator, PaymentRecord,
    store::PaymentQuery,
};

use super::{Scene, order};
use crate::simulation::{
    provider::key,
    truth::{Fault, Kind},
};

impl Scene {
    async fn history(&self, record: &PaymentRecord) -> Vec<Evidence> {
        let history = self.orchestrator.history(&record.id).await.expect("a store that works");
        history.iter().map(|line| serde_json::from_str(&line.evidence).unwrap()).collect()
    }

    /// The same, where one failure opens the breaker of the first account.
    pub(super) fn with_a_touchy_breaker(mut self) -> Self {
        let mut policy = AccountPolicy::default();
        policy.health.breaker.failures = 1;
        self.orchestrator = Orchestrator::builder(self.written.clone())
            .clock(self.clock.clone())
            .random(Arc::new(SeededRandom::new(5)))
            .account_with(Arc::new(self.a.clone()), policy)
            .account(self.b.clone())
            .build()
            .expect("accounts that fit");
        self
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_open_breaker_keeps_back_was_never_sent_and_goes_elsewhere() {
    let scene = Scene::new(Kind::Card, Kind::Card).with_a_touchy_breaker();
    scene.a.truth().down = true;
    assert!(scene.create(order()).await.is_paid(), "at the second account");
    scene.a.truth().down = false;
    let made = scene.orchestrator.create_payment(&key("other"), &order()).await;
    let record = made.expect("a payment");
    assert_eq!(record.attempts[0].state, AttemptState::NotSent, "{record:#?}");
    assert_eq!((record.account(), record.is_paid()), (Some(scene.b.id()), true));
    assert!(scene.a.truth().objects.is_empty());
    let history = scene.history(&record).await;
    let kept_back = history.iter().find(|evidence| evidence.cause() == "not_sent");
    assert_eq!(
        kept_back.map(ToString::to_string).as_deref(),
        Some("attempt 1 did not leave: not sent, since the account is not well")
    );
}

/// Its account is not configured any more.
#[tokio::test(start_paused = true)]
async fn nobody_is_said_to_be_asked_who_was_not() {
    let scene = Scene::new(Kind::Hold, Kind::Card).meeting(&[Fault::LostBefore, Fault::LostBefore]);
    let record = scene.create(order()).await;
    assert!(record.in_doubt());
    let before = scene.history(&record).await.len();
    let others = Orchestrator::builder(scene.written.clone())
        .clock(scene.clock.clone())
        .random(Arc::new(SeededRandom::new(11)))
        .account(scene.b.clone())
        .build()
        .expect("an account");
    scene.clock.advance(Duration::from_secs(60));
    others.step().await.expect("a store that works");
    let history = scene.history(&record).await;
    assert!(history.len() > before);
    let causes: Vec<&str> = history[before..].iter().map(Evidence::cause).collect();
    assert!(!causes.contains(&"lookup"), "{:?}", &history[before..]);
}

#[tokio::test(start_paused = true)]
async fn a_refund_that_a_webhook_told_of_names_the_webhook() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let record = scene.create(order()).await;
    scene.a.pay("a-obj1");
    scene.tell(&scene.a, 1).await.expect("it is kept");
    scene.later(1).await;
    let all = NewRefund::default();
    scene.orchestrator.create_refund(&key("back"), &record.id, all).await.expect("a refund");
    scene.later(1).await;
    scene.a.truth().finish(false);
    let told = scene.a.truth().tellings.len() - 2;
    let before = scene.history(&record).await.len();
    scene.tell(&scene.a, told).await.expect("it is kept");
    scene.orchestrator.step().await.expect("a store that works");
    let first = scene.history(&record).await[before].to_string();
    let expected =
        "a told us \"refund.changed\" (signed, with time), and when asked: the refund is";
    assert!(first.starts_with(expected), "{first}");
}

/// It is a question as good as any, and "none" would be a wrong answer.
#[tokio::test(start_paused = true)]
async fn a_query_that_says_nothing_lists_payments() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    scene.create(order()).await;
    let all = scene.orchestrator.list_payments(&PaymentQuery::default()).await;
    assert_eq!(all.expect("a store that works").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_token_of_a_return_is_in_no_text_of_the_record() {
    let scene = Scene::new(Kind::Page, Kind::Page);
    let mut request = order();
    request.return_url = Some(Url::parse("https://shop.example/done?order=1").unwrap());
    let record = scene.create(request).await;
    let text = format!("{record:#?} {record:?}");
    let token = serde_json::to_value(&record).unwrap()["return_token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 40);
    assert!(!text.contains(&token), "{text}");
    assert!(text.contains("shop.example") && text.contains("order=1"), "the rest is shown");
    // And it works.
    let url = format!("https://shop.example/done?paymux_return={}.{token}", record.id);
    let back = scene.orchestrator.read_return(&Url::parse(&url).unwrap()).await.expect("its own");
    assert_eq!(back.id, record.id);
    let wrong = format!("https://shop.example/done?paymux_return={}.{token}x", record.id);
    assert!(scene.orchestrator.read_return(&Url::parse(&wrong).unwrap()).await.is_err());
}
