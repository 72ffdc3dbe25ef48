//! The calls of the API, and the state behind each.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::errors::Refusal;
use super::objects::{PaymentStatus, RefundStatus, SessionStatus};
use super::state::{Moment, State};
use super::validate::{self, Page, required};
use super::wire;

/// One call of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreateSession,
    CancelSession,
    GetSession,
    GetSessionStatus,
    ListSessions,
    GetPayment,
    ListPayments,
    CompletePayment,
    CancelPayment,
    GetTopup,
    ListTopups,
    CreateRefund,
    GetRefund,
    ListRefunds,
}

/// Refund lists are shorter by default than the others.
const REFUNDS_PER_PAGE: u32 = 50;
const PER_PAGE: u32 = 100;

impl Operation {
    pub(super) const ALL: [(Operation, &'static str, &'static str); 14] = [
        (Operation::CreateSession, "PaymentService", "CreateSession"),
        (Operation::CancelSession, "PaymentService", "CancelSession"),
        (Operation::GetSession, "PaymentService", "GetSession"),
        (Operation::GetSessionStatus, "PaymentService", "GetSessionStatus"),
        (Operation::ListSessions, "PaymentService", "ListSessions"),
        (Operation::GetPayment, "PaymentService", "GetPayment"),
        (Operation::ListPayments, "PaymentService", "ListPayments"),
        (Operation::CompletePayment, "PaymentService", "CompletePayment"),
        (Operation::CancelPayment, "PaymentService", "CancelPayment"),
        (Operation::GetTopup, "PaymentService", "GetTopup"),
        (Operation::ListTopups, "PaymentService", "ListTopups"),
        (Operation::CreateRefund, "RefundService", "CreateRefund"),
        (Operation::GetRefund, "RefundService", "GetRefund"),
        (Operation::ListRefunds, "RefundService", "ListRefunds"),
    ];

    /// The names alone.
    pub(super) const NAMES: [&'static str; 14] = {
        let mut names = [""; 14];
        let mut index = 0;
        while index < names.len() {
            names[index] = Operation::ALL[index].2;
            index += 1;
        }
        names
    };

    pub(super) fn find(service: &str, method: &str) -> Option<(Operation, &'static str)> {
        let found = Operation::ALL.into_iter().find(|(_, s, m)| *s == service && *m == method);
        found.map(|(operation, _, name)| (operation, name))
    }

    /// Whether the call changes something and so takes an `Idempotency-Key`.
    pub(super) fn mutates(self) -> bool {
        matches!(
            self,
            Operation::CreateSession
                | Operation::CancelSession
                | Operation::CompletePayment
                | Operation::CancelPayment
                | Operation::CreateRefund
        )
    }

    /// Carries the call out; the answer is the text of a JSON object.
    pub(super) fn run(
        self,
        state: &mut State,
        request: Value,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        match self {
            Operation::CreateSession => create_session(state, request, moment),
            Operation::CancelSession => {
                state.cancel_session(&id(request)?, moment.now)?;
                Ok("{}".to_owned())
            }
            Operation::GetSession => {
                let session = state.session(&id(request)?)?;
                let wrapped = state.settings.wrapped;
                write("session", &wire::session(session, wrapped), wrapped)
            }
            Operation::GetSessionStatus => {
                let session = state.session(&id(request)?)?;
                text(&SessionStatusAnswer { id: &session.id, status: session.status })
            }
            Operation::ListSessions => list_sessions(state, request),
            Operation::GetPayment => {
                let request: wire::ById = read(request)?;
                let extra = request.with_extra_data.unwrap_or_default();
                let payment = state.payment(&required("id", request.id)?)?;
                write("payment", &wire::payment(payment, extra), state.settings.wrapped)
            }
            Operation::ListPayments => list_payments(state, request),
            Operation::CompletePayment => {
                state.complete_payment(&id(request)?, moment.now)?;
                Ok("{}".to_owned())
            }
            Operation::CancelPayment => {
                state.cancel_payment(&id(request)?, moment.now)?;
                Ok("{}".to_owned())
            }
            // The one read that the specification itself shows wrapped.
            Operation::GetTopup => write("topup", &wire::topup(state.topup(&id(request)?)?), true),
            Operation::ListTopups => list_topups(state, request),
            Operation::CreateRefund => create_refund(state, request, moment),
            Operation::GetRefund => {
                let refund = state.refund(&id(request)?)?;
                write("refund", &wire::refund(refund), state.settings.wrapped)
            }
            Operation::ListRefunds => list_refunds(state, request),
        }
    }
}

#[derive(Serialize)]
struct SessionStatusAnswer<'a> {
    id: &'a str,
    status: SessionStatus,
}

fn create_session(
    state: &mut State,
    request: Value,
    moment: Moment<'_>,
) -> Result<String, Refusal> {
    #[derive(Serialize)]
    struct Answer<'a> {
        id: &'a str,
        url: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        session: Option<wire::SessionView<'a>>,
    }
    let new = validate::new_session(state, read(request)?)?;
    let id = state.create_session(new, moment);
    let session = state.session(&id)?;
    let wrapped = state.settings.wrapped.then(|| wire::session(session, true));
    text(&Answer { id: &session.id, url: &session.url, session: wrapped })
}

fn create_refund(state: &mut State, request: Value, moment: Moment<'_>) -> Result<String, Refusal> {
    #[derive(Serialize)]
    struct Answer<'a> {
        id: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        refund: Option<wire::RefundView<'a>>,
    }
    let request: wire::CreateRefund = read(request)?;
    let payment_id = required("payment_id", request.payment_id)?;
    let reason = request.reason.filter(|reason| !reason.is_empty());
    let id = state.create_refund(&payment_id, reason, moment)?;
    let refund = state.refund(&id)?;
    let wrapped = state.settings.wrapped.then(|| wire::refund(refund));
    text(&Answer { id: &refund.id, refund: wrapped })
}

fn list_sessions(state: &State, request: Value) -> Result<String, Refusal> {
    let request: wire::List = read(request)?;
    let page = validate::page(request.limit, request.offset, PER_PAGE, state.settings.max_limit)?;
    let game_id = validate::game(state, request.game_id)?;
    let status: Option<SessionStatus> = status(request.status)?;
    let matching = state.sessions.newest_first().filter(|session| {
        session.game_id == game_id
            && request.user_id.as_ref().is_none_or(|user| *user == session.user_id)
            && status.is_none_or(|status| status == session.status)
    });
    let wrapped = state.settings.wrapped;
    list("sessions", page, matching.map(|session| wire::session(session, wrapped)))
}

/// Only successful payments are listed, those refunded later included.
fn list_payments(state: &State, request: Value) -> Result<String, Refusal> {
    let request: wire::List = read(request)?;
    let page = validate::page(request.limit, request.offset, PER_PAGE, state.settings.max_limit)?;
    let game_id = validate::game(state, request.game_id)?;
    let extra = request.with_extra_data.unwrap_or_default();
    let matching = state.payments.newest_first().filter(|payment| {
        matches!(payment.status, PaymentStatus::Succeeded | PaymentStatus::Refunded)
            && payment.game_id == game_id
            && request.user_id.as_ref().is_none_or(|user| *user == payment.user_id)
    });
    list("payments", page, matching.map(|payment| wire::payment(payment, extra)))
}

fn list_topups(state: &State, request: Value) -> Result<String, Refusal> {
    let request: wire::List = read(request)?;
    let page = validate::page(request.limit, request.offset, PER_PAGE, state.settings.max_limit)?;
    let game_id = validate::game(state, request.game_id)?;
    let matching = state.topups.newest_first().filter(|topup| {
        let linked = topup.game_users.iter().any(|player| {
            player.game_id == game_id
                && request.game_user_id.as_ref().is_none_or(|user| *user == player.user_id)
        });
        let wallet_user = request.wallet_user_id.as_ref();
        linked && wallet_user.is_none_or(|user| *user == topup.wallet_user_id)
    });
    list("topups", page, matching.map(wire::topup))
}

fn list_refunds(state: &State, request: Value) -> Result<String, Refusal> {
    let request: wire::List = read(request)?;
    let max_limit = state.settings.max_limit;
    let page = validate::page(request.limit, request.offset, REFUNDS_PER_PAGE, max_limit)?;
    let status: Option<RefundStatus> = status(request.status)?;
    let matching = state.refunds.newest_first().filter(|refund| {
        request.payment_id.as_ref().is_none_or(|payment| *payment == refund.payment_id)
            && status.is_none_or(|status| status == refund.status)
    });
    list("refunds", page, matching.map(wire::refund))
}

fn list<V: Serialize>(
    name: &str,
    page: Page,
    matching: impl Iterator<Item = V>,
) -> Result<String, Refusal> {
    let mut total = 0_usize;
    let mut rows = Vec::new();
    for view in matching {
        if total >= page.offset && rows.len() < page.limit {
            rows.push(view);
        }
        total += 1;
    }
    let has_more = page.offset.saturating_add(rows.len()) < total;
    Ok(format!(r#"{{"{name}":{},"total":{total},"has_more":{has_more}}}"#, text(&rows)?))
}

fn status<S: DeserializeOwned>(status: Option<String>) -> Result<Option<S>, Refusal> {
    match status.filter(|status| !status.is_empty()) {
        None => Ok(None),
        Some(word) => serde_json::from_value(Value::from(word.as_str()))
            .map(Some)
            .map_err(|_unknown| Refusal::invalid(format!("status: {word:?} is not a status"))),
    }
}

fn id(request: Value) -> Result<String, Refusal> {
    required("id", read::<wire::ById>(request)?.id)
}

fn read<R: DeserializeOwned>(request: Value) -> Result<R, Refusal> {
    serde_json::from_value(request)
        .map_err(|error| Refusal::invalid(format!("unmarshal message: {error}")))
}

fn write(family: &str, view: &impl Serialize, wrapped: bool) -> Result<String, Refusal> {
    if !wrapped {
        return text(view);
    }
    let view = serde_json::to_value(view).map_err(|error| unserializable(&error))?;
    Ok(Value::Object(Map::from_iter([(family.to_owned(), view)])).to_string())
}

fn text(view: &impl Serialize) -> Result<String, Refusal> {
    serde_json::to_string(view).map_err(|error| unserializable(&error))
}

fn unserializable(error: &serde_json::Error) -> Refusal {
    Refusal::new(super::errors::Code::Internal, error.to_string())
}
