//! How an order that waits for money looks on its way.

use paymux::{ConfirmPayment, ConfirmStep, NextAction, PaymentHandle};

use super::*;
use crate::demo::{
    order,
    stage::{Stage, TIMEOUT},
    webhooks::{Deliveries, Delivery},
};

/// The next event of this name.
async fn hear(deliveries: &mut Deliveries, name: &str) {
    while let Some(delivery) = deliveries.recv().await {
        let Delivery::Proved { events, .. } = delivery else { panic!("it cannot be proved") };
        if events.iter().any(|event| event.name == name) {
            return;
        }
    }
    panic!("nobody tells of {name}");
}

#[tokio::test]
async fn an_order_that_waits_for_money_says_so_and_is_paid_when_it_is_there() {
    let (stage, mut deliveries) = Stage::open(&[join], TIMEOUT).await.expect("the stage opens");
    let account = stage.account(ACCOUNT).expect("the account");
    let orders = order::load(None).expect("the orders of the project");
    let order = orders.into_iter().find(|order| order.id == "C-3008").expect("the order");
    let request = order.to_request(stage.return_url()).expect("a request");
    let request = account.player.complete(request, &order).expect("a request");
    let opened = account.provider.create_payment(&request).await.expect("a payment");
    assert_eq!(opened.status, PaymentStatus::RequiresAction);
    let handle: PaymentHandle = opened.handle(&request.options);
    let lookup = PaymentLookup::Payment(handle.clone());
    let price = order.price().expect("a price");

    account.player.play(&opened, Move::PayTooLittle).expect("the payer accepts");
    hear(&mut deliveries, "waiting_funds").await;
    let waiting = account.provider.fetch_payment(&lookup).await.expect("a payment");
    assert_eq!(waiting.status, PaymentStatus::Processing);
    assert_eq!(waiting.provider_status, "waiting_funds");
    assert!(waiting.next_action.is_none(), "there is nothing for the shop to do");
    assert_eq!((waiting.amounts.authorized, waiting.is_paid(price)), (None, false));

    account.player.play(&opened, Move::Pay).expect("the payer brings the money");
    hear(&mut deliveries, "reserved").await;
    let held = account.provider.fetch_payment(&lookup).await.expect("a payment");
    let Some(NextAction::Confirm { step }) = held.next_action else { panic!("{held:?}") };
    assert_eq!(step, ConfirmStep::Commit);
    assert_eq!((held.amounts.authorized, held.is_paid(price)), (Some(price), false));

    let key = IdempotencyKey::generate(&OsRandom);
    let request = ConfirmPayment { key, payment: handle, step };
    let paid = account.provider.confirm_payment(&request).await.expect("a payment");
    assert!(paid.is_paid(price), "{paid:?}");
    stage.close().await;
}
