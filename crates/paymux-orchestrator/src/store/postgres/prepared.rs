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
        Ok(Self {
            still_safe: client.prepare_cached(check::STILL_SAFE).await?,
            claim_key: client.prepare_cached(sql::CLAIM_KEY).await?,
            find_key: client.prepare_cached(sql::FIND_KEY).await?,
            insert_payment: client.prepare_cached(sql::INSERT_PAYMENT).await?,
            update_payment: client.prepare_cached(sql::UPDATE_PAYMENT).await?,
            lock_payment: client.prepare_cached(sql::LOCK_PAYMENT).await?,
            read_slot: client.prepare_cached(sql::READ_SLOT).await?,
            take_slot: client.prepare_cached(sql::TAKE_SLOT).await?,
            move_slot: client.prepare_cached(sql::MOVE_SLOT).await?,
            release_slot: client.prepare_cached(sql::RELEASE_SLOT).await?,
            find_object: client.prepare_cached(sql::FIND_OBJECT).await?,
            insert_object: client.prepare_cached(sql::INSERT_OBJECT).await?,
            insert_transition: client.prepare_cached(sql::INSERT_TRANSITION).await?,
            insert_event: client.prepare_cached(sql::INSERT_EVENT).await?,
            settle_inbox: client.prepare_cached(sql::SETTLE_INBOX).await?,
        })
    }
}
