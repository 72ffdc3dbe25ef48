//! Words of a provider, before they go into an error.

use http::header::CONTENT_TYPE;
use secrecy::{ExposeSecret, SecretString};

use super::HttpResponse;
use crate::Error;

/// How much of the provider's words is kept, in characters.
const MAX_WORDS: usize = 300;

/// The provider's words, fit for a log line: no control characters, not too many, and without
/// `secrets`, since a server can quote our request back. These are taken out before anything is
/// cut, so that no part of one is left. Name each in every form in which it goes over the wire.
#[must_use]
pub fn fit_words(words: &str, secrets: &[SecretString]) -> String {
    let secrets = secrets.iter().map(ExposeSecret::expose_secret).filter(|text| !text.is_empty());
    let words = secrets.fold(words.to_owned(), |words, secret| words.replace(secret, "[redacted]"));
    let printable = words.chars().map(|char| if char.is_control() { ' ' } else { char });
    printable.take(MAX_WORDS).collect::<String>().trim().to_owned()
}

impl HttpResponse {
    /// The error for a refusal whose body is not in the provider's own format: something on the
    /// way answered, perhaps, so the status alone says little. What it wrote can hold anything,
    /// people's data too, so only its type and length are kept.
    #[must_use]
    pub fn unrecognized(&self, secrets: &[SecretString]) -> Error {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = fit_words(kind.unwrap_or("no stated type"), secrets);
        let length = self.body.len();
        self.refusal(false).with_source(format!("the body is {length} bytes of {kind}"))
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::{Effect, transport::Purpose};

    #[test]
    fn words_fit_a_log_line() {
        assert_eq!(fit_words("a\r\nb\u{7f}c\u{1b}[31m", &[]), "a  b c [31m");
        assert_eq!(fit_words(&"é".repeat(1000), &[]).chars().count(), MAX_WORDS);
    }

    #[test]
    fn secrets_are_taken_out_before_words_are_cut() {
        let secrets = ["secret-key", "c2VjcmV0LWtleQ==", ""].map(SecretString::from);
        let words = format!("{}secret-key c2VjcmV0LWtleQ==", "x".repeat(MAX_WORDS - 3));
        assert!(!fit_words(&words, &secrets).contains("sec"));
        let words = fit_words("secret-key, Basic c2VjcmV0LWtleQ==", &secrets);
        assert_eq!(words, "[redacted], Basic [redacted]");
    }

    /// It can be a page about a person: only what it was is kept, for whoever looks into it.
    #[test]
    fn a_body_of_something_on_the_way_is_not_kept() {
        let kind = HeaderValue::from_static("text/html; of=secret-key");
        let response = HttpResponse {
            purpose: Purpose::Mutate,
            status: StatusCode::FORBIDDEN,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, kind)]),
            body: "<p>jane@example.com</p>".into(),
        };
        let error = response.unrecognized(&[SecretString::from("secret-key")]);
        assert_eq!(error.effect(), Effect::Possible);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("jane") && !shown.contains("secret-key"), "{shown}");
        assert!(shown.contains("23 bytes of text/html"), "{shown}");
    }
}
