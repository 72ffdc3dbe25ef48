//! What the store refuses to work with, and why.

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Committed, Store, StoreError, StoreErrorKind,
    postgres::{PostgresSettings, PostgresStore},
};

use crate::{
    build::{event, id, version},
    lost::reload,
    server::Server,
    trial::{behind, refusal, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("refused::servers_that_lose_payments", servers_that_lose_payments),
        trial("refused::users_who_do_not_wait_for_the_disk", users_who_do_not_wait_for_the_disk),
        trial("refused::settings_that_change_later", settings_that_change_later),
        trial("refused::settings_that_change_under_it", settings_that_change_under_it),
        trial("refused::columns_of_another_type", columns_of_another_type),
        trial("refused::databases_that_cannot_keep_texts", databases_that_cannot_keep_texts),
        trial("refused::strangers", strangers),
        trial("refused::nobody_there", nobody_there),
    ]
}

fn says(error: &StoreError, words: &str) {
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

async fn servers_that_lose_payments() {
    let server = Server::start(&["fsync = off"]);
    says(&refusal(server.settings()).await, "fsync = off");
    for (setting, value) in [("fsync", "on"), ("full_page_writes", "off")] {
        let sql = format!("ALTER SYSTEM SET {setting} = {value}");
        behind(&server).await.batch_execute(&sql).await.unwrap();
        reload(&server, setting, value).await;
    }
    says(&refusal(server.settings()).await, "full_page_writes = off");
    let sql = "ALTER SYSTEM RESET full_page_writes";
    behind(&server).await.batch_execute(sql).await.unwrap();
    reload(&server, "full_page_writes", "on").await;
    PostgresStore::connect(server.settings()).await.unwrap();
}

fn of_user(server: &Server, user: &str) -> PostgresSettings {
    PostgresSettings::new(&server.socket, "paymux", user)
}

/// Makes a user of this name who may use the tables that are there, and no more.
async fn user(server: &Server, name: &str) {
    // The tables are there once a store was.
    PostgresStore::connect(server.fresh()).await.unwrap();
    let sql = format!(
        "CREATE ROLE {name} LOGIN; GRANT USAGE ON SCHEMA paymux TO {name};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA paymux TO {name}"
    );
    behind(server).await.batch_execute(&sql).await.unwrap();
}

async fn users_who_do_not_wait_for_the_disk() {
    let server = Server::shared();
    let name = server.name();
    user(server, &name).await;
    for (value, good) in [
        ("off", false),
        ("local", false),
        ("remote_write", true),
        ("remote_apply", true),
        ("on", true),
    ] {
        let sql = format!("ALTER ROLE {name} SET synchronous_commit = {value}");
        behind(server).await.batch_execute(&sql).await.unwrap();
        if good {
            PostgresStore::connect(of_user(server, &name)).await.unwrap();
        } else {
            let words = format!("synchronous_commit = {value}");
            says(&refusal(of_user(server, &name)).await, &words);
        }
    }
}

/// Each connection is checked, not only the first.
async fn settings_that_change_later() {
    let server = Server::shared();
    let name = server.name();
    user(server, &name).await;
    let store = PostgresStore::connect(of_user(server, &name)).await.unwrap();
    store.load(&id(1)).await.unwrap();
    let other = behind(server).await;
    let sql = format!("ALTER ROLE {name} SET synchronous_commit = off");
    other.batch_execute(&sql).await.unwrap();
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1";
    assert!(!other.query(sql, &[&name]).await.unwrap().is_empty());
    let error = loop {
        match store.load(&id(1)).await {
            Ok(_) => {}
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {}
            Err(error) => break error,
        }
    };
    says(&error, "synchronous_commit = off");
}

/// What the server turns off for all is seen by a connection that was good when it was opened.
async fn settings_that_change_under_it() {
    let server = Server::start(&[]);
    let store = PostgresStore::connect(server.fresh()).await.unwrap();
    let mut here = 0;
    for setting in ["fsync", "full_page_writes"] {
        here += 1;
        assert_eq!(store.commit(version(1, here)).await.unwrap(), Committed::Done);
        let sql = format!("ALTER SYSTEM SET {setting} = off");
        behind(&server).await.batch_execute(&sql).await.unwrap();
        reload(&server, setting, "off").await;
        let error = loop {
            match store.commit(version(1, here + 1)).await {
                Ok(_) => here += 1,
                Err(error) => break error,
            }
        };
        says(&error, setting);
        says(&store.receive(vec![event("e")]).await.unwrap_err(), setting);
        let sql = format!("ALTER SYSTEM RESET {setting}");
        behind(&server).await.batch_execute(&sql).await.unwrap();
        reload(&server, setting, "on").await;
        assert_eq!(store.load(&id(1)).await.unwrap().unwrap().version, here);
    }
}

/// A write that the driver cannot send takes the whole change with it.
async fn columns_of_another_type() {
    let server = Server::shared();
    let schema = server.name();
    let settings = server.settings().schema(&*schema);
    let store = PostgresStore::connect(settings.clone()).await.unwrap();
    assert_eq!(store.commit(version(1, 1)).await.unwrap(), Committed::Done);
    let sql = format!("ALTER TABLE {schema}.transitions ALTER COLUMN at TYPE TEXT");
    behind(server).await.batch_execute(&sql).await.unwrap();
    let store = PostgresStore::connect(settings).await.unwrap();
    let error = store.commit(version(1, 2)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    assert_eq!(store.load(&id(1)).await.unwrap().unwrap().version, 1);
}

async fn databases_that_cannot_keep_texts() {
    let server = Server::shared();
    let name = server.name();
    let sql = format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0");
    behind(server).await.batch_execute(&sql).await.unwrap();
    let settings = PostgresSettings::new(&server.socket, &name, "paymux");
    says(&refusal(settings).await, "SQL_ASCII");
}

async fn strangers() {
    let server = Server::shared();
    let error = refusal(of_user(server, "nobody_here")).await;
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    let settings = PostgresSettings::new(&server.socket, "no_database_here", "paymux");
    let error = refusal(settings).await;
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
}

async fn nobody_there() {
    let socket = format!("{}/nothing", Server::shared().socket);
    let error = refusal(PostgresSettings::new(socket, "paymux", "paymux")).await;
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
}
