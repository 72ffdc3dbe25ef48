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

const LAYOUT: &str = include_str!("../assets/layout.html");
const FORM: &str = include_str!("../assets/form.html");
const END: &str = include_str!("../assets/end.html");

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

/// One closing view: badge, heading, explanation.
struct End {
    kind: &'static str,
    sign: &'static str,
    heading: &'static str,
    text: &'static str,
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
    let main = end.html(Some(session));
    layout(session, country.as_deref(), end.heading, main).page(status)
}

/// There is no such session.
pub(super) fn unknown() -> Response {
    let end = End {
        kind: "bad",
        sign: "?",
        heading: "Checkout not found",
        text: "This link is wrong or no longer known. Start again from your game.",
    };
    let template = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Checkout not found</title><link rel=\"stylesheet\" href=\"/assets/sandbox.css\">\
         </head><body><main class=\"sheet single\"><section class=\"panel\">{{main}}</section></main></body></html>";
    Html::fill(template, &[("main", end.html(None))]).page(StatusCode::NOT_FOUND)
}

impl End {
    fn html(&self, session: Option<&Session>) -> Html {
        let link = session.map(|session| {
            let template =
                r#"<a class="button primary" id="return" href="{{url}}">Return to {{game}}</a>"#;
            let url = Html::text(&session.return_url);
            Html::fill(template, &[("url", url), ("game", Html::text(game_name(session)))])
        });
        let values = [
            ("kind", Html::text(self.kind)),
            ("sign", Html::text(self.sign)),
            ("heading", Html::text(self.heading)),
            ("text", Html::text(self.text)),
            ("link", link.unwrap_or_default()),
        ];
        Html::fill(END, &values)
    }
}

fn pay_page(state: &State, session: &Session, choices: &Choices, notice: Option<&str>) -> Response {
    let country = choices.country.as_deref().or(session.item.country.as_deref());
    let last = state.attempts(&session.id).last();
    let notice = match (notice, last) {
        (Some(notice), _) => alert("Almost there", notice),
        (None, Some(last)) => ended(last, ATTEMPTS.saturating_sub(failures(state, session))),
        (None, None) => Html::default(),
    };
    let mut methods = Html::default();
    for (method, word, label) in Method::OFFERED {
        if method == Method::ToffeeWallet && !state.offers_wallet(session) {
            continue;
        }
        let template = r#"<label><input type="radio" name="method" value="{{word}}"{{checked}}> {{label}}</label>"#;
        let checked = if method == choices.method { " checked" } else { "" };
        methods.push(&Html::fill(
            template,
            &[
                ("word", Html::text(word)),
                ("label", Html::text(label)),
                ("checked", Html::text(checked)),
            ],
        ));
    }
    let values = [
        ("notice", notice),
        ("path", Html::text(format!("{}{}", state.checkout.path(), session.id))),
        ("methods", methods),
        ("countries", options(countries(), country)),
        ("outcomes", options(OUTCOMES.into_iter(), Some(&choices.outcome))),
        ("total", Html::text(total(&session.item, country))),
    ];
    let main = Html::fill(FORM, &values);
    layout(session, country, "Checkout", main).page(StatusCode::OK)
}

fn options<'a>(known: impl Iterator<Item = (&'a str, &'a str)>, chosen: Option<&str>) -> Html {
    let mut html = Html::default();
    for (value, label) in known {
        let selected = if Some(value) == chosen { " selected" } else { "" };
        html.push(&Html::fill(
            r#"<option value="{{value}}"{{selected}}>{{label}}</option>"#,
            &[
                ("value", Html::text(value)),
                ("label", Html::text(label)),
                ("selected", Html::text(selected)),
            ],
        ));
    }
    html
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
        &format!("{reason} Try again or choose another method. {left}"),
    )
}

fn alert(heading: &str, text: &str) -> Html {
    let template =
        r#"<p class="notice" role="alert" id="notice"><strong>{{heading}}</strong> {{text}}</p>"#;
    Html::fill(template, &[("heading", Html::text(heading)), ("text", Html::text(text))])
}

fn layout(session: &Session, country: Option<&str>, heading: &str, main: Html) -> Html {
    let item = &session.item;
    let due = session.tax.or_else(|| country.map(|country| tax(item.price, country)));
    let tax_line = match due {
        Some(cents) => money(cents.into(), &item.currency),
        None => "Depends on your country".to_owned(),
    };
    let status = serde_json::to_value(session.status).unwrap_or_default();
    let values = [
        ("heading", Html::text(heading)),
        ("game", Html::text(game_name(session))),
        ("image", image(item)),
        ("title", Html::text(&item.title)),
        ("price", Html::text(money(item.price.into(), &item.currency))),
        ("tax", Html::text(tax_line)),
        ("total", Html::text(total(item, country))),
        ("status", Html::text(status.as_str().unwrap_or_default())),
        ("session", Html::text(&session.id)),
        ("main", main),
    ];
    Html::fill(LAYOUT, &values)
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
    let amount = format!("{}.{:02}", cents / 100, cents % 100);
    match currency {
        "USD" => format!("${amount}"),
        "EUR" => format!("€{amount}"),
        "GBP" => format!("£{amount}"),
        other => format!("{other} {amount}"),
    }
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
