//! How the checkout page looks in each state of a payment.

use http::StatusCode;

use super::objects::{Invoice, Payment};
use super::state::State;
use super::status::Status;
use crate::amount::Amount;
use crate::html::Html;
use crate::reply::Reply;

const LAYOUT: &str = include_str!("../assets/ramp.html");
const FORM: &str = include_str!("../assets/ramp_form.html");
const SINGLE: &str = include_str!("../assets/ramp_single.html");
const END: &str = include_str!("../assets/end.html");

/// One closing view: badge, heading, explanation.
struct End {
    kind: &'static str,
    sign: &'static str,
    heading: &'static str,
    text: &'static str,
}

const UNKNOWN: End = End {
    kind: "bad",
    sign: "?",
    heading: "Checkout not found",
    text: "This link is wrong or no longer known. Start again from the shop.",
};

/// `notice` is why the last attempt was not made.
pub(super) fn payment(state: &State, payment: &Payment, notice: Option<&str>) -> Reply {
    let Ok(invoice) = state.invoice(&payment.invoice_id) else { return unknown() };
    let (heading, main) = match end(payment.status) {
        None => ("Checkout", form(state, payment, invoice, notice)),
        Some(end) => (end.heading, end.html(link(state, payment))),
    };
    let gone = matches!(payment.status, Status::Failed | Status::Canceled | Status::Expired);
    let status = if gone { StatusCode::GONE } else { StatusCode::OK };
    let total = money(invoice.amount, &invoice.currency);
    let mut lines = Html::default();
    if let Some(code) = &invoice.discount {
        let off = invoice.before_discount.minus(invoice.amount);
        line(&mut lines, "Price", &money(invoice.before_discount, &invoice.currency));
        line(
            &mut lines,
            &format!("Discount {code}"),
            &format!("−{}", money(off, &invoice.currency)),
        );
    }
    let values = [
        ("heading", Html::text(heading)),
        ("shop", Html::text(&invoice.client_id)),
        ("title", Html::text(&invoice.description)),
        ("total", Html::text(total)),
        ("lines", lines),
        ("status", Html::text(payment.status.name())),
        ("payment", Html::text(&payment.id)),
        ("main", main),
    ];
    Html::fill(LAYOUT, &values).reply(status)
}

/// There is no such session.
pub(super) fn unknown() -> Reply {
    let values =
        [("heading", Html::text(UNKNOWN.heading)), ("main", UNKNOWN.html(Html::default()))];
    Html::fill(SINGLE, &values).reply(StatusCode::NOT_FOUND)
}

impl End {
    fn html(&self, link: Html) -> Html {
        let values = [
            ("kind", Html::text(self.kind)),
            ("sign", Html::text(self.sign)),
            ("heading", Html::text(self.heading)),
            ("text", Html::text(self.text)),
            ("link", link),
        ];
        Html::fill(END, &values)
    }
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
    let template = r#"<a class="button primary" id="return" href="{{url}}">Return to the shop</a>"#;
    let filled = |url: String| Html::fill(template, &[("url", Html::text(url))]);
    state.return_url(payment).map(filled).unwrap_or_default()
}

fn form(state: &State, payment: &Payment, invoice: &Invoice, notice: Option<&str>) -> Html {
    let declined = payment.session.as_ref().is_some_and(|session| session.attempt.is_some());
    let words = match (notice, declined) {
        (Some(words), _) => Some(("Not possible.", words)),
        (None, true) => Some(("Your payment was declined.", "Try again")),
        (None, false) => None,
    };
    let alert = words.map(|(heading, words)| {
        let template = r#"<p class="notice" role="alert" id="notice"><strong>{{heading}}</strong> {{words}}.</p>"#;
        let values = [("heading", Html::text(heading)), ("words", Html::text(words))];
        Html::fill(template, &values)
    });
    let session = payment.session.as_ref().map_or("", |session| session.id.as_str());
    let path = Html::text(format!("{}checkout/{session}", state.base.path()));
    let leave = state.return_url(payment).map(|_| {
        let template = r#"<p class="leave"><a id="leave" href="{{path}}/leave">Return to the shop without paying</a></p>"#;
        Html::fill(template, &[("path", path.clone())])
    });
    let values = [
        ("notice", alert.unwrap_or_default()),
        ("path", path),
        ("total", Html::text(money(invoice.amount, &invoice.currency))),
        ("leave", leave.unwrap_or_default()),
    ];
    Html::fill(FORM, &values)
}

fn line(lines: &mut Html, label: &str, amount: &str) {
    let values = [("label", Html::text(label)), ("amount", Html::text(amount))];
    lines.push(&Html::fill("<div><dt>{{label}}</dt><dd>{{amount}}</dd></div>", &values));
}

/// Amounts as people read them: all digits of money, no more than there are of what has many.
fn money(amount: Amount, currency: &str) -> String {
    match currency {
        "USD" => format!("${}", amount.fixed()),
        "EUR" => format!("€{}", amount.fixed()),
        "GBP" => format!("£{}", amount.fixed()),
        other => format!("{amount} {other}"),
    }
}
