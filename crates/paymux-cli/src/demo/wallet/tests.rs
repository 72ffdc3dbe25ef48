//! How an order that waits for money looks on its way.

use paymux::{
    ConfirmStep, NextAction,
    orchestrator::{ConfirmBy, PaymentId, PaymentRecord},
};

use super::*;
use crate::demo::{
    order,
    stage::{Setting, Stage},
    tests::OwnStore,
    webhooks::{Deliveries, Delivery},
};

const RULES: &str = r#"
[[rule]]
name = "all"
use = "wallet"
"#;

/// The payment once a webhook has told of this word of the wallet's.
async fn hear(
    stage: &Stage,
    deliveries: &mut Deliveries,
    id: &PaymentId,
    word: &str,
) -> PaymentRecord {
    while let Some(delivery) = deliveries.recv().await {
        assert_eq!(delivery, Delivery::Kept);
        stage.orchestrator().step().await.expect("the store");
        let record = stage.orchestrator().stored_payment(id).await.expect("the payment");
        if record.provider.as_ref().is_some_and(|payment| payment.provider_status == word) {
            return record;
        }
    }
    panic!("nobody tells of {word}");
}

#[tokio::test]
async fn an_order_that_waits_for_money_says_so_and_is_paid_when_it_is_there() {
    let store = OwnStore::new();
    let setting = Setting { cast: &[join], routes: RULES, ..Setting::usual(store.path()) };
    let (stage, mut deliveries) = Stage::open(&setting).await.expect("the stage opens");
    let orders = order::load(None).expect("the orders of the project");
    let order = orders.into_iter().find(|order| order.id == "C-3008").expect("the order");
    let request = stage.request_for(&order).expect("a request").confirm(ConfirmBy::Merchant);
    let key = order.key("create").expect("a key");
    let opened = stage.orchestrator().create_payment(&key, &request).await.expect("a payment");
    assert_eq!(opened.status, PaymentStatus::RequiresAction);
    let account = stage.account(opened.account().expect("an account")).expect("it is played");
    let (id, shown) = (opened.id, opened.provider.expect("the wallet has it"));
    let price = order.price().expect("a price");

    account.player.play(&shown, Move::PayTooLittle).expect("the payer accepts");
    let waiting = hear(&stage, &mut deliveries, &id, "waiting_funds").await;
    assert_eq!(waiting.status, PaymentStatus::Processing);
    assert!(waiting.next_action().is_none(), "there is nothing for the shop to do");
    assert!(!waiting.is_paid());
    assert_eq!(waiting.provider.expect("a payment").amounts.authorized, None);

    account.player.play(&shown, Move::Pay).expect("the payer brings the money");
    let held = hear(&stage, &mut deliveries, &id, "reserved").await;
    let Some(NextAction::Confirm { step }) = held.next_action().cloned() else {
        panic!("{held:?}")
    };
    assert_eq!(step, ConfirmStep::Commit);
    assert!(!held.is_paid());
    assert_eq!(held.provider.expect("a payment").amounts.authorized, Some(price));

    let key = order.key("confirm").expect("a key");
    let paid = stage.orchestrator().confirm_payment(&key, &id, step).await.expect("a payment");
    assert!(paid.is_paid(), "{paid:?}");
    stage.close().await;
}
