//! The orchestrator, as a merchant uses it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use paymux_core::{Currency, IdempotencyKey, Money, Reference};
use paymux_orchestrator::{NewPayment, Orchestrator, store::Store};

use crate::{
    account::{Account, DESCRIPTION, PRICE},
    block::{self, Block},
};

/// Numbers orders over all blocks: the store may be the same in all.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// So many payments at a time, until the block is over.
pub(crate) async fn on(store: Arc<dyn Store>, account: Account, tasks: usize) -> Block {
    let shop = Orchestrator::builder(store).node("node-1").account(account).build().unwrap();
    block::run(tasks, move |_| {
        let shop = shop.clone();
        async move {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let key = IdempotencyKey::new(format!("key-{n}")).unwrap();
            let reference = Reference::new(format!("order-{n}")).unwrap();
            let price = Money::new(PRICE, Currency::USD).unwrap();
            let order = NewPayment::new(reference, price, DESCRIPTION);
            assert!(shop.create_payment(&key, &order).await.unwrap().is_paid());
        }
    })
    .await
}
