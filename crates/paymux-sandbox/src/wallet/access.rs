//! Who may call: client credentials, access tokens, time, replays and the rate limit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::errors::Refusal;
use super::mac::{Credentials, Signed};
use super::state::{Moment, State};
use crate::clock;
use crate::config::WalletConfig;

/// Who has called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The merchant's client.
    Client,
    /// The client, with an access token of a user.
    User { wallet: i64, scopes: Vec<String> },
}

/// An access token, or what one can be had for.
#[derive(Clone, Debug)]
struct Grant {
    wallet: i64,
    scopes: Vec<String>,
    mac_key: String,
    redirect_uri: Option<String>,
    expires: Timestamp,
}

/// What is remembered about callers.
#[derive(Debug, Default)]
pub(super) struct Access {
    /// Seen signatures by their time, so that old ones can be forgotten.
    seen: BTreeSet<(i64, String, String)>,
    /// When each caller called, as far as the rate limit looks back.
    calls: BTreeMap<String, VecDeque<Timestamp>>,
    tokens: BTreeMap<String, Grant>,
    refresh_tokens: BTreeMap<String, Grant>,
    codes: BTreeMap<String, Grant>,
}

/// How long a code of the authorization page can be used.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

impl State {
    /// Checks a signed request. `time` is the clock of signatures, `now` virtual time.
    pub(super) fn authenticate(
        &mut self,
        config: &WalletConfig,
        header: Option<&str>,
        signed: Signed<'_>,
        body: &[u8],
        (time, now): (Timestamp, Timestamp),
    ) -> Result<(Caller, Vec<(String, String)>), Refusal> {
        const WRONG: Refusal = Refusal::Unauthorized("Credentials missing or wrong");
        let credentials = header.and_then(Credentials::read).ok_or(WRONG)?;
        let (caller, key, expires) = if credentials.id == config.client_id {
            (Caller::Client, config.mac_key.clone(), None)
        } else {
            let grant = self.access.tokens.get(&credentials.id).ok_or(WRONG)?;
            let caller = Caller::User { wallet: grant.wallet, scopes: grant.scopes.clone() };
            (caller, grant.mac_key.clone(), Some(grant.expires))
        };
        if !credentials.matches(&key, signed, body) {
            return Err(WRONG);
        }
        self.check_time(&credentials, self.server_time(time))?;
        if expires.is_some_and(|at| at <= now) {
            return Err(Refusal::InvalidGrant("Token has expired"));
        }
        self.count_call(&credentials.id, now)?;
        Ok((caller, credentials.pairs()))
    }

    /// Refuses what was signed too early, too late, or was seen before.
    fn check_time(&mut self, credentials: &Credentials, now: Timestamp) -> Result<(), Refusal> {
        let decimal = credentials.ts.bytes().all(|byte| byte.is_ascii_digit());
        let ts = credentials.ts.parse::<i64>().ok().filter(|_| decimal);
        let ts = ts.ok_or(Refusal::Unauthorized("Timestamp is not valid"))?;
        let (now, window) = (now.as_second(), i64::from(self.settings.timestamp_window_seconds));
        if ts.saturating_sub(now) > window {
            return Err(Refusal::InvalidTimestamp("Timestamp is in future"));
        }
        if now.saturating_sub(ts) > window {
            return Err(Refusal::InvalidTimestamp("Timestamp lifetime exceeded"));
        }
        // What is older is refused for its age from now on.
        let oldest = now.saturating_sub(window);
        self.access.seen = self.access.seen.split_off(&(oldest, String::new(), String::new()));
        let seen = (ts, credentials.id.clone(), credentials.nonce.clone());
        if self.access.seen.insert(seen) {
            Ok(())
        } else {
            Err(Refusal::Unauthorized("Nonce was used before"))
        }
    }

    fn count_call(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        let Some(limit) = self.settings.rate_limit else { return Ok(()) };
        let from = clock::add(now, SignedDuration::from_secs(-i64::from(limit.seconds)));
        let calls = self.access.calls.entry(id.to_owned()).or_default();
        while calls.front().is_some_and(|at| *at <= from) {
            calls.pop_front();
        }
        if calls.len() >= usize::try_from(limit.requests).unwrap_or(usize::MAX) {
            return Err(Refusal::RateLimited);
        }
        calls.push_back(now);
        Ok(())
    }

    /// A user agrees that the client acts for them; returns the code for the token endpoint.
    pub(super) fn authorize(
        &mut self,
        wallet: i64,
        scopes: &[String],
        redirect_uri: Option<&str>,
        moment: Moment<'_>,
    ) -> Result<String, Refusal> {
        if !self.users.contains_key(&wallet) {
            return Err(Refusal::NotFound);
        }
        let code = moment.random.short_id("");
        let grant = Grant {
            wallet,
            scopes: scopes.to_vec(),
            mac_key: String::new(),
            redirect_uri: redirect_uri.map(str::to_owned),
            expires: clock::add(moment.now, CODE_LIFETIME),
        };
        self.access.codes.insert(code.clone(), grant);
        Ok(code)
    }

    /// The token endpoint: a code, or a refresh token, for an access token.
    pub(super) fn issue_token(
        &mut self,
        form: &[(String, String)],
        moment: Moment<'_>,
    ) -> Result<Value, Refusal> {
        let field = |name: &str| {
            let found = form.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let required = |name: &str| {
            field(name).ok_or_else(|| Refusal::invalid(name, format!("{name} must be provided")))
        };
        let grant = match required("grant_type")? {
            "authorization_code" => {
                let code = required("code")?;
                let grant = self.access.codes.remove(code);
                let grant = grant.filter(|grant| grant.expires > moment.now);
                let grant = grant.ok_or(Refusal::InvalidGrant("Code is not valid"))?;
                if grant
                    .redirect_uri
                    .as_deref()
                    .is_some_and(|uri| field("redirect_uri") != Some(uri))
                {
                    return Err(Refusal::InvalidGrant("Redirect URI is not the same"));
                }
                grant
            }
            "refresh_token" => {
                let grant = self.access.refresh_tokens.remove(required("refresh_token")?);
                let mut grant = grant.ok_or(Refusal::InvalidGrant("Refresh token is not valid"))?;
                if let Some(scope) = field("scope") {
                    let wanted: Vec<String> = scope.split(' ').map(str::to_owned).collect();
                    grant.scopes.retain(|scope| wanted.contains(scope));
                }
                grant
            }
            // Needs a permission that no client of the sandbox has.
            "password" => return Err(Refusal::Forbidden),
            _ => return Err(Refusal::invalid("grant_type", "Grant type is not known")),
        };
        Ok(self.insert_token(grant, moment))
    }

    fn insert_token(&mut self, mut grant: Grant, moment: Moment<'_>) -> Value {
        let [token, key, refresh] = ["", "", ""].map(|prefix| moment.random.short_id(prefix));
        let seconds = i64::from(self.settings.token_seconds);
        grant.mac_key.clone_from(&key);
        grant.expires = clock::add(moment.now, SignedDuration::from_secs(seconds));
        self.access.refresh_tokens.insert(refresh.clone(), grant.clone());
        self.access.tokens.insert(token.clone(), grant);
        json!({
            "access_token": token,
            "token_type": "mac",
            "expires_in": seconds,
            "mac_key": key,
            "mac_algorithm": "hmac-sha-256",
            "refresh_token": refresh,
        })
    }

    pub(super) fn revoke_token(&mut self, token: &str) -> Result<(), Refusal> {
        self.access.tokens.remove(token).map(|_| ()).ok_or(Refusal::NotFound)
    }
}
