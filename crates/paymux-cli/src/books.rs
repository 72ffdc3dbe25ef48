//! The payments of a shop, as another process finds them: the store and the accounts beside it.

use std::{path::PathBuf, sync::Arc};

use paymux::{
    ErrorKind,
    orchestrator::{
        AccountPolicy, Orchestrator, PaymentId, PaymentRecord,
        routing::Routes,
        store::{PaymentQuery, sqlite::SqliteStore},
    },
};

use crate::{
    Stop,
    accounts::{self, Known, SandboxAccount, TIMEOUT},
};

/// How many payments are read at once.
const PAGE: u32 = 200;

#[derive(clap::Args)]
pub(crate) struct StoreArguments {
    /// The SQLite file that keeps the payments; the demo names the one it makes.
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
}

impl StoreArguments {
    /// The accounts of the store. The store itself may be in use.
    pub(crate) fn accounts(&self) -> Result<Vec<SandboxAccount>, Stop> {
        Ok(self.known()?.accounts)
    }

    /// The same with the rules of the shop.
    fn known(&self) -> Result<Known, Stop> {
        self.check()?;
        accounts::read(&self.store)
    }

    /// Opening a store makes it where it is not there; a command only reads what is.
    fn check(&self) -> Result<(), Stop> {
        if self.store.is_file() {
            return Ok(());
        }
        Err(format!("there is no store {}", self.store.display()).into())
    }
}

/// An orchestrator over a store that is there. It does nothing by itself.
pub(crate) struct Books {
    orchestrator: Orchestrator,
    store: Arc<SqliteStore>,
}

impl Books {
    pub(crate) fn open(arguments: &StoreArguments) -> Result<Self, Stop> {
        let known = arguments.known()?;
        let name = arguments.store.display();
        let store = SqliteStore::open(&arguments.store)
            .map_err(|error| format!("the store {name} cannot be opened: {error}"))?;
        let (store, http) = (Arc::new(store), accounts::http(TIMEOUT)?);
        let builder = Orchestrator::builder(store.clone()).node("command");
        // A decision may lead to another account: which, and whether it is paused, the shop says.
        let builder = match &known.routes {
            Some(routes) => builder.routes(Routes::from_toml(routes)?),
            None => builder,
        };
        let opened = known.accounts.iter().try_fold(builder, |builder, account| {
            Ok::<_, Stop>(builder.account_with(account.open(&http)?, AccountPolicy::default()))
        })?;
        // A call gets its own time and what the client needs around it.
        let orchestrator = opened.call_limit(TIMEOUT * 2).build()?;
        Ok(Self { orchestrator, store })
    }

    pub(crate) fn orchestrator(&self) -> &Orchestrator {
        &self.orchestrator
    }

    /// The payment with this id, or of this order.
    pub(crate) async fn find(&self, word: &str) -> Result<PaymentId, Stop> {
        if let Ok(id) = word.parse::<PaymentId>() {
            return match self.orchestrator.stored_payment(&id).await {
                Ok(record) => Ok(record.id),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    Err(format!("there is no payment {word} in this store").into())
                }
                Err(error) => Err(error.into()),
            };
        }
        let query = PaymentQuery { reference: Some(word.to_owned()), ..PaymentQuery::default() };
        let found = self.list(query).await?;
        match found.as_slice() {
            [] => Err(format!("there is no payment of an order {word} in this store").into()),
            [one] => Ok(one.id.clone()),
            several => {
                let ids: Vec<&str> = several.iter().map(|record| record.id.as_str()).collect();
                let ids = ids.join(", ");
                Err(format!("the order {word} has several payments; name one: {ids}").into())
            }
        }
    }

    /// All payments that are asked for, oldest first.
    pub(crate) async fn list(&self, mut query: PaymentQuery) -> Result<Vec<PaymentRecord>, Stop> {
        query.limit = PAGE;
        let mut all = Vec::new();
        loop {
            let page = self.orchestrator.list_payments(&query).await?;
            let Some(last) = page.last() else { return Ok(all) };
            query.after = Some(last.id.clone());
            all.extend(page);
        }
    }

    pub(crate) async fn close(self) {
        self.orchestrator.shutdown(TIMEOUT).await;
        self.store.close().await;
    }
}
