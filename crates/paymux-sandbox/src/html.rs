//! Pages: text that is safe to show, templates, style.

use axum::Router;
use axum::response::Response;
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use url::Url;

use crate::reply::Reply;

/// Item images may come from anywhere; everything else comes from the sandbox. Forms have no
/// restriction, because paying leads on to the merchant's return URL.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
                      img-src http: https: data:; base-uri 'none'; frame-ancestors 'none'";

/// Schemes that would run or read something on the payer's machine when a page links to them.
const UNSAFE_SCHEMES: [&str; 6] = ["javascript", "data", "vbscript", "file", "blob", "about"];

/// Whether a page may link to a merchant's URL.
pub(crate) fn is_safe_link(url: &Url) -> bool {
    !UNSAFE_SCHEMES.contains(&url.scheme())
}

/// Text that may stand in a page as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Html(String);

impl Html {
    /// Escapes text for content and for quoted attributes.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        let mut html = String::with_capacity(text.len());
        for letter in text.chars() {
            match letter {
                '&' => html.push_str("&amp;"),
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '"' => html.push_str("&quot;"),
                '\'' => html.push_str("&#39;"),
                _ => html.push(letter),
            }
        }
        Html(html)
    }

    /// Puts values where the template says `{{name}}`. The template is read once from the
    /// beginning, so braces inside a value mean nothing; a name without a value leaves nothing.
    pub(crate) fn fill(template: &str, values: &[(&str, Html)]) -> Self {
        let mut html = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("{{") {
            html.push_str(before);
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
                html.push_str(&value.0);
            }
            rest = after;
        }
        html.push_str(rest);
        Html(html)
    }

    pub(crate) fn push(&mut self, more: &Html) {
        self.0.push_str(&more.0);
    }

    pub(crate) fn page(self, status: StatusCode) -> Response {
        self.reply(status).into_response()
    }

    pub(crate) fn reply(self, status: StatusCode) -> Reply {
        Reply::html(status, self.0)
            .with_header(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY))
            .with_header(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
            .with_header(REFERRER_POLICY, HeaderValue::from_static("no-referrer"))
            .with_header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }
}

/// The front page and what pages need.
pub(crate) fn routes() -> Router {
    let asset = |content_type: &'static str, body: &'static str| {
        get(async move || {
            Reply { content_type, ..Reply::text(StatusCode::OK, body) }.into_response()
        })
    };
    Router::new()
        .route(
            "/",
            get(async || Html(include_str!("assets/index.html").to_owned()).page(StatusCode::OK)),
        )
        .route(
            "/assets/sandbox.css",
            asset("text/css; charset=utf-8", include_str!("assets/sandbox.css")),
        )
        .route(
            "/assets/checkout.js",
            asset("text/javascript; charset=utf-8", include_str!("assets/checkout.js")),
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let html = Html::text(r#"<img src=x onerror="alert('1')"> & co"#);
        let expected = "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; co";
        assert_eq!(html, Html(expected.to_owned()));
    }

    #[test]
    fn a_value_cannot_name_another() {
        let values = [("a", Html::text("{{b}}")), ("b", Html::text("secret"))];
        let filled = Html::fill("<p>{{a}} {{b}} {{c}}</p>{{", &values);
        assert_eq!(filled, Html("<p>{{b}} secret </p>".to_owned()));
    }
}
