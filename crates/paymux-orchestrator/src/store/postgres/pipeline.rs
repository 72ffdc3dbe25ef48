//! Statements that are sent together: one trip to the server for all of them.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::Poll,
};

use deadpool_postgres::ClientWrapper;
use futures_util::{FutureExt, TryStreamExt};
use tokio_postgres::{
    Error, Row, Statement,
    types::{IsNull, ToSql, Type, private::BytesMut},
};

use super::{
    fault::{Phase, Stop},
    patience::Patience,
};

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<Row>, Error>> + Send + 'a>>;

/// A parameter: the store has texts and numbers, and either may be missing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Text(Option<&'a str>),
    Number(Option<i64>),
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_sql_checked(ty, out)
    }

    /// What a text or a number cannot be is found out when it is written.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql_checked(ty, out),
            Self::Number(number) => number.to_sql_checked(ty, out),
        }
    }
}

/// Statements in the order in which the server shall run them.
pub(super) struct Pipeline<'a> {
    client: &'a ClientWrapper,
    answers: Vec<Answer<'a>>,
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(client: &'a ClientWrapper) -> Self {
        Self { client, answers: Vec::new() }
    }

    /// Adds a statement without parameters: `BEGIN` and `COMMIT`.
    pub(super) fn control(&mut self, sql: &'static str) {
        let client = self.client;
        self.answers.push(Box::pin(async move {
            client.batch_execute(sql).await?;
            Ok(Vec::new())
        }));
    }

    /// Adds a prepared statement.
    pub(super) fn add<const N: usize>(&mut self, statement: &'a Statement, values: [Value<'a>; N]) {
        self.answers.push(Box::pin(run(self.client, statement, values)));
    }

    /// Sends all of it, and gives the answers in the same order.
    ///
    /// # Errors
    /// When one before the last could not be sent, or was answered with an error before the next
    /// was sent: what stands behind it was not sent then, so that no commit keeps half a change.
    pub(super) async fn run(mut self) -> Result<Vec<Result<Vec<Row>, Error>>, Error> {
        let last = self.answers.len().saturating_sub(1);
        // A future of the driver sends its statement when it is polled first, so polling each once
        // sends them in order; only then is the first answer waited for.
        let mut early = Vec::with_capacity(self.answers.len());
        for (place, answer) in self.answers.iter_mut().enumerate() {
            let polled = poll_fn(|context| match answer.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending => Poll::Ready(None),
            });
            match polled.await {
                Some(Err(error)) if place < last => return Err(error),
                polled => early.push(polled),
            }
        }
        let mut results = Vec::with_capacity(early.len());
        for (answer, early) in self.answers.into_iter().zip(early) {
            results.push(match early {
                Some(result) => result,
                None => answer.await,
            });
        }
        Ok(results)
    }
}

/// A transaction that was begun by hand. Unless it is said to be over, it is rolled back when this
/// goes away, whoever drops it: the next user of the connection finds it free.
pub(super) struct Begun<'a> {
    client: &'a ClientWrapper,
    over: bool,
}

impl<'a> Begun<'a> {
    pub(super) fn on(client: &'a ClientWrapper) -> Self {
        Self { client, over: false }
    }

    /// The server has committed it.
    pub(super) fn over(mut self) {
        self.over = true;
    }

    /// Sends these writes with the commit behind them, and gives what each of them answered.
    ///
    /// # Errors
    /// With [`Phase::BeforeCommit`] when nothing is there: one was refused, or not sent.
    pub(super) async fn commit(
        self,
        doing: &'static str,
        patience: &Patience,
        mut writes: Pipeline<'_>,
    ) -> Result<Vec<Vec<Row>>, Stop> {
        writes.control("COMMIT");
        let sent = patience.commit(doing, self.client, writes.run()).await?;
        let mut answers = sent.map_err(Stop::before)?;
        let committed = answers.pop();
        let met = |error| Stop::Met(sent_with_commit(&error), error);
        let found = answers.into_iter().map(|answer| answer.map_err(met));
        let found = found.collect::<Result<Vec<_>, Stop>>()?;
        committed.transpose().map_err(|error| Stop::Met(Phase::Committing, error))?;
        self.over();
        Ok(found)
    }
}

/// Behind a statement that was refused the commit did nothing; behind one that was not answered
/// it may have.
pub(super) fn sent_with_commit(error: &Error) -> Phase {
    if error.as_db_error().is_some() { Phase::BeforeCommit } else { Phase::Committing }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.over {
            // Polled once, it is on its way, before whatever is sent next; nobody needs the answer.
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

/// Runs one prepared statement.
pub(super) async fn run<const N: usize>(
    client: &ClientWrapper,
    statement: &Statement,
    values: [Value<'_>; N],
) -> Result<Vec<Row>, Error> {
    client.query_raw(statement, values).await?.try_collect().await
}
