//! The ways in which a client accepts for a payer who stands before it.

use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::errors::Refusal;
use super::objects::Beneficiary;
use super::operation::Call;
use super::read::{self, Reader};
use super::state::{Moment, State};
use super::status::Status;
use super::transactions::Acceptance;
use crate::reply::Reply;

/// What a payer proves themselves with.
#[derive(Debug)]
enum Proof {
    Pin(String),
    Sms(String),
    /// Nothing but who they are: an allowance has to cover it.
    Allowance,
}

/// `PUT /transaction/{key}/reserve`, and the form with a wallet in its path, which goes by the
/// wallet's allowance unless the body has something better, as the official client sends it.
pub(super) fn reserve(
    state: &mut State,
    call: &Call<'_>,
    key: &str,
    wallet: Option<i64>,
    now: Timestamp,
) -> Result<(), Refusal> {
    if state.transaction(key)?.status != Status::New {
        return Err(Refusal::InvalidState);
    }
    let members = read::object(call.headers, call.body)?;
    let mut reader = Reader::new(&members, "");
    let code = reader.filled("code").or_else(|| reader.filled("reservation_code"));
    if let Some(code) = code {
        let code = reader.finish(Some(code))?;
        let owner =
            state.users.iter().find(|(_, user)| user.is.reservation_code.as_ref() == Some(&code));
        let wallet = owner.map(|(wallet, _)| *wallet);
        let wallet =
            wallet.ok_or_else(|| Refusal::invalid("code", "Reservation code is not right"))?;
        return state.accept(key, Acceptance::by_client(wallet, "reservation_code"), now);
    }
    let wallet = wallet.or_else(|| payer(state, &mut reader));
    let proof = match reader.filled("pin_code").or_else(|| reader.filled("pin")) {
        Some(pin) => Proof::Pin(pin),
        None => reader.filled("sms_code").map_or(Proof::Allowance, Proof::Sms),
    };
    let (wallet, proof) = reader.finish(wallet.map(|wallet| (wallet, proof)))?;
    match proof {
        Proof::Pin(pin) => {
            let expected = state.users.get(&wallet).and_then(|user| user.is.pin.as_ref());
            if expected != Some(&pin) {
                return Err(Refusal::invalid("pin_code", "PIN is not right"));
            }
            state.accept(key, Acceptance::by_client(wallet, "pin"), now)
        }
        Proof::Sms(code) => {
            if state.transaction(key)?.sms_code.as_ref() != Some(&code) {
                return Err(Refusal::invalid("sms_code", "SMS code is not right"));
            }
            state.accept(key, Acceptance::by_client(wallet, "flash"), now)
        }
        Proof::Allowance => state.reserve_under_allowance(key, wallet, now),
    }
}

/// The wallet that `wallet_id` or `payer` names.
fn payer(state: &State, reader: &mut Reader<'_>) -> Option<i64> {
    let id = match reader.object("payer") {
        Some(members) => {
            let mut inner = Reader::new(members, "payer");
            let by = identity(&mut inner, "id");
            reader.wrong.append(&mut inner.wrong);
            by
        }
        None => reader.integer("wallet_id").map(Beneficiary::Id),
    };
    let found = id.and_then(|by| state.find_wallet(&by));
    if found.is_none() && reader.wrong.is_empty() {
        reader.refuse("payer", "No such payer");
    }
    found
}

fn identity(reader: &mut Reader<'_>, id: &str) -> Option<Beneficiary> {
    if let Some(id) = reader.integer(id) {
        return Some(Beneficiary::Id(id));
    }
    if let Some(email) = reader.filled("email") {
        return Some(Beneficiary::Email(email));
    }
    reader.filled("phone").map(Beneficiary::Phone)
}

/// Sends the payer a code; the sandbox shows it in its state.
pub(super) fn send_flash(
    state: &mut State,
    key: &str,
    wallet: i64,
    moment: Moment<'_>,
) -> Result<(), Refusal> {
    if state.users.get(&wallet).is_none_or(|user| user.is.phone.is_none()) {
        return Err(Refusal::invalid("wallet", "The payer has no phone"));
    }
    let transaction = state.transaction_mut(key)?;
    if transaction.status != Status::New {
        return Err(Refusal::InvalidState);
    }
    transaction.sms_code = Some(moment.random.short_id("").chars().take(6).collect());
    Ok(())
}

/// Asks a user to pay; the sandbox only checks that there is one.
pub(super) fn request(state: &State, call: &Call<'_>, key: &str) -> Result<Reply, Refusal> {
    if state.transaction(key)?.status != Status::New {
        return Err(Refusal::InvalidState);
    }
    let members = read::object(call.headers, call.body)?;
    let mut reader = Reader::new(&members, "");
    let who = identity(&mut reader, "user_id");
    if who.is_none() && reader.wrong.is_empty() {
        reader.refuse("user_id", "Give user_id, email or phone");
    }
    let who = reader.finish(who)?;
    match state.find_wallet(&who) {
        Some(_) => Ok(Reply::json(StatusCode::OK, &json!({}))),
        None => Err(Refusal::invalid("user_id", "No such user")),
    }
}

pub(super) fn available_types(state: &State, key: &str) -> Result<Reply, Refusal> {
    if state.transaction(key)?.status != Status::New {
        return Err(Refusal::InvalidState);
    }
    Ok(Reply::json(StatusCode::OK, &json!({"types": ["page", "sms", "pin"]})))
}

/// The older list: what this wallet can do.
pub(super) fn types_for_wallet(state: &State, key: &str, wallet: i64) -> Result<Reply, Refusal> {
    let transaction = state.transaction(key)?;
    if transaction.status != Status::New {
        return Err(Refusal::InvalidState);
    }
    let user = state.users.get(&wallet).ok_or(Refusal::NotFound)?;
    let usable = transaction.terms.use_allowance || transaction.terms.charge.is_some();
    let types = [
        ("automatic", usable && state.active_allowance(wallet).is_some()),
        ("flash", user.is.phone.is_some()),
        ("page", true),
        ("pin", user.is.pin.is_some()),
        ("reservation_code", user.is.reservation_code.is_some()),
    ];
    let types: Vec<&str> = types.iter().filter(|(_, can)| *can).map(|(word, _)| *word).collect();
    Ok(Reply::json(StatusCode::OK, &types))
}
