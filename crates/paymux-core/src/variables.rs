//! Settings from variables, as an environment has them: each adapter reads its own by the same
//! rules, and every error names the variable.

use std::{fmt, str::FromStr, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::{Currency, Error, ProviderId, Result};

/// Variables by name, from the environment or from wherever else. An empty one counts as missing.
///
/// Every error is `Configuration` without effect and names the variable. What was set is not quoted:
/// it can be a secret that was put into the wrong place.
pub struct Variables<F>(F);

/// Nothing of what is set is shown.
impl<F> fmt::Debug for Variables<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables").finish_non_exhaustive()
    }
}

impl<F: Fn(&str) -> Option<String>> Variables<F> {
    /// Variables that `read` knows by name.
    pub const fn new(read: F) -> Self {
        Self(read)
    }

    /// The text as it is set, if it is.
    pub fn text(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The text, which has to be there.
    ///
    /// # Errors
    /// When it is missing.
    pub fn required(&self, name: &str) -> Result<String> {
        required(name, self.text(name))
    }

    /// The account's name; `missing` where there is none.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn id(&self, name: &str, missing: &str) -> Result<ProviderId> {
        let id = self.text(name).unwrap_or_else(|| missing.to_owned());
        ProviderId::new(id).map_err(|error| Error::configuration(name, error.message()))
    }

    /// A URL, if it is set. Whether it is fit to call is for [`check::base_url`](crate::check::base_url).
    ///
    /// # Errors
    /// When it is none.
    pub fn url(&self, name: &str) -> Result<Option<Url>> {
        self.parsed(name, "a URL")
    }

    /// A URL, which has to be there.
    ///
    /// # Errors
    /// When it is missing or none.
    pub fn required_url(&self, name: &str) -> Result<Url> {
        required(name, self.url(name)?)
    }

    /// A value that can be read from text; `what` says which, such as `a whole number`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn parsed<T: FromStr>(&self, name: &str, what: &str) -> Result<Option<T>> {
        let parse = |text: String| text.parse().map_err(|_| must_be(name, what));
        self.text(name).map(parse).transpose()
    }

    /// Whole seconds, if they are set.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn seconds(&self, name: &str) -> Result<Option<Duration>> {
        Ok(self.parsed(name, "whole seconds")?.map(Duration::from_secs))
    }

    /// `true` or `false`; `missing` where neither is set.
    ///
    /// # Errors
    /// For any other word.
    pub fn flag(&self, name: &str, missing: bool) -> Result<bool> {
        Ok(self.choice(name, &[("true", true), ("false", false)])?.unwrap_or(missing))
    }

    /// What one of these words stands for, if one is set.
    ///
    /// # Errors
    /// For any other word.
    pub fn choice<T: Clone>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meant)) => Ok(Some(meant.clone())),
            None => Err(must_be(name, &one_of(words))),
        }
    }

    /// The same, where a word has to be there.
    ///
    /// # Errors
    /// When it is missing, and for any other word.
    pub fn required_choice<T: Clone>(&self, name: &str, words: &[(&str, T)]) -> Result<T> {
        required(name, self.choice(name, words)?)
    }

    /// Secrets, separated by white space.
    pub fn secrets(&self, name: &str) -> Vec<SecretString> {
        let list = self.text(name).unwrap_or_default();
        list.split_whitespace().map(SecretString::from).collect()
    }

    /// Currencies outside ISO 4217, as `USDT/6`, separated by white space.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn currencies(&self, name: &str) -> Result<Vec<Currency>> {
        let list = self.text(name).unwrap_or_default();
        let read = |code: &str| {
            code.parse().map_err(|error: Error| Error::configuration(name, error.message()))
        };
        list.split_whitespace().map(read).collect()
    }
}

fn required<T>(name: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| Error::configuration(name, "must be set in the environment"))
}

fn must_be(name: &str, what: &str) -> Error {
    Error::configuration(name, format!("must be {what}"))
}

/// `live or sandbox`; `inline, wrapped or separate`.
fn one_of<T>(words: &[(&str, T)]) -> String {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    match words.as_slice() {
        [others @ .., before, last] => {
            let others: String = others.iter().map(|word| format!("{word}, ")).collect();
            format!("{others}{before} or {last}")
        }
        few => few.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Effect, ErrorKind};

    fn set(pairs: &'static [(&str, &str)]) -> Variables<impl Fn(&str) -> Option<String>> {
        let find = |name: &str| pairs.iter().find(|(known, _)| *known == name);
        Variables::new(move |name| find(name).map(|(_, value)| (*value).to_owned()))
    }

    fn refused<T: fmt::Debug>(result: Result<T>) -> String {
        let error = result.expect_err("a refusal");
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Configuration, Effect::None));
        assert_eq!(error.field(), Some("A"));
        assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        error.message().to_owned()
    }

    #[test]
    fn an_empty_variable_is_missing() {
        let variables = set(&[("A", "")]);
        assert_eq!(variables.text("A"), None);
        assert_eq!(refused(variables.required("A")), "must be set in the environment");
        assert_eq!(refused(variables.required_url("A")), "must be set in the environment");
        let words = [("live", 1), ("test", 2)];
        assert_eq!(
            refused(variables.required_choice("A", &words)),
            "must be set in the environment"
        );
        assert!(matches!(variables.url("A"), Ok(None)));
        assert!(matches!(variables.choice("A", &words), Ok(None)));
        assert!(matches!(variables.flag("A", true), Ok(true)));
        assert!(variables.secrets("A").is_empty());
        assert_eq!(variables.id("A", "ramp").expect("an id").as_str(), "ramp");
    }

    #[test]
    fn what_cannot_be_read_is_refused_and_not_quoted() {
        let variables = set(&[("A", "canary ")]);
        assert_eq!(refused(variables.url("A")), "must be a URL");
        assert_eq!(refused(variables.seconds("A")), "must be whole seconds");
        assert_eq!(refused(variables.parsed::<i64>("A", "a number")), "must be a number");
        assert_eq!(refused(variables.flag("A", true)), "must be true or false");
        let words = [("live", 1), ("test", 2), ("off", 3)];
        assert_eq!(refused(variables.choice("A", &words)), "must be live, test or off");
        refused(variables.id("A", "ramp"));
        refused(variables.currencies("A"));
    }

    #[test]
    fn lists_are_separated_by_white_space() {
        let variables = set(&[("A", " USDT/6  BTC/8\n"), ("B", "90")]);
        let currencies = variables.currencies("A").expect("currencies");
        let codes: Vec<&str> = currencies.iter().map(Currency::code).collect();
        assert_eq!(codes, ["USDT", "BTC"]);
        assert_eq!(variables.secrets("A").len(), 2);
        assert_eq!(variables.seconds("B").expect("seconds"), Some(Duration::from_secs(90)));
        assert!(!format!("{variables:?}").contains("USDT"));
    }
}
