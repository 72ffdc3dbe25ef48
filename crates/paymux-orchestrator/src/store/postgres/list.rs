//! Lists of payments. Only the conditions that were asked for are in the statement, so that the
//! database can use the index that fits.

use tokio_postgres::types::ToSql;

use super::{PostgresStore, fault::Phase, rows, sql};
use crate::store::{PaymentQuery, PaymentRow, StoreResult};

const DOING: &str = "list payments";

/// The conditions of a list, and their values.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql + Sync + Send>>,
}

impl Conditions {
    /// Adds a condition whose value stands where `?` is.
    fn add(&mut self, condition: &str, value: impl ToSql + Sync + Send + 'static) {
        self.values.push(Box::new(value));
        let place = format!("${}", self.values.len());
        self.sql.push_str(if self.values.len() == 1 { " WHERE " } else { " AND " });
        self.sql.push_str(&condition.replace('?', &place));
    }
}

fn conditions(tenant: &str, query: &PaymentQuery) -> Conditions {
    let mut all = Conditions::default();
    all.add("tenant_id = ?", tenant.to_owned());
    if let Some(reference) = &query.reference {
        all.add("reference = ?", reference.clone());
    }
    if !query.statuses.is_empty() {
        let words: Vec<&'static str> =
            query.statuses.iter().map(|status| status.as_str()).collect();
        all.add("status = ANY(?)", words);
    }
    if let Some(in_doubt) = query.in_doubt {
        all.add("in_doubt = ?", rows::flag(in_doubt));
    } else if query.review == Some(true) {
        // Says nothing, and lets the index over both columns find the few.
        all.sql.push_str(" AND in_doubt IN (0, 1)");
    }
    if let Some(review) = query.review {
        all.add("review = ?", rows::flag(review));
    }
    if let Some(from) = query.created_from {
        all.add("created_at >= ?", from.as_millis());
    }
    if let Some(to) = query.created_to {
        all.add("created_at < ?", to.as_millis());
    }
    if let Some(after) = &query.after {
        all.add("payment_id > ?", after.as_str().to_owned());
    }
    all
}

impl PostgresStore {
    pub(super) async fn list_payments(&self, query: &PaymentQuery) -> StoreResult<Vec<PaymentRow>> {
        let conditions = conditions(&self.tenant, query);
        let sql = format!(
            "SELECT {} FROM payments{} ORDER BY payment_id LIMIT {}",
            sql::PAYMENT_COLUMNS,
            conditions.sql,
            query.limit
        );
        let client = self.client(DOING, Phase::BeforeCommit).await?;
        let values: Vec<&(dyn ToSql + Sync)> =
            conditions.values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        // Not prepared for good: there are more lists than are worth keeping.
        match self.patience.answer(DOING, client.query(&sql, &values)).await {
            Ok(rows) => rows.iter().map(rows::payment).collect(),
            Err(stop) => Err(client.part(DOING, stop).into()),
        }
    }
}
