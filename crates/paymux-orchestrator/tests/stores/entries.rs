//! The stores that the suite runs on. One function makes a fresh, empty store.

use std::sync::Arc;

use paymux_orchestrator::store::memory::MemoryStore;
#[cfg(feature = "postgres")]
use paymux_orchestrator::store::postgres::PostgresStore;

use super::{Entry, Fresh, LeaseClock, Work};

/// Every store.
pub(crate) fn all() -> Vec<Entry> {
    vec![
        Entry { name: "memory", leases: LeaseClock::Callers, ignored: None, make: memory },
        #[cfg(feature = "sqlite")]
        Entry {
            name: "sqlite",
            leases: LeaseClock::Callers,
            ignored: None,
            make: super::sqlite::fresh,
        },
        #[cfg(feature = "postgres")]
        Entry {
            name: "postgres",
            leases: LeaseClock::Own,
            ignored: crate::server::missing(),
            make: postgres,
        },
    ]
}

fn memory() -> Work<Fresh> {
    Box::pin(async { Fresh { store: Arc::new(MemoryStore::new()), keep: Box::new(()) } })
}

#[cfg(feature = "postgres")]
fn postgres() -> Work<Fresh> {
    Box::pin(async {
        let settings = crate::server::Server::shared().fresh();
        let store = PostgresStore::connect(settings).await.unwrap();
        Fresh { store: Arc::new(store), keep: Box::new(()) }
    })
}
