//! Opening connections: how they are protected, what is set on each, and what is refused.

use std::sync::Arc;

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{path::Path, time::Duration};
use tokio_postgres::{Error, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{PostgresSettings, PostgresTls};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// The oldest server whose community support had not ended in 2026.
const OLDEST: i64 = 140_000;
/// How long a caller waits for a connection while all are busy.
const WAIT: Duration = Duration::from_secs(10);

/// What each connection is told. A node that stops in the middle of a transaction is cut off, so
/// that its locks hold nobody up for long; each limit is far above what a change takes.
const SESSION: &str = "
    SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET lock_timeout = '10s';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '30s'";

/// What could lose a payment, as the server has it for this connection.
const CHECK: &str = "
    SELECT CAST(current_setting('server_version_num') AS BIGINT) AS version,
      current_setting('fsync', true) AS fsync,
      current_setting('full_page_writes', true) AS full_page_writes,
      current_setting('synchronous_commit', true) AS synchronous_commit,
      current_setting('server_encoding', true) AS server_encoding";

/// Connections to the database, none of them open yet. Each is checked when it is opened, not only
/// the first: a role's settings can change while we run.
pub(super) fn open(settings: &PostgresSettings) -> StoreResult<Pool> {
    let (server, tls) = settings.checked()?;
    let ways = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match tls {
        PostgresTls::Plain => Manager::from_config(server, NoTls, ways),
        PostgresTls::Verified => {
            Manager::from_config(server, MakeRustlsConnect::new(platform()?), ways)
        }
        PostgresTls::VerifiedBy(roots) => {
            Manager::from_config(server, MakeRustlsConnect::new(rooted(&roots)?), ways)
        }
    };
    // The name was checked: it needs no quotes.
    let session: Arc<str> = format!("{SESSION}; SET search_path = {}", settings.schema).into();
    let prepare = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let session = Arc::clone(&session);
        Box::pin(async move {
            prepare(client, &session).await.map_err(HookError::Backend)?.map_err(HookError::message)
        })
    });
    Pool::builder(manager)
        .max_size(settings.connections)
        .wait_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .post_create(prepare)
        .build()
        .map_err(|error| refused("the pool of connections cannot be made").with_source(error))
}

async fn prepare(client: &ClientWrapper, session: &str) -> Result<Result<(), String>, Error> {
    client.batch_execute(session).await?;
    let row = client.query_one(CHECK, &[]).await?;
    Ok(check(&row))
}

/// Says what is wrong with the server, and why that matters.
fn check(row: &Row) -> Result<(), String> {
    let setting = |name: &str| -> String {
        let value: Result<Option<String>, _> = row.try_get(name);
        value.ok().flatten().unwrap_or_else(|| "unknown".to_owned())
    };
    let version: i64 = row.try_get("version").unwrap_or_default();
    if version < OLDEST {
        return Err(format!(
            "the PostgreSQL server is of version {}, and the store needs {} or newer",
            version / 10_000,
            OLDEST / 10_000
        ));
    }
    for (name, risk) in [
        ("fsync", "a power cut could lose payments that were already sent to a provider"),
        (
            "full_page_writes",
            "a power cut could leave torn pages, and payments that cannot be read",
        ),
    ] {
        let value = setting(name);
        if value != "on" {
            return Err(format!("the PostgreSQL server has {name} = {value}: {risk}"));
        }
    }
    // `remote_write` waits for the own disk, too; `local` is refused although it does, since a
    // standby that takes over would not know what was sent.
    let value = setting("synchronous_commit");
    if !matches!(value.as_str(), "on" | "remote_apply" | "remote_write") {
        return Err(format!(
            "the PostgreSQL server has synchronous_commit = {value} for this user and database: a \
             crash or a failover could forget payments that were already sent to a provider; it \
             must be on, remote_write or remote_apply"
        ));
    }
    let value = setting("server_encoding");
    if value != "UTF8" {
        return Err(format!(
            "the database has the encoding {value}, which cannot keep every text; it must be UTF8"
        ));
    }
    Ok(())
}

/// TLS as the HTTP client does it: certificates are good when the platform says so.
fn platform() -> StoreResult<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .map_err(|error| refused("TLS to the database cannot be set up").with_source(error))?;
    Ok(builder.with_no_client_auth())
}

/// TLS with these roots alone.
fn rooted(file: &Path) -> StoreResult<ClientConfig> {
    let unreadable = || refused(&format!("the roots in {} cannot be read as PEM", file.display()));
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| unreadable().with_source(error))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable().with_source(error))?;
        roots.add(certificate).map_err(|error| unreadable().with_source(error))?;
    }
    if roots.is_empty() {
        return Err(unreadable());
    }
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| refused("TLS to the database cannot be set up").with_source(error))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn refused(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message)
}
