//! The providers' truth, read from their state and not through our adapters.

use paymux_endurance::{BILLS, GAMES, HELD_GAMES, INVOICES, WALLET};
use paymux_orchestrator::PaymentId;
use paymux_sandbox::Sandbox;
use serde_json::Value;
use url::Url;

use crate::{counter::Counter, truth::Books};

/// A payment as its provider has it.
#[derive(Debug)]
pub(crate) struct Theirs {
    pub(crate) account: &'static str,
    pub(crate) id: String,
    /// Ours, by the return URL that it was made with.
    pub(crate) payment: PaymentId,
    /// What is held now, was taken, and was given back or is about to be, in cents.
    pub(crate) held: i128,
    pub(crate) taken: i128,
    pub(crate) given_back: i128,
    /// What of it came out of the account that the payer has at the provider.
    pub(crate) debited: i128,
    /// How often giving back was asked for and not refused.
    pub(crate) refunds: usize,
    /// The provider tells of a hold by webhooks alone: no list has it, and its session does not
    /// name it. When all of them were lost, nobody can know of it, and it is let go in time.
    pub(crate) unheard: bool,
    /// What it told of a hold, and what became of that.
    pub(crate) told: Vec<String>,
}

impl Theirs {
    pub(crate) fn moved_money(&self) -> bool {
        self.held > 0 || self.taken > 0
    }
}

/// Everything that the providers have, and in `wrong` what is of no payment of ours.
pub(crate) fn read(books: &Books, counter: &Counter, wrong: &mut Vec<String>) -> Vec<Theirs> {
    let mut all = read_providers(counter.sandbox());
    all.extend(read_bills(books, counter, wrong));
    all
}

fn read_providers(sandbox: &Sandbox) -> Vec<Theirs> {
    let games = sandbox.toffeepay();
    let mut all = read_games(&games.snapshot(), &games.webhooks());
    all.extend(read_invoices(&sandbox.milkypay().snapshot()));
    all.extend(read_wallet(&sandbox.wallet().snapshot()));
    all
}

fn read_games(state: &Value, webhooks: &Value) -> Vec<Theirs> {
    let about = |id: &Value| {
        let id = id.clone();
        rows(webhooks).iter().filter(move |delivery| delivery["entity_id"] == id)
    };
    let read = |session: &Value| {
        let held_first = session["game_id"] == "space_shooter_manual";
        let mut theirs = Theirs {
            account: if held_first { HELD_GAMES } else { GAMES },
            ..theirs(&session["id"], &session["return_url"])
        };
        for payment in rows(&state["payments"]) {
            if payment["session_id"] != session["id"] {
                continue;
            }
            let cents = i128::from(payment["amount"].as_i64().unwrap());
            match payment["status"].as_str().unwrap() {
                "authorized" => {
                    theirs.held += cents;
                    let lost = |one: &Value| one["state"] == "dropped" || one["state"] == "gave_up";
                    theirs.unheard = about(&payment["id"]).all(lost);
                    let words = |one: &Value| format!("{} {}", one["event"], one["state"]);
                    theirs.told = about(&payment["id"]).map(words).collect();
                }
                "succeeded" | "refunded" => theirs.taken += cents,
                _ => {}
            }
            for refund in rows(&state["refunds"]) {
                if refund["payment_id"] == payment["id"] && refund["status"] == "succeeded" {
                    theirs.given_back += cents;
                    theirs.refunds += 1;
                }
            }
        }
        theirs
    };
    rows(&state["sessions"]).iter().map(read).collect()
}

fn read_invoices(state: &Value) -> Vec<Theirs> {
    let read = |invoice: &Value| Theirs {
        account: INVOICES,
        taken: cents(&invoice["processed_amount"]),
        given_back: cents(&invoice["refunded_amount"]),
        refunds: rows(&invoice["refunds"]).iter().filter(|one| one["state"] != "failed").count(),
        ..theirs(&invoice["id"], &invoice["return_url"])
    };
    rows(&state["invoices"]).iter().map(read).collect()
}

fn read_wallet(state: &Value) -> Vec<Theirs> {
    let read = |transaction: &Value| {
        let mut theirs = Theirs {
            account: WALLET,
            ..theirs(&transaction["key"], &transaction["terms"]["redirect_uri"])
        };
        for payment in rows(&state["payments"]) {
            if payment["transaction"] == transaction["key"] && payment["status"] == "done" {
                theirs.taken += i128::from(payment["terms"]["price"].as_i64().unwrap());
            }
        }
        theirs.debited = theirs.taken;
        theirs
    };
    rows(&state["transactions"]).iter().map(read).collect()
}

/// What is paid of a bill is known by the bill: not every way to pay leads back to the shop.
fn read_bills(books: &Books, counter: &Counter, wrong: &mut Vec<String>) -> Vec<Theirs> {
    let state = counter.sandbox().ramp().snapshot();
    let mut all = Vec::new();
    for payment in rows(&state["payments"]) {
        let invoice = &payment["invoice_id"];
        let bill = counter.bills().iter().find(|(_, bill)| *invoice == bill.invoice);
        let (number, _) = bill.expect("every bill is an order's");
        let name = counter.orders()[usize::try_from(*number).unwrap()].name();
        let ours = books.values().find(|record| record.request.reference.as_str() == name);
        let Some(ours) = ours else {
            wrong.push(format!("lost: {payment} is of {name}, which there is not"));
            continue;
        };
        let invoices = rows(&state["invoices"]);
        let invoice = invoices.iter().find(|one| one["id"] == *invoice).unwrap();
        let mut theirs = Theirs { account: BILLS, ..nothing_moved(&payment["id"], &ours.id) };
        if ["succeeded", "processing"].contains(&payment["status"].as_str().unwrap()) {
            theirs.taken = cents(&invoice["amount"]);
            theirs.debited = if payment["type"] == "PLATFORM" { theirs.taken } else { 0 };
        }
        all.push(theirs);
    }
    all
}

fn theirs(id: &Value, return_url: &Value) -> Theirs {
    let url = Url::parse(return_url.as_str().unwrap()).unwrap();
    let (_, token) = url.query_pairs().find(|(name, _)| name == "paymux_return").unwrap();
    let payment = token.split('.').next().unwrap().parse().unwrap();
    nothing_moved(id, &payment)
}

fn nothing_moved(id: &Value, payment: &PaymentId) -> Theirs {
    let id = id.as_str().unwrap().to_owned();
    Theirs {
        account: "",
        id,
        payment: payment.clone(),
        held: 0,
        taken: 0,
        given_back: 0,
        debited: 0,
        refunds: 0,
        unheard: false,
        told: Vec::new(),
    }
}

fn rows(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Decimal text in euros; nothing at all is nothing.
fn cents(amount: &Value) -> i128 {
    let Some(text) = amount.as_str() else { return 0 };
    paymux::Money::parse(text, paymux::Currency::EUR).unwrap().minor()
}
