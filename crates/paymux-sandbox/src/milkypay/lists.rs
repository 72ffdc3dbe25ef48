//! Lists of the private API: services by page numbers, invoices by cursors.

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use super::MilkyPay;
use super::errors::Refusal;
use super::objects::Invoice;
use super::private::{self, InvoiceAttributes, Resource, Shown};
use super::services;
use super::settings::ReferenceLookup;
use super::state::State;
use super::wire::{Enveloped, Style};
use crate::reply::Reply;

/// Rows of a page when nobody says, as in the samples.
const PAGE_SIZE: usize = 20;
const MAX_PAGE_SIZE: usize = 100;

#[derive(Serialize)]
struct List<M, L, D> {
    meta: M,
    links: L,
    data: Vec<D>,
}

fn find<'a>(query: &'a [(String, String)], name: &str) -> Option<&'a str> {
    query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// A positive number from the query.
fn number(query: &[(String, String)], name: &str, usual: usize) -> Result<usize, Refusal> {
    match find(query, name).map(str::parse::<usize>) {
        None => Ok(usual),
        Some(Ok(number)) if number > 0 => Ok(number),
        Some(_) => Err(Refusal::BadRequest),
    }
}

fn page_size(query: &[(String, String)]) -> Result<usize, Refusal> {
    Ok(number(query, "page[size]", PAGE_SIZE)?.min(MAX_PAGE_SIZE))
}

pub(super) fn services(state: &State, query: &[(String, String)]) -> Result<Reply, Refusal> {
    #[derive(Serialize)]
    struct Meta {
        total: usize,
        pages: usize,
        page: usize,
    }
    #[derive(Serialize)]
    struct Links {
        first: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        prev: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<String>,
        last: String,
    }
    let (page, size) = (number(query, "page[number]", 1)?, page_size(query)?);
    let total = state.services.len();
    let pages = total.div_ceil(size).max(1);
    let path = private::path(state, "payment-services");
    let link = |page: usize| format!("{path}?page[number]={page}&page[size]={size}");
    let rows = state.services.iter().skip((page - 1).saturating_mul(size)).take(size);
    let list = List {
        meta: Meta { total, pages, page },
        links: Links {
            first: link(1),
            prev: (page > 1).then(|| link(page - 1)),
            next: (page < pages).then(|| link(page + 1)),
            last: link(pages),
        },
        data: rows.map(|(code, service)| private::service(state, code, service)).collect(),
    };
    Ok(Style::of(&state.settings).reply(StatusCode::OK, &list))
}

pub(super) fn service(state: &State, id: &str) -> Result<Reply, Refusal> {
    let found = state.services.iter().find(|(code, _)| services::row_id(code) == id);
    let (code, service) = found.ok_or(Refusal::NotFound)?;
    let data = private::service(state, code, service);
    Ok(Style::of(&state.settings).reply(StatusCode::OK, &Enveloped { data }))
}

pub(super) fn invoices(
    milkypay: &MilkyPay,
    state: &State,
    query: &[(String, String)],
) -> Result<Reply, Refusal> {
    let size = page_size(query)?;
    if let Some(reference) = find(query, "filter[reference_id]") {
        let found = state.references.get(reference).and_then(|id| state.invoices.get(id));
        if state.settings.reference_lookup == ReferenceLookup::Single {
            let data = row(milkypay, state, found.ok_or(Refusal::NotFound)?);
            return Ok(Style::of(&state.settings).reply(StatusCode::OK, &Enveloped { data }));
        }
        let rows: Vec<&Invoice> = found.into_iter().collect();
        return Ok(page(milkypay, state, &rows, size, [false, false]));
    }
    let all = state.invoices.rows();
    let position = |name: &str| match find(query, name) {
        None => Ok(None),
        Some(id) => state.invoices.position(id).map(Some).ok_or(Refusal::BadRequest),
    };
    // Positions count from the oldest: `before` asks for older rows, `after` for newer ones.
    let (start, end) = match (position("page[before]")?, position("page[after]")?) {
        (Some(before), _) => (before.saturating_sub(size), before),
        (None, Some(after)) => (after + 1, (after + 1 + size).min(all.len())),
        (None, None) => (all.len().saturating_sub(size), all.len()),
    };
    let rows: Vec<&Invoice> = all.get(start..end).unwrap_or_default().iter().rev().collect();
    Ok(page(milkypay, state, &rows, size, [end < all.len(), start > 0]))
}

fn row<'a>(
    milkypay: &MilkyPay,
    state: &State,
    invoice: &'a Invoice,
) -> Resource<InvoiceAttributes<'a>> {
    private::invoice(state, invoice, &Shown::Read(milkypay.callback_logs(&invoice.id)))
}

/// One page, newest first. A link is empty where there is nothing more.
fn page(
    milkypay: &MilkyPay,
    state: &State,
    rows: &[&Invoice],
    size: usize,
    [newer, older]: [bool; 2],
) -> Reply {
    #[derive(Serialize)]
    struct Meta {
        count: usize,
        size: usize,
        before: Value,
        after: Value,
    }
    #[derive(Serialize)]
    struct Links {
        prev: String,
        next: String,
    }
    let path = private::path(state, "payment-invoices");
    let link = |wanted: bool, cursor: &str, row: Option<&&Invoice>| match row {
        Some(row) if wanted => format!("{path}?page[size]={size}&page[{cursor}]={}", row.id),
        Some(_) | None => String::new(),
    };
    let list = List {
        meta: Meta {
            count: rows.len(),
            size,
            before: rows.last().map(|row| row.id.as_str()).into(),
            after: rows.first().map(|row| row.id.as_str()).into(),
        },
        links: Links {
            prev: link(newer, "after", rows.first()),
            next: link(older, "before", rows.last()),
        },
        data: rows.iter().map(|invoice| row(milkypay, state, invoice)).collect(),
    };
    Style::of(&state.settings).reply(StatusCode::OK, &list)
}
