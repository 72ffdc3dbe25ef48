//! Searches: transactions, payments, and what a wallet shows.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::Caller;
use super::errors::Refusal;
use super::money::{self, decimal};
use super::objects::{Beneficiary, Payment, Statement};
use super::operation::Call;
use super::state::State;
use super::users::OWN_WALLET;
use super::wire;
use crate::reply::Reply;

/// Rows of a page when nobody says.
const PAGE_SIZE: i64 = 20;
const MAX_PAGE_SIZE: i64 = 200;

impl Call<'_> {
    fn asked(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let number = self.asked(name).map(str::parse).transpose();
        number.map_err(|_| Refusal::invalid(name, format!("{name} must be an integer")))
    }

    fn words(&self, name: &str) -> Vec<&str> {
        self.asked(name).map(|text| text.split(',').collect()).unwrap_or_default()
    }

    fn currency(&self) -> Result<&str, Refusal> {
        let currency = self.asked("currency").unwrap_or("EUR");
        if money::is_currency(currency) {
            return Ok(currency);
        }
        Err(Refusal::invalid("currency", "Currency must be 3-letter code (e.g., EUR)"))
    }

    /// The wallet that a path names: an id or `me`.
    pub(super) fn wallet(&self, state: &State, text: &str) -> Result<i64, Refusal> {
        let wallet = match (text, &self.caller) {
            ("me", Caller::User { wallet, .. }) => *wallet,
            ("me", Caller::Client) => OWN_WALLET,
            (id, _) => id.parse().map_err(|_| Refusal::NotFound)?,
        };
        if state.users.contains_key(&wallet) { Ok(wallet) } else { Err(Refusal::NotFound) }
    }

    /// Reading a wallet takes its own rights: the client has them for the merchant's wallet only,
    /// a token for its user's.
    fn own_wallet(&self, state: &State, text: &str) -> Result<i64, Refusal> {
        let wallet = self.wallet(state, text)?;
        let own = match &self.caller {
            Caller::Client => wallet == OWN_WALLET,
            Caller::User { wallet: users, .. } => wallet == *users,
        };
        if own { Ok(wallet) } else { Err(Refusal::Forbidden) }
    }
}

/// One page of rows, which are newest first.
fn page<T>(
    call: &Call<'_>,
    name: &str,
    rows: &[T],
    show: impl Fn(&T) -> Value,
) -> Result<Reply, Refusal> {
    let limit = call.number("limit")?.unwrap_or(PAGE_SIZE);
    let offset = call.number("offset")?.unwrap_or(0);
    if !(1..=MAX_PAGE_SIZE).contains(&limit) {
        return Err(Refusal::invalid("limit", "limit must be between 1 and 200"));
    }
    if offset < 0 {
        return Err(Refusal::invalid("offset", "offset must be at least 0"));
    }
    let position = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let shown = rows.iter().skip(position(offset)).take(position(limit));
    let rows_shown: Vec<Value> = shown.map(show).collect();
    let metadata = json!({"total": rows.len(), "offset": offset, "limit": limit});
    Ok(Reply::json(StatusCode::OK, &json!({name: rows_shown, "_metadata": metadata})))
}

/// Whether a time lies between `from` and `to`, both included.
fn is_between(at: Timestamp, from: Option<i64>, to: Option<i64>) -> bool {
    let at = at.as_second();
    from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
}

pub(super) fn transactions(state: &State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let statuses = call.words("status");
    let [wallet, from, to, project, location] =
        ["wallet", "from", "to", "project_id", "location_id"].map(|name| call.number(name));
    let (wallet, from, to, project, location) = (wallet?, from?, to?, project?, location?);
    let rows: Vec<_> = state
        .transactions
        .newest_first()
        .filter(|it| {
            let word = it.status.of_transaction(state.settings.words);
            (statuses.is_empty() || statuses.contains(&word))
                && (wallet.is_none() || it.wallet == wallet)
                && is_between(it.created_at, from, to)
                && project.is_none_or(|project| it.terms.project_id == project)
                && (location.is_none() || it.terms.location_id == location)
        })
        .collect();
    page(call, "transactions", &rows, |it| wire::transaction(state, it))
}

fn found_payments<'a>(state: &'a State, call: &Call<'_>) -> Result<Vec<&'a Payment>, Refusal> {
    let statuses = call.words("status");
    let wallet = call.number("wallet")?;
    // `none` finds payments to somebody without a wallet.
    let beneficiary = match call.asked("beneficiary") {
        None => None,
        Some("none") => Some(None),
        Some(_) => Some(call.number("beneficiary")?),
    };
    let rows = state.payments.newest_first().filter(|it| {
        let own = match it.terms.beneficiary {
            Beneficiary::Id(id) => Some(id),
            Beneficiary::Email(_) | Beneficiary::Phone(_) => None,
        };
        (statuses.is_empty() || statuses.contains(&wire::payment_status(state, it)))
            && (wallet.is_none() || it.payer == wallet)
            && beneficiary.is_none_or(|wanted| own == wanted)
    });
    Ok(rows.collect())
}

pub(super) fn payments(state: &State, call: &Call<'_>) -> Result<Reply, Refusal> {
    page(call, "payments", &found_payments(state, call)?, |it| wire::payment(state, it))
}

/// A bare list, oldest first.
pub(super) fn payment_ids(state: &State, call: &Call<'_>) -> Result<Reply, Refusal> {
    let mut ids: Vec<i64> = found_payments(state, call)?.iter().map(|it| it.id).collect();
    ids.reverse();
    Ok(Reply::json(StatusCode::OK, &ids))
}

pub(super) fn balance(state: &State, call: &Call<'_>, wallet: &str) -> Result<Reply, Refusal> {
    let wallet = call.own_wallet(state, wallet)?;
    let user = state.users.get(&wallet).ok_or(Refusal::NotFound)?;
    let balances = user.holds.iter().map(|(currency, it)| {
        let shown = json!({
            "at_disposal": it.at_disposal,
            "reserved": it.reserved,
            "at_disposal_decimal": decimal(it.at_disposal),
            "reserved_decimal": decimal(it.reserved),
        });
        (currency.clone(), shown)
    });
    Ok(Reply::json(StatusCode::OK, &balances.collect::<serde_json::Map<_, _>>()))
}

pub(super) fn sufficient_amount(
    state: &State,
    call: &Call<'_>,
    wallet: &str,
) -> Result<Reply, Refusal> {
    let wallet = call.own_wallet(state, wallet)?;
    if let Caller::User { scopes, .. } = &call.caller
        && !scopes.iter().any(|scope| scope == "check_has_sufficient_balance")
    {
        return Err(Refusal::Forbidden);
    }
    let amount = call.number("amount")?;
    let amount = amount.ok_or_else(|| Refusal::invalid("amount", "amount must be provided"))?;
    let user = state.users.get(&wallet).ok_or(Refusal::NotFound)?;
    let is_sufficient = user.at_disposal(call.currency()?) >= amount;
    Ok(Reply::json(StatusCode::OK, &json!({"is_sufficient": is_sufficient})))
}

pub(super) fn allowance_limit(
    state: &State,
    call: &Call<'_>,
    wallet: &str,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    let (wallet, currency) = (call.wallet(state, wallet)?, call.currency()?);
    let amount = state.allowance_limit(wallet, currency, now)?;
    let body = json!({"amount": amount, "amount_decimal": decimal(amount), "currency": currency});
    Ok(Reply::json(StatusCode::OK, &body))
}

pub(super) fn statements(state: &State, call: &Call<'_>, wallet: &str) -> Result<Reply, Refusal> {
    let wallet = call.own_wallet(state, wallet)?;
    let currencies = call.words("currency");
    let [from, to, before, after] = ["from", "to", "before", "after"].map(|name| call.number(name));
    let (from, to, before, after) = (from?, to?, before?, after?);
    let incoming = match call.asked("direction") {
        None => None,
        Some("in") => Some(true),
        Some("out") => Some(false),
        Some(_) => return Err(Refusal::invalid("direction", "direction must be in or out")),
    };
    let text = call.asked("text");
    let rows: Vec<&Statement> = state
        .statements
        .iter()
        .rev()
        .filter(|it| {
            it.wallet == wallet
                && (currencies.is_empty() || currencies.contains(&it.currency.as_str()))
                && incoming.is_none_or(|incoming| it.incoming == incoming)
                && text.is_none_or(|text| it.details.contains(text))
                && is_between(it.at, from, to)
                && before.is_none_or(|before| it.id > before)
                && after.is_none_or(|after| it.id < after)
        })
        .collect();
    page(call, "statements", &rows, |it| statement(state, it))
}

fn statement(state: &State, it: &Statement) -> Value {
    let other = it.other.and_then(|wallet| Some((wallet, state.users.get(&wallet)?)));
    let other = other.map(|(wallet, user)| {
        json!({"display_name": user.is.name, "account_number": format!("EVP{wallet:013}")})
    });
    json!({
        "id": it.id,
        "amount": it.amount,
        "amount_decimal": decimal(it.amount),
        "currency": it.currency,
        "direction": if it.incoming { "in" } else { "out" },
        "date": it.at.as_second(),
        "type": "transfer",
        "details": it.details,
        "transfer_id": it.payment,
        "other_party": other,
    })
}

/// Payments to or from a wallet whose money is under way.
pub(super) fn pending_payments(
    state: &State,
    call: &Call<'_>,
    wallet: &str,
) -> Result<Reply, Refusal> {
    let wallet = call.own_wallet(state, wallet)?;
    let rows: Vec<&Payment> =
        state.payments.newest_first().filter(|it| is_pending(it, wallet)).collect();
    page(call, "pending_payments", &rows, |it| wire::payment(state, it))
}

fn is_pending(it: &Payment, wallet: i64) -> bool {
    let under_way = it.status.is_open_acceptance() || it.status == super::status::Status::Confirmed;
    let concerns = it.payer == Some(wallet) || it.terms.beneficiary == Beneficiary::Id(wallet);
    under_way && concerns
}

/// Finds a pending payment that a caller may give back.
pub(super) fn pending_payment(
    state: &State,
    call: &Call<'_>,
    wallet: &str,
    id: i64,
) -> Result<i64, Refusal> {
    let wallet = call.own_wallet(state, wallet)?;
    if is_pending(state.payment(id)?, wallet) { Ok(id) } else { Err(Refusal::NotFound) }
}
