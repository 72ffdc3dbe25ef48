//! How the checkout looks in each state of a session.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;

use super::objects::{Item, Payment, PaymentStatus, Session, SessionStatus};
use super::payer::Method;
use super::sessions::ATTEMPTS;
use super::state::State;
use super::tax::{countries, tax};
use crate::html::Html;
use crate::page::{self, Brand, Checkout, End, alert, named_line};

const FORM: &str = include_str!("../assets/toffeepay_form.html");

const BRAND: Brand = Brand {
    name: "ToffeePay",
    mark: "T",
    class: "toffee",
    played_for: "ToffeePay",
    object: "Session",
};

const UNKNOWN: End = End {
    heading: "Checkout not found",
    text: "This link is wrong or no longer known. Start again from your game.",
    ..End::UNKNOWN
};

const OUTCOMES: [(&str, &str); 4] = [
    ("approve", "Approve the payment"),
    ("decline", "Decline the payment"),
    ("insufficient_funds", "Decline: insufficient funds"),
    ("processing", "Take its time: keep processing"),
];

/// What the buyer has chosen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Choices {
    pub(super) method: Method,
    pub(super) country: Option<String>,
    pub(super) outcome: String,
}

pub(super) fn session(
    state: &State,
    session: &Session,
    choices: &Choices,
    notice: Option<&str>,
) -> Response {
    let live = state.live_payment(&session.id).map(|payment| payment.status);
    let end = match (session.status, live) {
        (SessionStatus::Pending, None) => return pay_page(state, session, choices, notice),
        (SessionStatus::Pending, Some(PaymentStatus::Authorized)) => End {
            kind: "good",
            sign: "✓",
            heading: "Payment authorized",
            text: "The amount is reserved and will be charged when your order is confirmed.",
        },
        (SessionStatus::Pending, Some(_)) => End {
            kind: "wait",
            sign: "…",
            heading: "Processing your payment",
            text: "Your bank is taking its time. Reload this page to see what it decided.",
        },
        (SessionStatus::Paid, _) => End {
            kind: "good",
            sign: "✓",
            heading: "Payment successful",
            text: "Thank you. You can go back to your game.",
        },
        (SessionStatus::Failed, _) => End {
            kind: "bad",
            sign: "×",
            heading: "Payment failed",
            text: "Too many attempts were declined. This checkout is closed.",
        },
        (SessionStatus::Cancelled, _) => End {
            kind: "wait",
            sign: "×",
            heading: "Payment cancelled",
            text: "You have not been charged. This checkout is closed.",
        },
        (SessionStatus::Expired, _) => End {
            kind: "wait",
            sign: "×",
            heading: "This checkout has expired",
            text: "You have not been charged. Start again from your game.",
        },
    };
    let status = match session.status {
        SessionStatus::Pending | SessionStatus::Paid => StatusCode::OK,
        SessionStatus::Failed | SessionStatus::Cancelled | SessionStatus::Expired => {
            StatusCode::GONE
        }
    };
    let country = state.attempts(&session.id).last().map(|payment| payment.country.clone());
    let main = end.html(page::return_link(&session.return_url, &game_name(session)));
    layout(session, country.as_deref(), end.heading, main).page(status)
}

/// There is no such session.
pub(super) fn unknown() -> Response {
    BRAND.single(UNKNOWN.heading, UNKNOWN.html(Html::default())).page(StatusCode::NOT_FOUND)
}

fn pay_page(state: &State, session: &Session, choices: &Choices, notice: Option<&str>) -> Response {
    let country = choices.country.as_deref().or(session.item.country.as_deref());
    let last = state.attempts(&session.id).last();
    let notice = match (notice, last) {
        (Some(notice), _) => alert("Almost there", notice),
        (None, Some(last)) => ended(last, ATTEMPTS.saturating_sub(failures(state, session))),
        (None, None) => Html::default(),
    };
    let offered = Method::OFFERED.into_iter();
    let offered = offered.filter(|it| it.0 != Method::ToffeeWallet || state.offers_wallet(session));
    let methods = offered.map(|(_, word, label)| (word, label));
    let outcomes = page::options(OUTCOMES, Some(&choices.outcome));
    let values = [
        ("notice", notice),
        ("path", Html::text(format!("{}{}", state.checkout.path(), session.id))),
        ("methods", page::methods(methods, Some(choices.method.word()))),
        ("countries", page::options(countries(), country)),
        ("outcome", page::outcome_field(outcomes, Html::default())),
        ("total", Html::text(total(&session.item, country))),
    ];
    let main = Html::fill(FORM, &values);
    layout(session, country, "Checkout", main).page(StatusCode::OK)
}

fn failures(state: &State, session: &Session) -> usize {
    state.attempts(&session.id).filter(|p| p.status == PaymentStatus::Failed).count()
}

/// Tells how the last attempt ended.
fn ended(last: &Payment, attempts_left: usize) -> Html {
    if last.status == PaymentStatus::Cancelled {
        return alert("Your last attempt was cancelled", "You have not been charged.");
    }
    let reason = match last.error.as_ref().map(|error| error.code.as_str()) {
        Some("insufficient_funds") => "There is not enough money for it.",
        Some(_) | None => "Your bank gave no reason.",
    };
    let left = match attempts_left {
        1 => "One attempt is left.".to_owned(),
        count => format!("{count} attempts are left."),
    };
    alert(
        "Your payment was declined",
        format!("{reason} Try again or choose another method. {left}"),
    )
}

fn layout(session: &Session, country: Option<&str>, heading: &str, main: Html) -> Html {
    let item = &session.item;
    let due = session.tax.or_else(|| country.map(|country| tax(item.price, country)));
    let tax_line = match due {
        Some(cents) => money(cents.into(), &item.currency),
        None => "Depends on your country".to_owned(),
    };
    let status = serde_json::to_value(session.status).unwrap_or_default();
    let mut lines = named_line("price", "Item", money(item.price.into(), &item.currency));
    lines.push(&named_line("tax", "Tax", tax_line));
    BRAND.checkout(Checkout {
        heading,
        mode: "Test mode",
        shop: &game_name(session),
        picture: image(item),
        title: &item.title,
        total: &total(item, country),
        lines,
        below: Html::default(),
        status: status.as_str().unwrap_or_default(),
        id: &session.id,
        main,
    })
}

/// The item's picture, or its first letter where there is none that a browser could show.
fn image(item: &Item) -> Html {
    let shown = item.image.as_deref().filter(|image| match image.strip_prefix("data:") {
        Some(data) => data.split_once(',').is_some_and(|(_, data)| STANDARD.decode(data).is_ok()),
        None => true,
    });
    if let Some(url) = shown {
        let template = r#"<img class="picture" src="{{url}}" alt="">"#;
        return Html::fill(template, &[("url", Html::text(url))]);
    }
    let letter = item.title.chars().find(|letter| letter.is_alphanumeric()).unwrap_or('T');
    let letter: String = letter.to_uppercase().collect();
    let template = r#"<p class="picture" aria-hidden="true">{{letter}}</p>"#;
    Html::fill(template, &[("letter", Html::text(letter))])
}

fn total(item: &Item, country: Option<&str>) -> String {
    let tax = country.map_or(0, |country| tax(item.price, country));
    money(i64::from(item.price) + i64::from(tax), &item.currency)
}

/// Cents as people read them. The currencies of this provider all have two decimals.
fn money(cents: i64, currency: &str) -> String {
    page::money(format_args!("{}.{:02}", cents / 100, cents % 100), currency)
}

/// `space_shooter` is shown as "Space Shooter".
fn game_name(session: &Session) -> String {
    let words = session.game_id.split(['_', '-']).filter(|word| !word.is_empty());
    let capital = |word: &str| {
        let mut letters = word.chars();
        let first: String = letters.next().map(char::to_uppercase).into_iter().flatten().collect();
        format!("{first}{}", letters.as_str())
    };
    words.map(capital).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_reads_as_people_write_it() {
        assert_eq!(money(499, "USD"), "$4.99");
        assert_eq!(money(5, "EUR"), "€0.05");
        assert_eq!(money(123_456, "SEK"), "SEK 1234.56");
    }
}
