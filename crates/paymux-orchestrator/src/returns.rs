//! The payer comes back. A return proves nothing: it says which payment to look at.

use std::{collections::BTreeSet, fmt};

use paymux_core::{Error, Random, Result, Url};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::PaymentId;

/// The longest URL that browsers and providers are known to take.
const LONGEST: usize = 2_048;

/// The name of the token in the query of a return URL.
pub(crate) const NAME: &str = "paymux_return";

/// The secret half of the token in a return URL. Printed, it shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReturnToken(String);

impl ReturnToken {
    /// A fresh one: 160 random bits.
    pub(crate) fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0_u8; 20];
        random.fill(&mut bytes);
        Self(hex::encode(bytes))
    }

    /// The secret itself, for a return URL.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compared by digest, so that the time it takes tells nothing about the secret.
    pub(crate) fn is(&self, given: &str) -> bool {
        Sha256::digest(given.as_bytes()) == Sha256::digest(self.0.as_bytes())
    }
}

impl fmt::Debug for ReturnToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnToken(..)")
    }
}

/// The merchant's return URL with the token of this payment in its query.
pub(crate) fn add_token(url: &Url, id: &PaymentId, secret: &ReturnToken) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair(NAME, &format!("{id}.{}", secret.expose()));
    url
}

/// The URL as it may be printed: without the tokens in it.
pub(crate) fn without_token(url: &Url) -> Url {
    let others = url.query_pairs().filter(|(name, _)| name != NAME);
    let others: Vec<(String, String)> = others.map(|(k, v)| (k.into(), v.into())).collect();
    let mut shown = url.clone();
    shown.set_query(None);
    if !others.is_empty() {
        shown.query_pairs_mut().extend_pairs(others);
    }
    shown
}

/// The hosts that a payer may be sent back to, with the port where it is not that of https.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReturnHosts(Option<BTreeSet<String>>);

impl ReturnHosts {
    /// These, and no others.
    pub(crate) fn only(hosts: &[String]) -> Result<Self> {
        let read = |host: &String| {
            let url = Url::parse(&format!("https://{host}/")).ok();
            let is_whole =
                |url: &Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
            url.filter(|url| is_whole(url) && !names_a_user(url)).and_then(|url| host_of(&url))
        };
        let hosts: Option<BTreeSet<String>> = hosts.iter().map(read).collect();
        let hosts = hosts.filter(|hosts| !hosts.is_empty());
        let message =
            "must be hosts, such as \"shop.example\" or \"shop.example:8443\", and one at least";
        hosts
            .map(|hosts| Self(Some(hosts)))
            .ok_or_else(|| Error::configuration("return_hosts", message))
    }

    /// May a payer be sent back there? Whoever can have a payment asked for must not be able to send
    /// payers anywhere.
    pub(crate) fn check(&self, url: &Url) -> Result<()> {
        let refused = |message: &str| Err(Error::invalid_request("return_url", message));
        if url.as_str().len() > LONGEST {
            return refused("must have 2,048 characters at most");
        }
        if names_a_user(url) {
            return refused("must name no user and no password");
        }
        let Some(hosts) = &self.0 else { return Ok(()) };
        if url.scheme() != "https" || !host_of(url).is_some_and(|host| hosts.contains(&host)) {
            return refused("must be https, at one of the hosts that are set");
        }
        if url.fragment().is_some() { refused("must have no fragment") } else { Ok(()) }
    }
}

fn names_a_user(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Which payment a return is about, and the secret that proves that it is.
pub(crate) fn read_token(url: &Url) -> Result<(PaymentId, String)> {
    let missing = || Error::invalid_request("return_url", format!("must hold {NAME} in its query"));
    let mut tokens = url.query_pairs().filter(|(name, _)| name == NAME);
    let (_, token) = tokens.next().ok_or_else(missing)?;
    if tokens.next().is_some() {
        return Err(Error::invalid_request("return_url", format!("must hold {NAME} once")));
    }
    let (id, secret) = token.split_once('.').ok_or_else(missing)?;
    Ok((id.parse().map_err(|_| missing())?, secret.to_owned()))
}

#[cfg(test)]
mod tests {
    use paymux_core::{ErrorKind, SeededRandom};

    use super::*;
    use crate::testing::record;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_token_comes_back_as_it_went_whatever_the_url_is() {
        let id = record().id;
        let secret = ReturnToken::generate(&SeededRandom::new(1));
        assert_eq!(secret.0.len(), 40);
        let urls = [
            "https://shop.example/done",
            "https://shop.example/done?order=1&paymux=2#top",
            "shop-app://done",
            "shop-app:done?x=%2F",
        ];
        for text in urls {
            let sent = add_token(&url(text), &id, &secret);
            let mut back = sent.clone();
            // Providers add what is theirs.
            back.query_pairs_mut().append_pair("session", "1");
            let (read, given) = read_token(&back).unwrap();
            assert_eq!(read, id, "{text}");
            assert!(secret.is(&given), "{text}");
            assert_eq!(without_token(&sent), url(text), "what is printed holds no token");
            assert_eq!(sent.fragment(), url(text).fragment());
            assert!(sent.as_str().starts_with(text.split('#').next().unwrap()), "{sent}");
        }
    }

    #[test]
    fn a_payer_is_sent_back_to_the_hosts_that_are_set_and_nowhere_else() {
        let hosts = ["Shop.example".to_owned(), "shop.example:8443".to_owned()];
        let set = ReturnHosts::only(&hosts).unwrap();
        let any = ReturnHosts::default();
        let long = format!("https://shop.example/{}", "a".repeat(2_048 - 21));
        let table = [
            ("https://shop.example/done?order=1", true, true),
            ("https://SHOP.example:443/", true, true),
            ("https://shop.example:8443/", true, true),
            (long.as_str(), true, true),
            ("https://shop.example:9443/", true, false),
            ("http://shop.example/", true, false),
            ("https://other.example/", true, false),
            ("https://shop.example.other.example/", true, false),
            ("https://www.shop.example/", true, false),
            ("https://shop.example/#top", true, false),
            ("shop-app://done", true, false),
            ("shop-app:done", true, false),
            ("https://shop.example@other.example/", false, false),
            ("https://me:secret@shop.example/", false, false),
            (&format!("{long}a"), false, false),
        ];
        for (text, without, with) in table {
            for (hosts, expected) in [(&any, without), (&set, with)] {
                let answer = hosts.check(&url(text));
                assert_eq!(answer.is_ok(), expected, "{text}");
                let field = answer.err().and_then(|error| error.field().map(str::to_owned));
                assert_eq!(field.as_deref(), (!expected).then_some("return_url"), "{text}");
            }
        }
    }

    #[test]
    fn hosts_that_are_none_are_refused() {
        let wrong =
            ["", "shop.example/done", "https://shop.example", "me@shop.example", "a b", "x?y"];
        for host in wrong {
            let error = ReturnHosts::only(&[host.to_owned()]).unwrap_err();
            assert_eq!(
                (error.kind(), error.field()),
                (ErrorKind::Configuration, Some("return_hosts"))
            );
        }
        assert!(ReturnHosts::only(&[]).is_err(), "a list of none would let nobody come back");
    }

    #[test]
    fn what_is_missing_twice_or_garbled_is_refused() {
        let id = record().id;
        let wrong = [
            "https://shop.example/done".to_owned(),
            format!("https://shop.example/done?paymux_return={id}"),
            "https://shop.example/done?paymux_return=pay_1.secret".to_owned(),
            "https://shop.example/done?paymux_return=.".to_owned(),
            format!("https://shop.example/?paymux_return={id}.a&paymux_return={id}.a"),
            format!("https://shop.example/#paymux_return={id}.a"),
        ];
        for text in wrong {
            let error = read_token(&url(&text)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text}");
            assert_eq!(error.field(), Some("return_url"), "{text}");
        }
    }

    #[test]
    fn a_secret_is_that_secret_and_nothing_near_it() {
        let secret = ReturnToken("secret".to_owned());
        for given in ["", "secre", "secrets", "SECRET", " secret"] {
            assert!(!secret.is(given), "{given}");
        }
        assert!(secret.is("secret"));
        assert_eq!(format!("{secret:?}"), "ReturnToken(..)");
    }
}
