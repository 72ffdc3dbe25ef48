//! Who may call: bearer tokens of end users.

use std::collections::BTreeMap;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::accounts::USUAL_USER;
use super::errors::{Refusal, Wrong};
use super::state::{Moment, State};

const SCOPE: &str = "accounts:create accounts:read";

/// The tokens that were given out.
#[derive(Debug, Default)]
pub(super) struct Access {
    tokens: BTreeMap<String, Token>,
    /// The user of each refresh token that was not used yet.
    refresh_tokens: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Token {
    user: String,
    expires: Timestamp,
}

/// The answer of the token endpoint.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Issued {
    pub(super) access_token: String,
    token_type: &'static str,
    refresh_token: String,
    scope: &'static str,
    expires_in: u32,
    user_id: String,
}

impl State {
    /// The usual user has logged in before, with tokens that are known.
    pub(super) fn log_in_usual(&mut self, access: &str, refresh: &str, now: Timestamp) {
        self.insert_token(USUAL_USER, access.to_owned(), refresh.to_owned(), now);
    }

    /// Gives a user a fresh pair of tokens.
    pub(super) fn issue_token(
        &mut self,
        user: &str,
        moment: Moment<'_>,
    ) -> Result<Issued, Refusal> {
        self.user(user)?;
        let [access, refresh] = ["access_", "refresh_"].map(|kind| moment.random.id(kind));
        Ok(self.insert_token(user, access, refresh, moment.now))
    }

    fn insert_token(
        &mut self,
        user: &str,
        access: String,
        refresh: String,
        now: Timestamp,
    ) -> Issued {
        let expires = State::after(self.settings.token_seconds, now);
        let token = Token { user: user.to_owned(), expires };
        self.access.tokens.insert(access.clone(), token);
        self.access.refresh_tokens.insert(refresh.clone(), user.to_owned());
        Issued {
            access_token: access,
            token_type: "Bearer",
            refresh_token: refresh,
            scope: SCOPE,
            expires_in: self.settings.token_seconds,
            user_id: user.to_owned(),
        }
    }

    /// Ends every access token now. Refresh tokens stay.
    pub(super) fn expire_tokens(&mut self, now: Timestamp) {
        for token in self.access.tokens.values_mut() {
            token.expires = token.expires.min(now);
        }
    }

    /// Log-in by address and password, or refresh; a refresh token works once.
    pub(super) fn token(
        &mut self,
        headers: &HeaderMap,
        body: &Map<String, Value>,
        moment: Moment<'_>,
    ) -> Result<Issued, Refusal> {
        self.check_partner(headers)?;
        let text = |name: &str| {
            let value = body.get(name).and_then(Value::as_str);
            value.filter(|value| !value.is_empty())
        };
        let required = |name: &str| {
            let missing =
                || Refusal::Invalid(vec![Wrong::new(name, format!("{name} is required"))]);
            text(name).map(str::to_owned).ok_or_else(missing)
        };
        let header = headers.get("grantType").and_then(|grant| grant.to_str().ok());
        match text("grant_type").or(header).unwrap_or("password_email") {
            "refresh_token" => {
                let refresh = required("refresh_token")?;
                let user = self.access.refresh_tokens.remove(&refresh);
                let invalid = || Refusal::Unauthorized("Refresh token is not valid".to_owned());
                self.issue_token(&user.ok_or_else(invalid)?, moment)
            }
            "password" | "password_email" => {
                let name = if text("username").is_some() { "username" } else { "email" };
                let (email, password) = (required(name)?, required("password")?);
                let is_right = |user: &&String| {
                    let user = self.users.get(user.as_str());
                    user.is_some_and(|user| user.email == email && user.password == password)
                };
                let user = self.users.keys().find(is_right).cloned();
                let invalid = || Refusal::Unauthorized("Bad credentials".to_owned());
                self.issue_token(&user.ok_or_else(invalid)?, moment)
            }
            _ => Err(Refusal::invalid("grant_type", "grant type is not supported")),
        }
    }

    /// Whose token a request carries.
    pub(super) fn authenticate(
        &self,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let header = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let bearer =
            header.and_then(|header| header.split_once(' ')).and_then(|(scheme, token)| {
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            });
        let unauthorized = |message: String| Err(Refusal::Unauthorized(message));
        let Some(token) = bearer else {
            return unauthorized("Full authentication is required".to_owned());
        };
        let Some(token) = self.access.tokens.get(token) else {
            return unauthorized("Token is not valid".to_owned());
        };
        if token.expires <= now {
            return unauthorized(format!("Token expired at {:.3}", token.expires));
        }
        self.check_partner(headers)?;
        Ok(token.user.clone())
    }

    /// The header may be left out unless it is required, and must be right where it is sent.
    fn check_partner(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let settings = &self.settings;
        let right = match headers.get("partnerId") {
            Some(partner) => partner.as_bytes() == settings.partner_id.as_bytes(),
            None => !settings.partner_id_required,
        };
        if right { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}
