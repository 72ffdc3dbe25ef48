//! Carries calls out: reads the request, changes the state, shows the result.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::objects::Span;
use super::operation::{Call, Operation};
use super::read::{self, Reader};
use super::reservation;
use super::state::{Moment, State};
use super::status::Status;
use super::transactions::By;
use super::{lists, validate, validate_payment, wire};
use crate::reply::Reply;

/// Carries a call out.
pub(super) fn run(
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    let [first, second] = call.ids;
    let number = |text: &str| text.parse::<i64>().map_err(|_| Refusal::NotFound);
    let now = moment.now;
    match call.operation {
        // Answered before anybody is asked who they are.
        Operation::GetServer => Err(Refusal::NotFound),
        Operation::CreateTransaction => create_transaction(state, call, moment),
        Operation::GetTransaction => {
            Ok(shown(&wire::transaction(state, state.transaction(first)?)))
        }
        Operation::ConfirmTransaction => confirm(state, call, first, now),
        Operation::RevokeTransaction => {
            state.revoke(first)?;
            changed_transaction(state, first)
        }
        Operation::ReserveTransactionWithWallet => {
            let wallet = call.wallet(state, second)?;
            reservation::reserve(state, call, first, Some(wallet), now)?;
            changed_transaction(state, first)
        }
        Operation::ReserveTransaction => {
            reservation::reserve(state, call, first, None, now)?;
            changed_transaction(state, first)
        }
        Operation::SendFlash => {
            let wallet = call.wallet(state, second)?;
            reservation::send_flash(state, first, wallet, moment)?;
            changed_transaction(state, first)
        }
        Operation::GetAvailableTypes => reservation::available_types(state, first),
        Operation::GetTypesForWallet => {
            let wallet = call.wallet(state, second)?;
            reservation::types_for_wallet(state, first, wallet)
        }
        Operation::GetInquiredInformation => {
            state.transaction(first)?;
            Ok(shown(&json!({"items": []})))
        }
        Operation::RequestTransaction => reservation::request(state, call, first),
        Operation::ListTransactions => lists::transactions(state, call),
        Operation::CreatePayment => create_payment(state, call, moment),
        Operation::GetPayment => Ok(shown(&wire::payment(state, state.payment(number(first)?)?))),
        Operation::FinalizePayment => finalize(state, call, number(first)?, moment),
        Operation::CancelPayment => cancel_payment(state, number(first)?),
        Operation::ChangeFreeze => change_freeze(state, call, number(first)?, moment),
        Operation::ProvidePassword => provide_password(state, call, number(first)?, now),
        Operation::ResendPassword => {
            state.resend_password(number(first)?)?;
            changed_payment(state, number(first)?)
        }
        Operation::ListPaymentIds => lists::payment_ids(state, call),
        Operation::ListPayments => lists::payments(state, call),
        Operation::CreateAllowance
        | Operation::GetAllowance
        | Operation::CancelAllowance
        | Operation::GetActiveAllowance
        | Operation::CancelActiveAllowance
        | Operation::GetAllowanceLimit => run_allowance(state, call, moment),
        Operation::CheckSufficientAmount => lists::sufficient_amount(state, call, first),
        Operation::GetBalance => lists::balance(state, call, first),
        Operation::ListStatements => lists::statements(state, call, first),
        Operation::ListPendingPayments => lists::pending_payments(state, call, first),
        Operation::CancelPendingPayment => {
            let id = lists::pending_payment(state, call, first, number(second)?)?;
            cancel_payment(state, id)
        }
    }
}

fn run_allowance(state: &mut State, call: &Call<'_>, moment: Moment<'_>) -> Result<Reply, Refusal> {
    let [first, _] = call.ids;
    let id = || first.parse::<i64>().map_err(|_| Refusal::NotFound);
    let active = |state: &State| {
        let wallet = call.wallet(state, first)?;
        state.active_allowance(wallet).map(|it| it.id).ok_or(Refusal::NotFound)
    };
    let operation = call.operation;
    if operation == Operation::GetAllowanceLimit {
        return lists::allowance_limit(state, call, first, moment.now);
    }
    let id = if operation == Operation::CreateAllowance {
        create_allowance(state, call, moment)?
    } else if matches!(operation, Operation::GetActiveAllowance | Operation::CancelActiveAllowance)
    {
        active(state)?
    } else {
        id()?
    };
    if matches!(operation, Operation::CancelAllowance | Operation::CancelActiveAllowance) {
        state.cancel_allowance(id, moment.now)?;
    }
    Ok(shown(&wire::allowance(state, state.allowance(id)?)))
}

fn shown(body: &Value) -> Reply {
    Reply::json(StatusCode::OK, body)
}

/// What a call that changed something answers with.
fn changed(state: &State, body: &Value) -> Reply {
    if state.settings.empty_answers { shown(&json!({})) } else { shown(body) }
}

fn changed_transaction(state: &State, key: &str) -> Result<Reply, Refusal> {
    Ok(changed(state, &wire::transaction(state, state.transaction(key)?)))
}

fn changed_payment(state: &State, id: i64) -> Result<Reply, Refusal> {
    Ok(changed(state, &wire::payment(state, state.payment(id)?)))
}

fn confirm(
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    let prices = prices(state, call, key)?;
    state.confirm(key, &prices, now)?;
    changed_transaction(state, key)
}

fn provide_password(
    state: &mut State,
    call: &Call<'_>,
    id: i64,
    now: Timestamp,
) -> Result<Reply, Refusal> {
    let members = read::object(call.headers, call.body)?;
    let mut reader = Reader::new(&members, "");
    let password = reader.filled("password");
    if password.is_none() && reader.wrong.is_empty() {
        reader.refuse("password", "Password must be provided");
    }
    let password = reader.finish(password)?;
    state.give_password(id, &password, By::Client, now)?;
    changed_payment(state, id)
}

fn cancel_payment(state: &mut State, id: i64) -> Result<Reply, Refusal> {
    state.cancel_payment(id)?;
    changed_payment(state, id)
}

fn create_transaction(
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    let members = read::object(call.headers, call.body)?;
    let new = validate::transaction(&state.settings, &members, &call.ext, moment.now)?;
    let key = state.create_transaction(new, moment)?;
    Ok(shown(&wire::transaction(state, state.transaction(&key)?)))
}

/// A transaction around one part, made by another call.
fn wrap(
    state: &mut State,
    member: &str,
    part: Value,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<String, Refusal> {
    let members = Map::from_iter([(member.to_owned(), part)]);
    let new = validate::transaction(&state.settings, &members, &call.ext, moment.now)?;
    state.create_transaction(new, moment)
}

fn create_payment(
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    if !state.settings.standalone_payments {
        return Err(Refusal::NotFound);
    }
    let members = read::object(call.headers, call.body)?;
    validate_payment::terms(&state.settings, &members, "", moment.now)?;
    let key = wrap(state, "payments", json!([members]), call, moment)?;
    let id = state.transaction(&key)?.payments.first().copied().ok_or(Refusal::NotFound)?;
    Ok(shown(&wire::payment(state, state.payment(id)?)))
}

fn create_allowance(
    state: &mut State,
    call: &Call<'_>,
    moment: Moment<'_>,
) -> Result<i64, Refusal> {
    let members = read::object(call.headers, call.body)?;
    validate::allowance(&state.settings, &members, "", moment.now)?;
    let key = wrap(state, "allowance", json!({"data": members}), call, moment)?;
    state.transaction(&key)?.allowance.ok_or(Refusal::NotFound)
}

/// Reads the price of an object, whose currency may be repeated.
fn price(state: &State, id: i64, reader: &mut Reader<'_>) -> Option<i64> {
    let price = if reader.has("price") && reader.has("price_decimal") {
        let decimal = reader.text("price_decimal").and_then(super::money::cents);
        let price = reader.at_least("price", 1);
        if decimal != price {
            reader.refuse("price_decimal", "Price and price_decimal differ");
        }
        price
    } else {
        reader.cents("price", 1)
    };
    let currency = reader.currency("currency");
    let own = state.payment(id).ok().map(|it| it.terms.currency.as_str());
    if currency.is_some() && currency.as_deref() != own {
        reader.refuse("currency", "Currency of the payment is another");
    }
    price
}

/// The lower prices of a confirmation: a map by payment id.
fn prices(state: &State, call: &Call<'_>, key: &str) -> Result<Vec<(i64, i64)>, Refusal> {
    let transaction = state.transaction(key)?;
    if transaction.status != Status::Accepted {
        return Err(Refusal::InvalidState);
    }
    let members = read::object(call.headers, call.body)?;
    let mut prices = Vec::new();
    for (name, value) in &members {
        let id = name.parse().ok().filter(|id| transaction.payments.contains(id));
        let (Some(id), Value::Object(inner)) = (id, value) else {
            return Err(Refusal::invalid(name, "No such payment in this transaction"));
        };
        let mut reader = Reader::new(inner, name);
        let lower = price(state, id, &mut reader);
        if lower.is_none() && reader.wrong.is_empty() {
            reader.refuse("price", "Price must be provided");
        }
        let lower = reader.finish(lower)?;
        state.check_lower_price(id, lower, &format!("{name}.price"))?;
        prices.push((id, lower));
    }
    Ok(prices)
}

fn finalize(
    state: &mut State,
    call: &Call<'_>,
    id: i64,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    state.payment(id)?;
    let members = read::object(call.headers, call.body)?;
    let mut reader = Reader::new(&members, "");
    let lower = price(state, id, &mut reader);
    let lower = reader.finish(Some(lower))?;
    state.finalize(id, lower, moment.now)?;
    changed_payment(state, id)
}

fn change_freeze(
    state: &mut State,
    call: &Call<'_>,
    id: i64,
    moment: Moment<'_>,
) -> Result<Reply, Refusal> {
    state.payment(id)?;
    let members = read::object(call.headers, call.body)?;
    let lifts = members.get("freeze_until").and_then(Value::as_i64) == Some(0);
    let freeze: Option<Span> = if lifts {
        None
    } else {
        let mut reader = Reader::new(&members, "");
        let flat = validate::flat(&state.settings);
        let span = validate::span(&mut reader, "freeze", flat, moment.now);
        if span.is_none() && reader.wrong.is_empty() {
            reader.refuse("freeze", "freeze must be provided");
        }
        Some(reader.finish(span)?)
    };
    state.change_freeze(id, freeze, moment.now)?;
    changed_payment(state, id)
}
