//! How the checkout page looks in each state of a payment.

use http::StatusCode;

use super::objects::{Invoice, Payment};
use super::state::State;
use super::status::Status;
use crate::amount::Amount;
use crate::html::Html;
use crate::page::{self, Brand, Checkout, End, alert, line};
use crate::reply::Reply;

const FORM: &str = include_str!("../assets/ramp_form.html");

const BRAND: Brand = Brand {
    name: "Ramp",
    mark: "R",
    class: "ramp",
    played_for: "the ramp's gateway",
    object: "Payment",
};

const UNKNOWN: End = End { heading: "Checkout not found", ..End::UNKNOWN };

const OUTCOMES: [(&str, &str); 2] =
    [("approve", "Approve the payment"), ("decline", "Decline the payment")];

/// `notice` is why the last attempt was not made.
pub(super) fn payment(state: &State, payment: &Payment, notice: Option<&str>) -> Reply {
    let Ok(invoice) = state.invoice(&payment.invoice_id) else { return unknown() };
    let (heading, main) = match end(payment.status) {
        None => ("Checkout", form(state, payment, invoice, notice)),
        Some(end) => (end.heading, end.html(link(state, payment))),
    };
    let gone = matches!(payment.status, Status::Failed | Status::Canceled | Status::Expired);
    let status = if gone { StatusCode::GONE } else { StatusCode::OK };
    let mut lines = Html::default();
    if let Some(code) = &invoice.discount {
        let off = invoice.before_discount.minus(invoice.amount);
        lines.push(&line("Price", money(invoice.before_discount, &invoice.currency)));
        let off = format!("−{}", money(off, &invoice.currency));
        lines.push(&line(format!("Discount {code}"), off));
    }
    let page = Checkout {
        heading,
        mode: "Sandbox",
        shop: &invoice.client_id,
        picture: Html::default(),
        title: &invoice.description,
        total: &money(invoice.amount, &invoice.currency),
        lines,
        below: Html::default(),
        status: payment.status.name(),
        id: &payment.id,
        main,
    };
    BRAND.checkout(page).reply(status)
}

/// There is no such session.
pub(super) fn unknown() -> Reply {
    BRAND.single(UNKNOWN.heading, UNKNOWN.html(Html::default())).reply(StatusCode::NOT_FOUND)
}

/// Nothing while the payer still has to decide.
fn end(status: Status) -> Option<End> {
    let (kind, sign, heading, text) = match status {
        Status::Pending => return None,
        Status::Processing => {
            ("wait", "…", "Processing your payment", "Reload this page to see what became of it.")
        }
        Status::Authorized => {
            ("good", "✓", "Payment authorized", "The amount is reserved and will be charged later.")
        }
        Status::Succeeded => {
            ("good", "✓", "Payment successful", "Thank you. You can go back to the shop.")
        }
        Status::PartiallyRefunded | Status::Refunded => {
            ("good", "✓", "Payment refunded", "The shop has given money back.")
        }
        Status::Failed => {
            ("bad", "×", "Payment failed", "You have not been charged. Start again from the shop.")
        }
        Status::Canceled => ("wait", "×", "Payment cancelled", "You have not been charged."),
        Status::Expired => (
            "wait",
            "×",
            "This checkout has expired",
            "You have not been charged. Start again from the shop.",
        ),
    };
    Some(End { kind, sign, heading, text })
}

/// The way back to the merchant, if there is one.
fn link(state: &State, payment: &Payment) -> Html {
    let link = |url: String| page::return_link(url, "the shop");
    state.return_url(payment).map(link).unwrap_or_default()
}

fn form(state: &State, payment: &Payment, invoice: &Invoice, notice: Option<&str>) -> Html {
    let declined = payment.session.as_ref().is_some_and(|session| session.attempt.is_some());
    let notice = match (notice, declined) {
        (Some(words), _) => alert("Not possible.", format!("{words}.")),
        (None, true) => alert("Your payment was declined.", "Try again."),
        (None, false) => Html::default(),
    };
    let session = payment.session.as_ref().map_or("", |session| session.id.as_str());
    let path = format!("{}checkout/{session}", state.base.path());
    let leave = state
        .return_url(payment)
        .map(|_| page::leave_link(format!("{path}/leave"), "Return to the shop without paying"));
    let outcomes = page::options(OUTCOMES, None);
    let values = [
        ("notice", notice),
        ("path", Html::text(path)),
        ("outcome", page::outcome_field(outcomes, Html::default())),
        ("total", Html::text(money(invoice.amount, &invoice.currency))),
        ("leave", leave.unwrap_or_default()),
    ];
    Html::fill(FORM, &values)
}

/// Amounts as people read them: all digits of money, no more than there are of what has many.
fn money(amount: Amount, currency: &str) -> String {
    match page::sign(currency) {
        Some(_) => page::money(amount.fixed(), currency),
        None => format!("{amount} {currency}"),
    }
}
