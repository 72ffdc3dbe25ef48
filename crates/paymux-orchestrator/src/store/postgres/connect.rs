//! Opening connections: how they are protected, what is set on each, and what is refused.

use std::{path::Path, sync::Arc, time::Duration};

use deadpool_postgres::{
    ClientWrapper, Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod, Runtime,
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{CertificateDer, pem::PemObject},
};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::sync::Semaphore;
use tokio_postgres::{Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    check,
    patience::{Attentive, Patience, Unconfirmed},
    settings::{PostgresSettings, PostgresTls},
    writer::writers,
};
use crate::store::{StoreError, StoreErrorKind, StoreResult};

/// How long a caller waits for a connection while all are busy.
const WAIT: Duration = Duration::from_secs(10);

/// How many connections are left for reading, where there are as many.
const READING: usize = 2;

/// What each connection is told. A node that stops in the middle of a transaction is cut off, so
/// that its locks hold nobody up for long; each limit is far above what a change takes. That a
/// commit was told done without its standby is a warning.
const SESSION: &str = "
    SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED;
    SET client_min_messages = 'warning';
    SET lock_timeout = '10s';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '30s'";

/// Connections to the database, none of them open yet. Those of the writers are their own: neither
/// slow reads nor a flood of webhooks keep a change from being written.
pub(super) struct Pools {
    /// One for each writer.
    pub(super) writers: Pool,
    /// For everything else.
    pub(super) others: Pool,
    /// How many of the others may commit at once.
    pub(super) committing: Arc<Semaphore>,
}

impl Pools {
    pub(super) fn close(&self) {
        self.writers.close();
        self.others.close();
    }
}

pub(super) fn open(settings: &PostgresSettings) -> StoreResult<(Pools, Patience)> {
    let unconfirmed = Unconfirmed::default();
    let writers = writers(settings.connections);
    let others = settings.connections.saturating_sub(writers);
    let pools = Pools {
        writers: pool(settings, writers, &unconfirmed)?,
        others: pool(settings, others, &unconfirmed)?,
        committing: Arc::new(Semaphore::new(others.saturating_sub(READING).max(1))),
    };
    let PostgresSettings { commit_timeout, answer_timeout, .. } = *settings;
    Ok((pools, Patience::new(commit_timeout, answer_timeout, unconfirmed)))
}

/// Each connection is checked when it is opened, not only the first: a role's settings can change
/// while we run.
fn pool(settings: &PostgresSettings, size: usize, unconfirmed: &Unconfirmed) -> StoreResult<Pool> {
    let (server, tls) = settings.checked()?;
    let unconfirmed = unconfirmed.clone();
    let ways = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = match tls {
        PostgresTls::Plain => {
            Manager::from_connect(server, Attentive { tls: NoTls, unconfirmed }, ways)
        }
        PostgresTls::Verified => {
            let tls = MakeRustlsConnect::new(platform()?);
            Manager::from_connect(server, Attentive { tls, unconfirmed }, ways)
        }
        PostgresTls::VerifiedBy(roots) => {
            let tls = MakeRustlsConnect::new(rooted(&roots)?);
            Manager::from_connect(server, Attentive { tls, unconfirmed }, ways)
        }
    };
    // The name was checked: there is no quote in it.
    let session = format!("{SESSION}; SET search_path = \"{}\"", settings.schema);
    let session: Arc<str> = session.into();
    let prepare = Hook::async_fn(move |client: &mut ClientWrapper, _| {
        let session = Arc::clone(&session);
        Box::pin(async move {
            prepare(client, &session).await.map_err(HookError::Backend)?.map_err(HookError::message)
        })
    });
    Pool::builder(manager)
        .max_size(size)
        .wait_timeout(Some(WAIT))
        .runtime(Runtime::Tokio1)
        .post_create(prepare)
        .build()
        .map_err(|error| refused("the pool of connections cannot be made").with_source(error))
}

/// What was found good is set for the session, which the server's configuration cannot undo. What
/// no session can set is asked again before each change.
async fn prepare(client: &ClientWrapper, session: &str) -> Result<Result<(), String>, Error> {
    client.batch_execute(session).await?;
    match check::server(client).await? {
        Ok(commit) => {
            client.batch_execute(&format!("SET synchronous_commit = {commit}")).await?;
            Ok(Ok(()))
        }
        Err(why) => Ok(Err(why)),
    }
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
