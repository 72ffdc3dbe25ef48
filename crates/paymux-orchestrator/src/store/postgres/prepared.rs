//! The statements of a change, ready on one connection: what is sent together cannot be prepared
//! on the way.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Statement};

use super::{check, sql};

/// The statements of a change, prepared on one connection.
pub(super) struct Prepared {
    pub(super) still_safe: Statement,
    pub(super) claim_key: Statement,
    pub(super) find_key: Statement,
    pub(super) insert_payment: Statement,
    pub(super) update_payment: Statement,
    pub(super) lock_payment: Statement,
    pub(super) read_slot: Statement,
    pub(super) take_slot: Statement,
    pub(super) move_slot: Statement,
    pub(super) release_slot: Statement,
    pub(super) find_object: Statement,
    pub(super) insert_object: Statement,
    pub(super) insert_transition: Statement,
    pub(super) insert_event: Statement,
    pub(super) settle_inbox: Statement,
}

impl Prepared {
    /// Prepares what this connection has not prepared before.
    pub(super) async fn on(client: &ClientWrapper) -> Result<Self, Error> {
        let ready = |sql| client.prepare_cached(sql);
        Ok(Self {
            still_safe: ready(check::STILL_SAFE).await?,
            claim_key: ready(sql::CLAIM_KEY).await?,
            find_key: ready(sql::FIND_KEY).await?,
            insert_payment: ready(sql::INSERT_PAYMENT).await?,
            update_payment: ready(sql::UPDATE_PAYMENT).await?,
            lock_payment: ready(sql::LOCK_PAYMENT).await?,
            read_slot: ready(sql::READ_SLOT).await?,
            take_slot: ready(sql::TAKE_SLOT).await?,
            move_slot: ready(sql::MOVE_SLOT).await?,
            release_slot: ready(sql::RELEASE_SLOT).await?,
            find_object: ready(sql::FIND_OBJECT).await?,
            insert_object: ready(sql::INSERT_OBJECT).await?,
            insert_transition: ready(sql::INSERT_TRANSITION).await?,
            insert_event: ready(sql::INSERT_EVENT).await?,
            settle_inbox: ready(sql::SETTLE_INBOX).await?,
        })
    }
}
