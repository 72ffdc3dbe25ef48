//! The schema: made once, by whoever comes first, and left alone where it is not ours.

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Committed, Store, StoreErrorKind,
    postgres::{PostgresSettings, PostgresStore},
};
use tokio_postgres::{Config, NoTls};

use crate::{
    build::{at, creation},
    server::Server,
    trial::{behind, node, refusal, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("schema::many_start_at_once", many_start_at_once),
        trial("schema::newer_is_refused", newer_is_refused),
        trial("schema::changed_is_refused", changed_is_refused),
        trial("schema::grows_from_the_first_version", grows_from_the_first_version),
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
    assert_eq!(lines(schema).await, [0, 1, 2, 3]);
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
    assert_eq!(lines(&schema).await, [0, 1, 2, 3]);
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

/// As the first version made it, with a row in each table that a later step is about. The server
/// is told by each step how long it may take.
async fn grows_from_the_first_version() {
    let server = Server::shared();
    let database = server.name();
    let sql = format!("CREATE DATABASE {database} TEMPLATE template0");
    behind(server).await.batch_execute(&sql).await.unwrap();
    let mut config = Config::new();
    config.host(&server.socket).port(server.port).user("paymux").dbname(&database);
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let first = include_str!("../../migrations/postgres/0001_start.sql");
    client.batch_execute("CREATE SCHEMA paymux; SET search_path = paymux").await.unwrap();
    client.batch_execute(first).await.unwrap();
    let lines = "
        CREATE TABLE schema_migrations (
          version BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,
          applied_at BIGINT NOT NULL);
        INSERT INTO schema_migrations VALUES (0, 'lock', '', 0);
        INSERT INTO caller_keys SELECT 'main', n, 'd', 'pay_' || lpad(n::text, 26, '0'), NULL, n
          FROM generate_series(1, 2000) n;
        INSERT INTO inbox SELECT 'main', 'one', n, 'signed', '{}', n, n, 0, 0, NULL
          FROM generate_series(1, 2000) n;
        INSERT INTO outbox SELECT 'main', n, NULL, 0, 0, 'kind', 0, '{}', n
          FROM generate_series(1, 2000) n;
        CREATE TABLE limits (statement TEXT, lock TEXT);
        CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
          INSERT INTO paymux.limits
          VALUES (current_setting('statement_timeout'), current_setting('lock_timeout'));
        END $$;
        CREATE EVENT TRIGGER note ON ddl_command_start EXECUTE FUNCTION note()";
    client.batch_execute(lines).await.unwrap();
    let line = "INSERT INTO schema_migrations
                VALUES (1, 'start', encode(sha256(convert_to($1, 'UTF8')), 'hex'), 0)";
    client.execute(line, &[&first]).await.unwrap();
    let settings = PostgresSettings::new(&server.socket, &database, "paymux");
    let store = node(settings.clone()).await;
    let limits = client.query("SELECT DISTINCT statement, lock FROM limits", &[]).await.unwrap();
    let limits: Vec<(&str, &str)> = limits.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(limits, [("0", "5min")]);
    let last = client.query_one("SELECT max(version) FROM schema_migrations", &[]).await.unwrap();
    assert_eq!(last.get::<_, i64>(0), 3);
    assert_eq!(store.events(0, 5000).await.unwrap().len(), 2000);
    assert_eq!(store.backlog(at(0)).await.unwrap().inbox, 2000);
    assert_eq!(store.forget(at(0), at(0)).await.unwrap(), 2000);
    assert_eq!(store.commit(creation(1)).await.unwrap(), Committed::Done);
    node(settings).await;
}
