//! Waiting for the server: how long, and what is believed of the answer to a commit.
//!
//! A server that froze, or a proxy in between, can take what is sent and never answer. The server's
//! own limits do not help there, nor those of TCP, as everything is acknowledged.
//!
//! A server with a synchronous standby holds the answer to a commit back until the standby has it,
//! and no limit of the server's ends that wait. When somebody ends it by hand, the server says
//! that the commit is done, and only a notice beside the answer says that the standby may not have
//! it: one that took over would not know what was sent.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use deadpool_postgres::{ClientWrapper, Connect, Object, Pool};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinHandle,
};
use tokio_postgres::{
    AsyncMessage, Client, Config, Error, Socket, Statement,
    tls::{MakeTlsConnect, TlsConnect},
};

use super::fault::{Fault, Stop};
use crate::store::StoreErrorKind;

/// The part of PostgreSQL that waits for a standby, as it names itself in its notices: their words
/// are in the language of the server.
const WAITS_FOR_A_STANDBY: &str = "SyncRepWaitForLSN";

/// How long a connection is waited for, at most: for one to be free, and then for its set-up.
const CONNECTION: Duration = Duration::from_secs(15);

/// How long an answer is waited for.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// That to a commit.
    commit: Duration,
    /// Any other.
    answer: Duration,
    unconfirmed: Unconfirmed,
}

/// Counts the commits, on any connection, that a server told done without its standby.
#[derive(Clone, Debug, Default)]
pub(super) struct Unconfirmed(Arc<AtomicU64>);

impl Patience {
    pub(super) fn new(commit: Duration, answer: Duration, unconfirmed: Unconfirmed) -> Self {
        Self { commit, answer, unconfirmed }
    }

    /// A connection that is ready for use.
    ///
    /// # Errors
    /// `Unavailable` when there is none in time; otherwise as the pool says.
    pub(super) async fn connection(&self, doing: &str, pool: &Pool) -> Result<Object, Fault> {
        match tokio::time::timeout(self.answer.min(CONNECTION), pool.get()).await {
            Ok(client) => client.map_err(|error| Fault::of_pool(doing, &error)),
            Err(_) => Err(unanswered(doing)),
        }
    }

    /// A place among those that may commit at once.
    ///
    /// # Errors
    /// `Unavailable` when there is none in time, and nothing was sent.
    pub(super) async fn place(
        &self,
        doing: &str,
        places: &Arc<Semaphore>,
    ) -> Result<OwnedSemaphorePermit, Fault> {
        let free = Arc::clone(places).acquire_owned();
        match tokio::time::timeout(self.answer.min(CONNECTION), free).await {
            Ok(Ok(place)) => Ok(place),
            Ok(Err(_)) | Err(_) => {
                let why = "the server has not answered the commits before";
                let message = format!("could not {doing}: {why}");
                Err(Fault::new(StoreErrorKind::Unavailable, message))
            }
        }
    }

    /// Prepares a statement, unless this connection has it.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub(super) async fn prepare(
        &self,
        doing: &str,
        client: &ClientWrapper,
        sql: &str,
    ) -> Result<Statement, Stop> {
        self.answer(doing, client.prepare_cached(sql)).await
    }

    /// Waits for work that commits nothing.
    ///
    /// # Errors
    /// `Unavailable` when no answer came in time. The connection is to be closed then.
    pub(super) async fn answer<T>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Stop> {
        match tokio::time::timeout(self.answer, work).await {
            Ok(answer) => answer.map_err(Stop::before),
            Err(_) => Err(unanswered(doing).into()),
        }
    }

    /// Waits for work that commits. It is sent when it is polled first, so that nothing is sent on
    /// a connection that is gone.
    ///
    /// # Errors
    /// `Unavailable` when nothing was sent; `CommitUnknown` when no answer came in time, or a
    /// commit of this node was told done without its standby meanwhile: a notice does not say
    /// whose. The connection is to be closed then.
    pub(super) async fn commit<T>(
        &self,
        doing: &str,
        client: &ClientWrapper,
        work: impl Future<Output = T> + Send,
    ) -> Result<T, Fault> {
        if client.is_closed() {
            let message = format!("could not {doing}: the connection was lost before");
            return Err(Fault::new(StoreErrorKind::Unavailable, message));
        }
        let unknown = |why| {
            Fault::new(StoreErrorKind::CommitUnknown, format!("could not {doing} for sure: {why}"))
        };
        let before = self.unconfirmed.count();
        let answer = tokio::time::timeout(self.commit, work).await;
        let answer = answer.map_err(|_| unknown("the server did not answer in time"))?;
        if self.unconfirmed.count() == before {
            Ok(answer)
        } else {
            Err(unknown("the server stopped waiting for its standby"))
        }
    }
}

fn unanswered(doing: &str) -> Fault {
    let message = format!("could not {doing}: the server did not answer in time");
    Fault::new(StoreErrorKind::Unavailable, message)
}

impl Unconfirmed {
    fn count(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Opens connections, and hears what the server says besides its answers. A notice comes before
/// the answer it is about, and is counted before that answer is handed on.
pub(super) struct Attentive<T> {
    pub(super) tls: T,
    pub(super) unconfirmed: Unconfirmed,
}

type Connecting<'a> =
    Pin<Box<dyn Future<Output = Result<(Client, JoinHandle<()>), Error>> + Send + 'a>>;

impl<T> Connect for Attentive<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, config: &Config) -> Connecting<'_> {
        let (config, tls) = (config.clone(), self.tls.clone());
        let Unconfirmed(unconfirmed) = self.unconfirmed.clone();
        Box::pin(async move {
            let (client, mut connection) = config.connect(tls).await?;
            let task = tokio::spawn(async move {
                while let Some(message) = poll_fn(|context| connection.poll_message(context)).await
                {
                    match message {
                        Ok(AsyncMessage::Notice(notice)) => {
                            if notice.routine() == Some(WAITS_FOR_A_STANDBY) {
                                unconfirmed.fetch_add(1, Ordering::SeqCst);
                            }
                        }
                        Ok(_) => {}
                        Err(error) => {
                            tracing::warn!(%error, "a connection to PostgreSQL was lost");
                            return;
                        }
                    }
                }
            });
            Ok((client, task))
        })
    }
}
