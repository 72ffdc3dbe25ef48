//! How the hosted page looks in each state of an invoice.

use http::StatusCode;

use super::objects::{Flow, Invoice};
use super::services::method_facts;
use super::state::State;
use super::status::Status;
use crate::amount::Amount;
use crate::html::Html;
use crate::reply::Reply;

const LAYOUT: &str = include_str!("../assets/invoice.html");
const FORM: &str = include_str!("../assets/invoice_form.html");
const END: &str = include_str!("../assets/end.html");
const SINGLE: &str = include_str!("../assets/invoice_single.html");

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
    single(&UNKNOWN, Html::default()).reply(StatusCode::NOT_FOUND)
}

/// A link, or a form, that lost its parameters.
pub(super) fn broken() -> Reply {
    single(&BROKEN, Html::default()).reply(StatusCode::BAD_REQUEST)
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
    let main = end.html(more);
    Html::fill(SINGLE, &[("heading", Html::text(end.heading)), ("main", main)])
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
    let template = r#"<a class="button primary" id="return" href="{{url}}">Return to {{shop}}</a>"#;
    let shop = Html::text(&state.settings.account.name);
    let filled = |url| Html::fill(template, &[("url", Html::text(url)), ("shop", shop)]);
    invoice.return_address().map(filled).unwrap_or_default()
}

fn pay_form(state: &State, invoice: &Invoice, notice: Option<&str>) -> Html {
    let open = invoice.open_amount();
    let verifies = invoice.flow == Flow::Verify;
    let notice = match (notice, invoice.active_payment.status) {
        (Some(notice), _) => alert("Almost there", notice),
        (None, "process_failed") => declined(state, invoice),
        (None, _) if invoice.status == Status::PartiallyProcessed => {
            alert("Partly paid", &format!("{} is still open.", money(open, invoice)))
        }
        (None, _) => Html::default(),
    };
    let mut outcomes = Html::default();
    for (value, label) in OUTCOMES {
        outcomes.push(&Html::fill(
            r#"<option value="{{value}}">{{label}}</option>"#,
            &[("value", Html::text(value)), ("label", Html::text(label))],
        ));
    }
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
    let cancel = Html::fill(cancel, &[("path", path(state, invoice))]);
    let leave = invoice.return_address().map(|_| {
        let template = r#"<p class="leave"><a id="leave" href="{{path}}/return">Return to {{shop}}{{how}}</a></p>"#;
        let how = Html::text(if paid_a_part { "" } else { " without paying" });
        let shop = Html::text(&state.settings.account.name);
        Html::fill(template, &[("path", path(state, invoice)), ("shop", shop), ("how", how)])
    });
    let (method, _) = method_facts(&invoice.method);
    let values = [
        ("notice", notice),
        ("path", path(state, invoice)),
        ("method", Html::text(method)),
        ("outcomes", outcomes),
        ("amount", amount),
        ("button", Html::text(button)),
        ("cancel", cancel),
        ("leave", leave.unwrap_or_default()),
    ];
    Html::fill(FORM, &values)
}

fn path(state: &State, invoice: &Invoice) -> Html {
    Html::text(format!("{}hpp/{}", state.base.path(), invoice.id))
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
    alert("Your payment was declined", &format!("{reason} Try again. {left}"))
}

fn alert(heading: &str, text: &str) -> Html {
    let template =
        r#"<p class="notice" role="alert" id="notice"><strong>{{heading}}</strong> {{text}}</p>"#;
    Html::fill(template, &[("heading", Html::text(heading)), ("text", Html::text(text))])
}

fn layout(state: &State, invoice: &Invoice, heading: &str, main: Html) -> Html {
    let description = invoice.description.as_deref().unwrap_or("Your order");
    let extra = invoice.payment_amount.minus(invoice.amount);
    let values = [
        ("heading", Html::text(heading)),
        ("mode", Html::text(if invoice.test_mode { "Test mode" } else { "Live keys, sandbox" })),
        ("shop", Html::text(&state.settings.account.name)),
        ("title", Html::text(description)),
        ("price", Html::text(money(invoice.amount, invoice))),
        ("fee", Html::text(money(extra, invoice))),
        ("total", Html::text(money(invoice.payment_amount, invoice))),
        ("reference", Html::text(&invoice.reference_id)),
        ("status", Html::text(invoice.status.word())),
        ("invoice", Html::text(&invoice.id)),
        ("main", main),
    ];
    Html::fill(LAYOUT, &values)
}

/// Amounts as people read them.
fn money(amount: Amount, invoice: &Invoice) -> String {
    let amount = amount.fixed();
    match invoice.currency.as_str() {
        "USD" => format!("${amount}"),
        "EUR" => format!("€{amount}"),
        "GBP" => format!("£{amount}"),
        other => format!("{other} {amount}"),
    }
}
