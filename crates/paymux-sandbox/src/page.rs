//! What the pages of all providers have in common: one layout, one way to end, the same fields.
//! A provider adds its brand, its words and its form.

use std::fmt::Display;

use crate::html::Html;

const PAGE: &str = include_str!("assets/page.html");
const CHECKOUT: &str = include_str!("assets/checkout.html");
const END: &str = include_str!("assets/end.html");
const OUTCOME: &str = include_str!("assets/outcome.html");

/// How a provider shows itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brand {
    /// In titles, such as `MilkyPay`.
    pub(crate) name: &'static str,
    /// One letter, beside the shop's name.
    pub(crate) mark: &'static str,
    /// The class in the style sheet that sets its colors.
    pub(crate) class: &'static str,
    /// For whom the sandbox plays the page: `Played by the paymux sandbox for …`.
    pub(crate) played_for: &'static str,
    /// What the id in the footer is of, such as `Invoice`.
    pub(crate) object: &'static str,
}

/// A page with a summary of what is paid for, and the form or the end beside it.
#[derive(Clone, Debug)]
pub(crate) struct Checkout<'a> {
    /// In the title.
    pub(crate) heading: &'a str,
    /// Why no money moves, such as `Test mode`.
    pub(crate) mode: &'a str,
    pub(crate) shop: &'a str,
    pub(crate) picture: Html,
    /// What is paid for.
    pub(crate) title: &'a str,
    /// With its currency.
    pub(crate) total: &'a str,
    /// What the total is made of, by [`line`], [`detail_line`] and [`named_line`].
    pub(crate) lines: Html,
    /// What stands below the total.
    pub(crate) below: Html,
    /// The provider's word for where the payment stands.
    pub(crate) status: &'a str,
    pub(crate) id: &'a str,
    pub(crate) main: Html,
}

impl Brand {
    /// A page with a summary.
    pub(crate) fn checkout(&self, page: Checkout<'_>) -> Html {
        let values = [
            ("mode", Html::text(page.mode)),
            ("mark", Html::text(self.mark)),
            ("shop", Html::text(page.shop)),
            ("picture", page.picture),
            ("title", Html::text(page.title)),
            ("total", Html::text(page.total)),
            ("lines", page.lines),
            ("below", page.below),
            ("status", Html::text(page.status)),
            ("played_for", Html::text(self.played_for)),
            ("object", Html::text(self.object)),
            ("id", Html::text(page.id)),
            ("main", page.main),
        ];
        self.page(page.heading, Html::fill(CHECKOUT, &values))
    }

    /// A page of one panel.
    pub(crate) fn single(&self, heading: &str, main: Html) -> Html {
        let template = r#"<p class="testmode">Sandbox: no money moves</p>
<main class="sheet single"><section class="panel">{{main}}</section></main>"#;
        self.page(heading, Html::fill(template, &[("main", main)]))
    }

    fn page(&self, heading: &str, body: Html) -> Html {
        let values = [
            ("heading", Html::text(heading)),
            ("brand", Html::text(self.name)),
            ("class", Html::text(self.class)),
            ("body", body),
        ];
        Html::fill(PAGE, &values)
    }
}

/// One closing view: badge, heading, explanation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// The badge's color: `good`, `bad` or `wait`.
    pub(crate) kind: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) heading: &'static str,
    pub(crate) text: &'static str,
}

impl End {
    pub(crate) const UNKNOWN: End = End {
        kind: "bad",
        sign: "?",
        heading: "Payment not found",
        text: "This link is wrong or no longer known. Start again from the shop.",
    };

    pub(crate) const BROKEN: End = End {
        kind: "bad",
        sign: "!",
        heading: "This link is broken",
        text: "It came here without what belongs to it. Start again from the shop.",
    };

    /// With what comes after the explanation, such as the way back.
    pub(crate) fn html(&self, more: Html) -> Html {
        let values = [
            ("kind", Html::text(self.kind)),
            ("sign", Html::text(self.sign)),
            ("heading", Html::text(self.heading)),
            ("text", Html::text(self.text)),
            ("more", more),
        ];
        Html::fill(END, &values)
    }
}

/// The way back to the merchant when all is decided.
pub(crate) fn return_link(url: impl AsRef<str>, shop: &str) -> Html {
    let template = r#"<a class="button primary" id="return" href="{{url}}">Return to {{shop}}</a>"#;
    Html::fill(template, &[("url", Html::text(url)), ("shop", Html::text(shop))])
}

/// The way back to the merchant with nothing decided.
pub(crate) fn leave_link(url: impl AsRef<str>, words: impl AsRef<str>) -> Html {
    let template = r#"<p class="leave"><a id="leave" href="{{url}}">{{words}}</a></p>"#;
    Html::fill(template, &[("url", Html::text(url)), ("words", Html::text(words))])
}

/// What went wrong with the last attempt.
pub(crate) fn alert(heading: &str, text: impl AsRef<str>) -> Html {
    let template =
        r#"<p class="notice" role="alert" id="notice"><strong>{{heading}}</strong> {{text}}</p>"#;
    Html::fill(template, &[("heading", Html::text(heading)), ("text", Html::text(text))])
}

/// A line of the summary.
pub(crate) fn line(label: impl AsRef<str>, amount: impl AsRef<str>) -> Html {
    let values = [("label", Html::text(label)), ("amount", Html::text(amount))];
    Html::fill("<div><dt>{{label}}</dt><dd>{{amount}}</dd></div>", &values)
}

/// What the line before it is for: a part of its amount, which the total does not count again.
pub(crate) fn detail_line(label: impl AsRef<str>, amount: impl AsRef<str>) -> Html {
    let values = [("label", Html::text(label)), ("amount", Html::text(amount))];
    Html::fill(r#"<div class="detail"><dt>{{label}}</dt><dd>{{amount}}</dd></div>"#, &values)
}

/// A line of the summary whose amount has an id.
pub(crate) fn named_line(id: &str, label: impl AsRef<str>, amount: impl AsRef<str>) -> Html {
    let template = r#"<div><dt>{{label}}</dt><dd id="{{id}}">{{amount}}</dd></div>"#;
    let values =
        [("id", Html::text(id)), ("label", Html::text(label)), ("amount", Html::text(amount))];
    Html::fill(template, &values)
}

/// The choices of a list: each a value and what it is called.
pub(crate) fn options<'a>(
    known: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: Option<&str>,
) -> Html {
    let template = r#"<option value="{{value}}"{{chosen}}>{{label}}</option>"#;
    choices(template, " selected", known, chosen)
}

/// The ways to pay: each a value and what it is called.
pub(crate) fn methods<'a>(
    known: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: Option<&str>,
) -> Html {
    let template = r#"<label><input type="radio" name="method" value="{{value}}"{{chosen}}> {{label}}</label>"#;
    choices(template, " checked", known, chosen)
}

fn choices<'a>(
    template: &str,
    mark: &str,
    known: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: Option<&str>,
) -> Html {
    let mut list = Html::default();
    for (value, label) in known {
        let values = [
            ("value", Html::text(value)),
            ("label", Html::text(label)),
            ("chosen", Html::text(if Some(value) == chosen { mark } else { "" })),
        ];
        list.push(&Html::fill(template, &values));
    }
    list
}

/// What the payer's bank will answer, a list of [`options`], and more that is only played.
pub(crate) fn outcome_field(outcomes: Html, more: Html) -> Html {
    Html::fill(OUTCOME, &[("outcomes", outcomes), ("more", more)])
}

/// An amount with its currency, as people read it.
pub(crate) fn money(amount: impl Display, currency: &str) -> String {
    match sign(currency) {
        Some(sign) => format!("{sign}{amount}"),
        None => format!("{currency} {amount}"),
    }
}

/// The sign of a currency that people know by it.
pub(crate) fn sign(currency: &str) -> Option<&'static str> {
    match currency {
        "USD" => Some("$"),
        "EUR" => Some("€"),
        "GBP" => Some("£"),
        _ => None,
    }
}
