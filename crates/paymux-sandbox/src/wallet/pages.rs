//! How the confirmation page looks in each state of a transaction.

use http::StatusCode;

use super::checkout::Entered;
use super::money::decimal;
use super::objects::{Beneficiary, Payment, Transaction};
use super::state::State;
use super::status::Status;
use super::users::{OWN_WALLET, USUAL_PAYER};
use crate::html::Html;
use crate::page::{self, Brand, Checkout, End, alert, detail_line, line};
use crate::reply::Reply;

const FORM: &str = include_str!("../assets/wallet_form.html");
const PAYER: &str = include_str!("../assets/wallet_payer.html");

const BRAND: Brand = Brand {
    name: "Wallet",
    mark: "W",
    class: "wallet",
    played_for: "the wallet",
    object: "Transaction",
};

const METHODS: [(&str, &str); 2] =
    [("balance", "Wallet balance"), ("bank", "Bank transfer: the money comes later")];

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
    single(End::UNKNOWN.heading, End::UNKNOWN.html(Html::default()), StatusCode::NOT_FOUND)
}

/// A link that is not one of the client's.
pub(super) fn broken() -> Reply {
    single(End::BROKEN.heading, End::BROKEN.html(Html::default()), StatusCode::BAD_REQUEST)
}

/// A page of one panel.
pub(super) fn single(heading: &str, main: Html, status: StatusCode) -> Reply {
    BRAND.single(heading, main).reply(status)
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
    let link = |url: &String| page::return_link(url, "the shop");
    transaction.terms.redirect_uri.as_ref().map(link).unwrap_or_default()
}

fn form(state: &State, transaction: &Transaction, notice: Option<(&str, &Entered)>) -> Html {
    let entered = notice.map(|(_, entered)| entered);
    let alert = notice.map(|(words, _)| alert("Not accepted.", format!("{words}.")));
    let path = format!("{}frontend/en/wallet/confirm/{}", state.base.path(), transaction.key);
    let leave =
        transaction.terms.redirect_uri.as_ref().map(|_| {
            page::leave_link(format!("{path}/return"), "Return to the shop without deciding")
        });
    let method = entered.map_or("balance", |entered| entered.method.as_str());
    let values = [
        ("notice", alert.unwrap_or_default()),
        ("path", Html::text(path)),
        ("methods", page::methods(METHODS, Some(method))),
        ("payer", payer_fields(state, entered.map_or("", |entered| entered.wallet.as_str()))),
        ("allowance", allowance(state, transaction)),
        ("leave", leave.unwrap_or_default()),
    ];
    Html::fill(FORM, &values)
}

/// Who somebody is, with their PIN; the usual payer when nobody was chosen.
pub(super) fn payer_fields(state: &State, chosen: &str) -> Html {
    let usual = USUAL_PAYER.to_string();
    let chosen = if chosen.is_empty() { usual.as_str() } else { chosen };
    let users = state.users.iter().filter(|(wallet, _)| **wallet != OWN_WALLET);
    let users: Vec<(String, String)> = users
        .map(|(wallet, user)| {
            let pin = user.is.pin.as_ref().map(|pin| format!(", PIN {pin}")).unwrap_or_default();
            (wallet.to_string(), format!("{}{pin}", user.is.name))
        })
        .collect();
    let users = users.iter().map(|(wallet, label)| (wallet.as_str(), label.as_str()));
    Html::fill(PAYER, &[("users", page::options(users, Some(chosen)))])
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
        r#"<label class="check"><input type="checkbox" id="allowance" name="allowance" value="yes" checked> {{words}}</label>"#
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
    BRAND.checkout(Checkout {
        heading,
        mode: "Sandbox",
        shop,
        picture: Html::default(),
        title: &title,
        total: &totals.join(" and "),
        lines,
        below: Html::default(),
        status: transaction.status.of_transaction(state.settings.words),
        id: &transaction.key,
        main,
    })
}

fn payment_lines(state: &State, payment: &Payment) -> Html {
    let terms = &payment.terms;
    let shown = |cents: i64| money(cents, &terms.currency);
    let to = match &terms.beneficiary {
        Beneficiary::Id(wallet) => {
            state.users.get(wallet).map_or_else(|| wallet.to_string(), |user| user.is.name.clone())
        }
        Beneficiary::Email(to) | Beneficiary::Phone(to) => to.clone(),
    };
    let words = terms.description.as_deref().unwrap_or("Payment");
    let mut lines = line(format!("{words}, to {to}"), shown(terms.price));
    for item in &terms.items {
        let total = item.price.saturating_mul(item.quantity);
        lines.push(&detail_line(format!("{} × {}", item.quantity, item.title), shown(total)));
    }
    let fee = payment.payer_amount(&state.settings) - terms.price;
    if fee > 0 {
        lines.push(&line("Fee", shown(fee)));
    }
    lines
}

fn money(cents: i64, currency: &str) -> String {
    page::money(decimal(cents), currency)
}
