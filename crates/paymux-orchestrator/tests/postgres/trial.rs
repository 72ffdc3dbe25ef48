//! What the trials share: a runtime each, a look behind the store's back, and waiting for what a
//! server is doing without guessing how long it takes.

use std::{future::Future, sync::Arc, time::Duration};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    StoreError, StoreErrorKind,
    postgres::{PostgresSettings, PostgresStore},
};
use tokio_postgres::{Client, Config, NoTls};

use crate::server::{Server, missing};

/// Longer than anything here takes; what takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A trial on a runtime of its own.
pub(crate) fn trial<F>(name: &str, check: fn() -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    let ignored = missing();
    let name = match &ignored {
        None => name.to_owned(),
        Some(why) => format!("{name} ({why})"),
    };
    let trial = Trial::test(name, move || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async { tokio::time::timeout(PATIENCE, check()).await }).unwrap();
        Ok(())
    });
    trial.with_ignored_flag(ignored.is_some())
}

/// A node on this server.
pub(crate) async fn node(settings: PostgresSettings) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::connect(settings).await.unwrap())
}

/// How a node is refused.
pub(crate) async fn refusal(settings: PostgresSettings) -> StoreError {
    PostgresStore::connect(settings).await.expect_err("the node must be refused")
}

/// A connection past the store, in the schema that stores use unless they are told another.
pub(crate) async fn behind(server: &Server) -> Client {
    let mut config = Config::new();
    config.host(&server.socket).port(server.port).user("paymux").dbname("paymux");
    let (client, connection) = config.connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("SET search_path = paymux").await.unwrap();
    client
}

/// A node that the server knows by this name, which is its tenant's as well.
pub(crate) async fn known_as(server: &Server, name: &str) -> Arc<PostgresStore> {
    node(named(server, name)).await
}

/// How a node gets to the server that is known there by this name, which is its tenant's as well.
pub(crate) fn named(server: &Server, name: &str) -> PostgresSettings {
    let socket = &server.socket;
    let url = format!("host={socket} user=paymux dbname=paymux application_name={name}");
    PostgresSettings::from_url(&url.into()).unwrap().tenant(name)
}

/// Waits until a connection of the node of this name waits for something of this kind: `Lock`, or
/// `IPC` for a standby. Gives its process.
pub(crate) async fn waiting(behind: &Client, name: &str, kind: &str) -> i32 {
    let sql = "SELECT pid FROM pg_stat_activity
               WHERE application_name = $1 AND wait_event_type = $2 AND state = 'active'";
    loop {
        if let Some(row) = behind.query(sql, &[&name, &kind]).await.unwrap().first() {
            return row.get(0);
        }
    }
}

/// Ends the connections of the node of this name. Gives how many there were.
pub(crate) async fn cut_off(behind: &Client, name: &str) -> usize {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    behind.query(sql, &[&name]).await.unwrap().len()
}

/// Ends one connection.
pub(crate) async fn cut(behind: &Client, process: i32) {
    behind.execute("SELECT pg_terminate_backend($1)", &[&process]).await.unwrap();
}

/// May a caller meet this when its connection goes away?
pub(crate) fn is_of_a_lost_connection(kind: StoreErrorKind) -> bool {
    matches!(kind, StoreErrorKind::Unavailable | StoreErrorKind::CommitUnknown)
}
