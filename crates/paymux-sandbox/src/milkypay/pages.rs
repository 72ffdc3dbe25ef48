//! How the hosted page looks in each state of an invoice.

use http::StatusCode;

use super::objects::{Flow, Invoice};
use super::services::method_facts;
use super::state::State;
use super::status::Status;
use crate::amount::Amount;
use crate::html::Html;
use crate::page::{self, Brand, Checkout, End, alert, named_line};
use crate::reply::Reply;

const FORM: &str = include_str!("../assets/milkypay_form.html");

const BRAND: Brand = Brand {
    name: "MilkyPay",
    mark: "M",
    class: "milky",
    played_for: "MilkyPay",
    object: "Invoice",
};

const OUTCOMES: [(&str, &str); 7] = [
    ("approve", "Approve the payment"),
    ("insufficient_funds", "Decline: insufficient funds"),
    ("declined", "Decline without a reason"),
    ("card_expired", "Decline: the card has expired"),
    ("antifraud_error", "Decline: suspected fraud"),
    ("client_auth_failed", "Decline: the confirmation failed"),
    ("processing", "Take its time: keep processing"),
];

/// The outcomes that are declines.
pub(super) fn declines() -> impl Iterator<Item = &'static str> {
    let words = OUTCOMES.into_iter().map(|(word, _)| word);
    words.filter(|word| !matches!(*word, "approve" | "processing"))
}

const REFUSED: End = End {
    kind: "bad",
    sign: "!",
    heading: "This payment cannot be started",
    text: "The shop sent something that is not right:",
};

pub(super) fn invoice(state: &State, invoice: &Invoice, notice: Option<&str>) -> Reply {
    let under_way = invoice.status == Status::Processing
        || invoice.moderation_required
        || invoice.active_payment.status == "process_pending";
    let form = invoice.is_payable() && !under_way;
    let (heading, main) = if form {
        ("Payment", pay_form(state, invoice, notice))
    } else {
        let end = end(invoice);
        (end.heading, end.html(link(state, invoice)))
    };
    let status = if invoice.status.is_failed() { StatusCode::GONE } else { StatusCode::OK };
    layout(state, invoice, heading, main).reply(status)
}

/// There is no such invoice.
pub(super) fn unknown() -> Reply {
    single(&End::UNKNOWN, Html::default()).reply(StatusCode::NOT_FOUND)
}

/// A link, or a form, that lost its parameters.
pub(super) fn broken() -> Reply {
    single(&End::BROKEN, Html::default()).reply(StatusCode::BAD_REQUEST)
}

/// A form of the merchant's that was refused, with what is wrong.
pub(super) fn refused(status: StatusCode, words: &[String]) -> Reply {
    let mut list = Html::default();
    for word in words {
        list.push(&Html::fill("<li>{{word}}</li>", &[("word", Html::text(word))]));
    }
    let list = Html::fill(r#"<ul id="errors">{{list}}</ul>"#, &[("list", list)]);
    single(&REFUSED, list).reply(status)
}

fn single(end: &End, more: Html) -> Html {
    BRAND.single(end.heading, end.html(more))
}

fn end(invoice: &Invoice) -> End {
    let (kind, sign, heading, text) = match invoice.status {
        Status::Processed => {
            ("good", "✓", "Payment successful", "Thank you. The shop has been told.")
        }
        Status::Verified => {
            ("good", "✓", "Card verified", "Nothing was charged. The shop has been told.")
        }
        Status::PartiallyProcessed if invoice.closed => {
            ("wait", "½", "Partly paid", "The time for the rest is over. Ask the shop what to do.")
        }
        Status::Created
        | Status::ProcessPending
        | Status::Processing
        | Status::ProcessError
        | Status::PartiallyProcessed => {
            ("wait", "…", "Processing your payment", "Reload this page to see what was decided.")
        }
        Status::ProcessFailed | Status::Expired if invoice.resolution == "expired" => (
            "wait",
            "×",
            "This payment has expired",
            "You have not been charged. Start again from the shop.",
        ),
        Status::ProcessFailed | Status::Expired | Status::VerifyFailed => {
            ("bad", "×", "Payment failed", "You have not been charged. This payment is closed.")
        }
        Status::Terminated => {
            ("wait", "×", "Payment cancelled", "You have not been charged. This payment is closed.")
        }
        Status::Refunding | Status::RefundPending | Status::RefundError => {
            ("wait", "↩", "Refund under way", "Your money is on its way back.")
        }
        Status::PartiallyRefunded => {
            ("good", "↩", "Partially refunded", "A part of your money was returned.")
        }
        Status::Refunded => ("good", "↩", "Refunded", "Your money was returned."),
        Status::RefundFailed => ("bad", "×", "Refund failed", "The shop still has your money."),
        Status::ChargedBack | Status::PartiallyChargedBack => {
            ("wait", "↩", "Charged back", "Your bank took money back.")
        }
    };
    End { kind, sign, heading, text }
}

/// The way back to the merchant, if the merchant gave one.
fn link(state: &State, invoice: &Invoice) -> Html {
    let shop = &state.settings.account.name;
    invoice.return_address().map(|url| page::return_link(url, shop)).unwrap_or_default()
}

fn pay_form(state: &State, invoice: &Invoice, notice: Option<&str>) -> Html {
    let open = invoice.open_amount();
    let path = format!("{}hpp/{}", state.base.path(), invoice.id);
    let verifies = invoice.flow == Flow::Verify;
    let notice = match (notice, invoice.active_payment.status) {
        (Some(notice), _) => alert("Almost there", notice),
        (None, "process_failed") => declined(state, invoice),
        (None, _) if invoice.status == Status::PartiallyProcessed => {
            alert("Partly paid", format!("{} is still open.", money(open, invoice)))
        }
        (None, _) => Html::default(),
    };
    let amount = if verifies { Html::default() } else { amount_field(open, invoice) };
    let button = if verifies {
        "Verify the card".to_owned()
    } else {
        format!("Pay {}", money(open, invoice))
    };
    let paid_a_part = invoice.status == Status::PartiallyProcessed;
    let cancel = r#"<form method="post" action="{{path}}/cancel" class="leave">
<button type="submit" id="cancel" class="quiet">Cancel this payment</button>
</form>"#;
    // What was begun with money cannot be called off by the payer.
    let cancel = if paid_a_part { "" } else { cancel };
    let cancel = Html::fill(cancel, &[("path", Html::text(&path))]);
    let leave = invoice.return_address().map(|_| {
        let how = if paid_a_part { "" } else { " without paying" };
        let shop = &state.settings.account.name;
        page::leave_link(format!("{path}/return"), format!("Return to {shop}{how}"))
    });
    let (method, _) = method_facts(&invoice.method);
    let values = [
        ("notice", notice),
        ("path", Html::text(&path)),
        ("method", Html::text(method)),
        ("outcome", page::outcome_field(page::options(OUTCOMES, None), amount)),
        ("button", Html::text(button)),
        ("cancel", cancel),
        ("leave", leave.unwrap_or_default()),
    ];
    Html::fill(FORM, &values)
}

fn amount_field(open: Amount, invoice: &Invoice) -> Html {
    let template = r#"<label for="amount">Amount to pay, in {{currency}}</label>
<input id="amount" name="amount" inputmode="decimal" autocomplete="off" value="{{open}}">
<p class="hint">Less pays a part, more pays too much.</p>"#;
    let values =
        [("currency", Html::text(&invoice.currency)), ("open", Html::text(open.to_string()))];
    Html::fill(template, &values)
}

/// Tells how the last attempt ended.
fn declined(state: &State, invoice: &Invoice) -> Html {
    let reason = match invoice.active_payment.resolution.as_str() {
        "insufficient_funds" => "There is not enough money for it.",
        "card_expired" => "The card has expired.",
        "antifraud_error" => "Your bank suspects fraud.",
        "client_auth_failed" => "You were not recognized.",
        _ => "Your bank gave no reason.",
    };
    let left = match state.settings.max_attempts.saturating_sub(invoice.declined) {
        1 => "One attempt is left.".to_owned(),
        count => format!("{count} attempts are left."),
    };
    alert("Your payment was declined", format!("{reason} Try again. {left}"))
}

fn layout(state: &State, invoice: &Invoice, heading: &str, main: Html) -> Html {
    let extra = invoice.payment_amount.minus(invoice.amount);
    let mut lines = named_line("price", "Amount", money(invoice.amount, invoice));
    lines.push(&named_line("fee", "Fee", money(extra, invoice)));
    let order = r#"<p class="hint">Order <span id="reference">{{reference}}</span></p>"#;
    let order = Html::fill(order, &[("reference", Html::text(&invoice.reference_id))]);
    BRAND.checkout(Checkout {
        heading,
        mode: if invoice.test_mode { "Test mode" } else { "Live keys, sandbox" },
        shop: &state.settings.account.name,
        picture: Html::default(),
        title: invoice.description.as_deref().unwrap_or("Your order"),
        total: &money(invoice.payment_amount, invoice),
        lines,
        below: order,
        status: invoice.status.word(),
        id: &invoice.id,
        main,
    })
}

fn money(amount: Amount, invoice: &Invoice) -> String {
    page::money(amount.fixed(), &invoice.currency)
}
