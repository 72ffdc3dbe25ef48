//! The orchestrator, as a merchant uses it.

use std::{path::Path, sync::Arc};

use paymux_core::{Currency, IdempotencyKey, Money, Reference};
use paymux_orchestrator::{NewPayment, Orchestrator, store::sqlite::SqliteStore};

use crate::{
    account::{Account, DESCRIPTION, PRICE},
    block::{self, Block},
};

/// So many payments at a time, until the block is over.
pub(crate) async fn run(file: &Path, account: Account, tasks: usize) -> Block {
    let store = Arc::new(SqliteStore::open(file).unwrap());
    let shop = Orchestrator::builder(store).node("node-1").account(account).build().unwrap();
    block::run(tasks, move |n| {
        let shop = shop.clone();
        async move {
            let key = IdempotencyKey::new(format!("key-{n}")).unwrap();
            let reference = Reference::new(format!("order-{n}")).unwrap();
            let price = Money::new(PRICE, Currency::USD).unwrap();
            let order = NewPayment::new(reference, price, DESCRIPTION);
            assert!(shop.create_payment(&key, &order).await.unwrap().is_paid());
        }
    })
    .await
}
