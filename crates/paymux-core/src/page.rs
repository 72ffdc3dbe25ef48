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
/// (`InvalidResponse`) after the page that names it, since the list would never end.
pub fn list_all_payments(
    provider: &dyn PaymentProvider,
    query: ListPayments,
) -> impl Stream<Item = Result<Payment>> + '_ {
    let seen: BTreeSet<Cursor> = query.cursor.iter().cloned().collect();
    stream::try_unfold(Some(Ok((query, seen))), move |state| async move {
        let Some(state) = state else { return Ok(None) };
        let (mut query, mut seen) = state?;
        let page = provider.list_payments(&query).await?;
        let next = page.next.map(|cursor| {
            if !seen.insert(cursor.clone()) {
                return Err(repeated_cursor(provider));
            }
            query.cursor = Some(cursor);
            Ok((query, seen))
        });
        Ok(Some((stream::iter(page.items.into_iter().map(Ok)), next)))
    })
    .try_flatten()
}

fn repeated_cursor(provider: &dyn PaymentProvider) -> Error {
    Error::new(ErrorKind::InvalidResponse, Effect::None, "the list names one page twice")
        .with_provider(provider.id())
        .with_operation(Operation::ListPayments)
}
