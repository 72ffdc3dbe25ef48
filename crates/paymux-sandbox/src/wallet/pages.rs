//! How the confirmation page looks in each state of a transaction.

use http::StatusCode;

use super::checkout::Entered;
use super::money::decimal;
use super::objects::{Beneficiary, Payment, Transaction};
use super::state::State;
use super::status::Status;
use super::users::{OWN_WALLET, USUAL_PAYER};
use crate::html::Html;
use crate::reply::Reply;

const LAYOUT: &str = include_str!("../assets/confirm.html");
const FORM: &str = include_str!("../assets/confirm_form.html");
const END: &str = include_str!("../assets/end.html");
const SINGLE: &str = include_str!("../assets/confirm_single.html");

const METHODS: [(&str, &str); 2] =
    [("balance", "Wallet balance"), ("bank", "Bank transfer: the money comes later")];

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
    heading: "Payment not found",
    text: "This link is wrong or no longer known. Start again from the shop.",
};

const BROKEN: End = End {
    kind: "bad",
    sign: "!",
    heading: "This link is broken",
    text: "It came here without what belongs to it. Start again from the shop.",
};

/// `notice` is what was wrong with what a payer entered.
pub(super) fn transaction(
    state: &State,
    transaction: &Transaction,
    notice: Option<(&str, &Entered)>,
) -> Reply {
    let (heading, main) = if transaction.status == Status::New {
        ("Confirm the payment", form(state, transaction, notice))
    } else {
        let end = end(transaction.status);
        (end.heading, end.html(link(transaction)))
    };
    let gone = matches!(transaction.status, Status::Deleted | Status::Revoked | Status::Failed);
    let status = if gone { StatusCode::GONE } else { StatusCode::OK };
    layout(state, transaction, heading, main).reply(status)
}

/// There is no such transaction.
pub(super) fn unknown() -> Reply {
    single(UNKNOWN.heading, UNKNOWN.html(Html::default()), StatusCode::NOT_FOUND)
}

/// A link that is not one of the client's.
pub(super) fn broken() -> Reply {
    single(BROKEN.heading, BROKEN.html(Html::default()), StatusCode::BAD_REQUEST)
}

/// A page of one panel.
pub(super) fn single(heading: &str, main: Html, status: StatusCode) -> Reply {
    Html::fill(SINGLE, &[("heading", Html::text(heading)), ("main", main)]).reply(status)
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

fn end(status: Status) -> End {
    let (kind, sign, heading, text) = match status {
        Status::New | Status::WaitingFunds => (
            "wait",
            "…",
            "Waiting for your money",
            "The payment goes on when your transfer arrives.",
        ),
        Status::WaitingRegistration => (
            "wait",
            "…",
            "Waiting for the beneficiary",
            "The money is reserved until they register.",
        ),
        Status::WaitingPassword => {
            ("wait", "…", "Waiting for a password", "The money is reserved until it is given.")
        }
        Status::Accepted => {
            ("good", "✓", "Payment accepted", "The money is reserved. The shop has been told.")
        }
        Status::Confirmed | Status::Done | Status::Canceled => {
            ("good", "✓", "Payment confirmed", "Thank you. The shop has confirmed it.")
        }
        Status::Rejected => {
            ("wait", "×", "Payment rejected", "You have not been charged. This payment is closed.")
        }
        Status::Revoked => {
            ("wait", "×", "Payment revoked", "The shop took it back. You have not been charged.")
        }
        Status::Failed => {
            ("bad", "×", "Payment failed", "You have not been charged. This payment is closed.")
        }
        Status::Deleted => {
            ("wait", "×", "Payment deleted", "Its time is over. Start again from the shop.")
        }
    };
    End { kind, sign, heading, text }
}

/// The way back to the merchant, if the merchant gave one.
fn link(transaction: &Transaction) -> Html {
    let template = r#"<a class="button primary" id="return" href="{{url}}">Return to the shop</a>"#;
    let filled = |url: &String| Html::fill(template, &[("url", Html::text(url))]);
    transaction.terms.redirect_uri.as_ref().map(filled).unwrap_or_default()
}

fn form(state: &State, transaction: &Transaction, notice: Option<(&str, &Entered)>) -> Html {
    let entered = notice.map(|(_, entered)| entered);
    let alert = notice.map(|(words, _)| {
        let template = r#"<p class="notice" role="alert" id="notice"><strong>Not accepted.</strong> {{words}}.</p>"#;
        Html::fill(template, &[("words", Html::text(words))])
    });
    let leave = transaction.terms.redirect_uri.as_ref().map(|_| {
        let template = r#"<p class="leave"><a id="leave" href="{{path}}/return">Return to the shop without deciding</a></p>"#;
        Html::fill(template, &[("path", path(state, transaction))])
    });
    let values = [
        ("notice", alert.unwrap_or_default()),
        ("path", path(state, transaction)),
        ("methods", methods(entered)),
        ("users", users(state, entered.map_or("", |entered| entered.wallet.as_str()))),
        ("allowance", allowance(state, transaction)),
        ("leave", leave.unwrap_or_default()),
    ];
    Html::fill(FORM, &values)
}

fn path(state: &State, transaction: &Transaction) -> Html {
    let base = state.base.path();
    Html::text(format!("{base}frontend/en/wallet/confirm/{}", transaction.key))
}

fn methods(entered: Option<&Entered>) -> Html {
    let chosen = entered.map_or("balance", |entered| entered.method.as_str());
    let mut list = Html::default();
    for (value, label) in METHODS {
        let template = r#"<label><input type="radio" name="method" value="{{value}}"{{checked}}> {{label}}</label>"#;
        let checked = if value == chosen { " checked" } else { "" };
        let values = [
            ("value", Html::text(value)),
            ("checked", Html::text(checked)),
            ("label", Html::text(label)),
        ];
        list.push(&Html::fill(template, &values));
    }
    list
}

/// The choice of who somebody is; the usual payer when nobody was chosen.
pub(super) fn users(state: &State, chosen: &str) -> Html {
    let usual = USUAL_PAYER.to_string();
    let chosen = if chosen.is_empty() { usual.as_str() } else { chosen };
    let mut list = Html::default();
    for (wallet, user) in state.users.iter().filter(|(wallet, _)| **wallet != OWN_WALLET) {
        let pin = user.is.pin.as_ref().map(|pin| format!(", PIN {pin}")).unwrap_or_default();
        let selected = if wallet.to_string() == chosen { " selected" } else { "" };
        let values = [
            ("wallet", Html::text(wallet.to_string())),
            ("selected", Html::text(selected)),
            ("label", Html::text(format!("{}{pin}", user.is.name))),
        ];
        let template = r#"<option value="{{wallet}}"{{selected}}>{{label}}</option>"#;
        list.push(&Html::fill(template, &values));
    }
    list
}

/// What the payer approves for later.
fn allowance(state: &State, transaction: &Transaction) -> Html {
    let allowance = transaction.allowance.and_then(|id| state.allowance(id).ok());
    let Some(allowance) = allowance else { return Html::default() };
    let terms = &allowance.terms;
    let most = match terms.max_price {
        Some(max) => format!("up to {} in all", money(max, &terms.currency)),
        None => "within limits".to_owned(),
    };
    let words = terms.description.as_deref().unwrap_or("Later payments");
    let words = ("words", Html::text(format!("{words}: {most}, without asking again")));
    let template = if transaction.terms.allowance_optional {
        r#"<p><label><input type="checkbox" id="allowance" name="allowance" value="yes" checked> {{words}}</label></p>"#
    } else {
        r#"<input type="hidden" name="allowance" value="yes"><p id="allowance">You also allow: {{words}}.</p>"#
    };
    Html::fill(template, &[words])
}

fn layout(state: &State, transaction: &Transaction, heading: &str, main: Html) -> Html {
    let payments: Vec<&Payment> = state.payments_of(transaction).collect();
    let title = match payments.as_slice() {
        [] => "An allowance".to_owned(),
        [one] => one.terms.description.clone().unwrap_or_else(|| "Your order".to_owned()),
        several => format!("{} payments", several.len()),
    };
    let totals = state.payer_totals(transaction);
    let totals: Vec<String> =
        totals.iter().map(|(currency, total)| money(*total, currency)).collect();
    let mut lines = Html::default();
    for payment in payments {
        lines.push(&payment_lines(state, payment));
    }
    let shop = state.users.get(&OWN_WALLET).map_or("", |user| user.is.name.as_str());
    let values = [
        ("heading", Html::text(heading)),
        ("shop", Html::text(shop)),
        ("title", Html::text(title)),
        ("total", Html::text(totals.join(" and "))),
        ("lines", lines),
        ("status", Html::text(transaction.status.of_transaction(state.settings.words))),
        ("transaction", Html::text(&transaction.key)),
        ("main", main),
    ];
    Html::fill(LAYOUT, &values)
}

fn payment_lines(state: &State, payment: &Payment) -> Html {
    let terms = &payment.terms;
    let mut lines = Html::default();
    let mut line = |label: String, cents: i64| {
        let values =
            [("label", Html::text(label)), ("amount", Html::text(money(cents, &terms.currency)))];
        lines.push(&Html::fill("<div><dt>{{label}}</dt><dd>{{amount}}</dd></div>", &values));
    };
    for item in &terms.items {
        let total = item.price.saturating_mul(item.quantity);
        line(format!("{} × {}", item.quantity, item.title), total);
    }
    let to = match &terms.beneficiary {
        Beneficiary::Id(wallet) => {
            state.users.get(wallet).map_or_else(|| wallet.to_string(), |user| user.is.name.clone())
        }
        Beneficiary::Email(to) | Beneficiary::Phone(to) => to.clone(),
    };
    let words = terms.description.as_deref().unwrap_or("Payment");
    line(format!("{words}, to {to}"), terms.price);
    let fee = payment.payer_amount(&state.settings) - terms.price;
    if fee > 0 {
        line("Fee".to_owned(), fee);
    }
    lines
}

/// Amounts as people read them.
fn money(cents: i64, currency: &str) -> String {
    let amount = decimal(cents);
    match currency {
        "USD" => format!("${amount}"),
        "EUR" => format!("€{amount}"),
        "GBP" => format!("£{amount}"),
        other => format!("{other} {amount}"),
    }
}
