//! The schema: made once, by whoever comes first, and left alone where it is not ours.

use libtest_mimic::Trial;
use paymux_orchestrator::store::{Store, StoreErrorKind, postgres::PostgresStore};

use crate::{
    build::creation,
    server::Server,
    trial::{behind, node, refusal, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("schema::many_start_at_once", many_start_at_once),
        trial("schema::newer_is_refused", newer_is_refused),
        trial("schema::changed_is_refused", changed_is_refused),
        trial("schema::half_made_is_finished", half_made_is_finished),
        trial("schema::survives_a_restart_of_the_node", survives_a_restart_of_the_node),
    ]
}

async fn lines(schema: &str) -> Vec<i64> {
    let sql = format!("SELECT version FROM \"{schema}\".schema_migrations ORDER BY version");
    let rows = behind(Server::shared()).await.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn many_start_at_once() {
    let server = Server::shared();
    // A word of SQL's is a name like others.
    let schema = "default";
    let starts: Vec<_> = (0..4)
        .map(|_| {
            let settings = server.settings().schema(schema).connections(2);
            tokio::spawn(PostgresStore::connect(settings))
        })
        .collect();
    let mut nodes = Vec::new();
    for start in starts {
        nodes.push(start.await.unwrap().unwrap());
    }
    // The line that is locked, and one for each migration.
    assert_eq!(lines(schema).await, [0, 1, 2]);
    assert_eq!(nodes.len(), 4);
}

async fn newer_is_refused() {
    let server = Server::shared();
    let schema = server.name();
    let settings = server.settings().schema(&*schema);
    node(settings.clone()).await;
    let sql = format!("INSERT INTO {schema}.schema_migrations VALUES (99, 'next', '00', 0)");
    behind(server).await.batch_execute(&sql).await.unwrap();
    let error = refusal(settings).await;
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains("99 (next)"), "{error}");
}

async fn changed_is_refused() {
    let server = Server::shared();
    let schema = server.name();
    let settings = server.settings().schema(&*schema);
    node(settings.clone()).await;
    let sql = format!("UPDATE {schema}.schema_migrations SET checksum = '00' WHERE version = 1");
    behind(server).await.batch_execute(&sql).await.unwrap();
    let error = refusal(settings).await;
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains("other text"), "{error}");
}

/// A node that went away on the way left some tables, and no line about it.
async fn half_made_is_finished() {
    let server = Server::shared();
    let schema = server.name();
    let settings = server.settings().schema(&*schema);
    node(settings.clone()).await;
    let sql = format!(
        "DELETE FROM {schema}.schema_migrations; DROP TABLE {schema}.outbox, {schema}.counters;
         DROP INDEX {schema}.inbox_due"
    );
    behind(server).await.batch_execute(&sql).await.unwrap();
    let store = node(settings).await;
    assert_eq!(lines(&schema).await, [0, 1, 2]);
    assert!(store.events(0, 1).await.unwrap().is_empty());
}

async fn survives_a_restart_of_the_node() {
    let settings = Server::shared().fresh();
    let store = node(settings.clone()).await;
    store.commit(creation(1)).await.unwrap();
    store.close().await;
    let kept = node(settings).await.load(&creation(1).payment.id).await.unwrap();
    assert_eq!(kept, Some(creation(1).payment));
}
