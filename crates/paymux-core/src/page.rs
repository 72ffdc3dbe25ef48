//! Lists: page by page, or as a stream.

use std::collections::BTreeSet;

use futures_core::Stream;
use futures_util::stream::{self, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::{
    Cursor, Effect, Error, ErrorKind, ListPayments, Operation, Payment, PaymentProvider, Result,
};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// Where the next page begins; none after the last.
    pub next: Option<Cursor>,
}

/// Every payment of a list, page after page, from the query's cursor on. A page is asked for when
/// the one before is used up.
///
/// The stream ends after the first error. A cursor that comes twice is an error
/// (`InvalidResponse`), since the list would never end.
pub fn list_all_payments(
    provider: &dyn PaymentProvider,
    query: ListPayments,
) -> impl Stream<Item = Result<Payment>> + '_ {
    let start = Some((query, BTreeSet::new()));
    stream::try_unfold(start, move |state| async move {
        let Some((mut query, mut seen)) = state else { return Ok(None) };
        let page = provider.list_payments(&query).await?;
        let next = match page.next {
            None => None,
            Some(cursor) if seen.insert(cursor.clone()) => {
                query.cursor = Some(cursor);
                Some((query, seen))
            }
            Some(_) => return Err(repeated_cursor(provider)),
        };
        Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
    })
    .try_flatten()
}

fn repeated_cursor(provider: &dyn PaymentProvider) -> Error {
    Error::new(ErrorKind::InvalidResponse, Effect::None, "the list names one page twice")
        .with_provider(provider.id())
        .with_operation(Operation::ListPayments)
}
