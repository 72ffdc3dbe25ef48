//! What a statement walks through: as long as it takes is told by what it looks for, not by what
//! was kept over the years.

use libtest_mimic::Trial;
use paymux_orchestrator::store::{Store, postgres::PostgresStore};
use tokio_postgres::Client;

use crate::{
    build::at,
    server::Server,
    trial::{behind, named, node, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("plans::backlog_passes_what_is_settled", backlog_passes_what_is_settled)]
}

/// How many entries of this index were read so far by sessions that are over.
async fn read_of(behind: &Client, schema: &str, index: &str) -> i64 {
    let sql = "SELECT idx_tup_read FROM pg_stat_user_indexes
               WHERE schemaname = $1 AND indexrelname = $2";
    behind.query_one(sql, &[&schema, &index]).await.unwrap().get(0)
}

/// Closes the store, and waits until the server has counted what its sessions read.
async fn over(behind: &Client, name: &str, store: &PostgresStore) {
    store.close().await;
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    while behind.query_one(sql, &[&name]).await.unwrap().get::<_, i64>(0) > 0 {}
}

/// The oldest event that waits is behind very many that are settled.
async fn backlog_passes_what_is_settled() {
    let server = Server::shared();
    let schema = server.name();
    let store = node(named(server, &schema).tenant("main").schema(&*schema)).await;
    let other = behind(server).await;
    let fill = format!(
        "INSERT INTO {schema}.inbox (tenant_id, account, event_key, trust, event, digest,
           received_at, tries, due_at, outcome)
         SELECT 'main', 'one', number, 'signed', '{{}}', number, number, 1, 0,
           CASE WHEN number <= 30000 THEN 'applied' END
         FROM generate_series(1, 30100) number;
         ANALYZE {schema}.inbox"
    );
    other.batch_execute(&fill).await.unwrap();
    let backlog = store.backlog(at(0)).await.unwrap();
    assert_eq!(backlog.inbox, 100);
    assert_eq!(backlog.oldest_event.map(paymux_core::Timestamp::as_millis), Some(30_001));
    over(&other, &schema, &store).await;
    assert_eq!(read_of(&other, &schema, "inbox_age").await, 0);
}
