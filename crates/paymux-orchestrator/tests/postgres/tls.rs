//! TLS and passwords, on a server that has a certificate of its own.

use std::{net::TcpListener, path::PathBuf};

use libtest_mimic::Trial;
use paymux_core::SecretString;
use paymux_orchestrator::store::{
    StoreErrorKind,
    postgres::{PostgresSettings, PostgresStore, PostgresTls},
};

use crate::{
    lost::reload,
    server::Server,
    trial::{behind, refusal, trial},
};

pub(crate) fn trials() -> Vec<Trial> {
    vec![trial("tls::certificates_and_passwords_are_checked", certificates_and_passwords)]
}

/// An authority and a certificate for `localhost`, made by the server in its own folder.
const MAKE: &str = "
    curve='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes' &&
    openssl req -x509 $curve -days 2 -subj /CN=authority -keyout root.key -out root.crt &&
    openssl req $curve -subj /CN=localhost -keyout server.key -out server.csr &&
    echo subjectAltName=DNS:localhost > server.ext &&
    openssl x509 -req -in server.csr -CA root.crt -CAkey root.key -CAcreateserial -days 2 \
      -extfile server.ext -out server.crt &&
    chmod 600 server.key &&
    printf '%s\\n' 'local all all trust' 'hostssl all all 127.0.0.1/32 scram-sha-256' \
      > pg_hba.conf";

/// A server that takes connections from this machine, with TLS and the right password only.
async fn protected() -> (Server, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let lines = [format!("port = {port}"), "listen_addresses = '127.0.0.1'".to_owned()];
    let server = Server::start(&lines.each_ref().map(String::as_str));
    let client = behind(&server).await;
    let make = MAKE.replace('\'', "''");
    client.batch_execute(&format!("COPY (SELECT 1) TO PROGRAM '{make}'")).await.unwrap();
    let sql = "ALTER SYSTEM SET ssl = on";
    client.batch_execute(sql).await.unwrap();
    client.batch_execute("ALTER ROLE paymux PASSWORD 'correct horse'").await.unwrap();
    reload(&server, "ssl", "on").await;
    (server, port)
}

async fn certificates_and_passwords() {
    let (server, port) = protected().await;
    let roots = PostgresTls::VerifiedBy(PathBuf::from(&server.socket).join("data/root.crt"));
    let secret: SecretString = "correct horse".into();
    let to =
        |host: &str| PostgresSettings::new(host, "paymux", "paymux").port(port).password(&secret);
    let store = PostgresStore::connect(to("localhost").tls(roots.clone())).await;
    let store = store.unwrap();
    let protected = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE application_name = 'paymux' AND client_addr IS NOT NULL AND ssl";
    let seen = behind(&server).await.query_one(protected, &[]).await.unwrap();
    assert!(seen.get::<_, i64>(0) > 0);
    drop(store);
    // The password is proved to this very connection, not to one in the middle.
    let url = format!(
        "postgres://paymux:correct%20horse@localhost:{port}/paymux?channel_binding=require"
    );
    let bound = PostgresSettings::from_url(&url.into()).unwrap().tls(roots.clone());
    PostgresStore::connect(bound).await.unwrap();

    for (settings, what) in [
        (to("localhost").tls(PostgresTls::Verified), "an authority that nobody knows"),
        (to("127.0.0.1").tls(roots.clone()), "a name that is not in the certificate"),
        (to("localhost").tls(PostgresTls::Plain), "no TLS where the server wants it"),
        (to("localhost").tls(roots.clone()).password(&"wrong".into()), "a wrong password"),
        (
            to("localhost").tls(PostgresTls::VerifiedBy("/nothing/here".into())),
            "roots that are not there",
        ),
    ] {
        let error = refusal(settings).await;
        assert_eq!(error.kind(), StoreErrorKind::Configuration, "{what}: {error}");
        assert!(!format!("{error} {error:?}").contains("horse"), "{what}");
    }
}
