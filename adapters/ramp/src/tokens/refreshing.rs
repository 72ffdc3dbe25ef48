//! Tokens that are refreshed before they run out.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex as Short, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, header};
use paymux_core::{
    Clock, Effect, Error, Result, SecretString, SystemClock, Timestamp, check,
    transport::{HttpClient, HttpRequest, HttpResponse, Purpose},
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::Url;

use super::{TokenSource, is_same, no_token};
use crate::{auth, failure, read, wire};

/// Where tokens are given, unless set. Seen in a client.
const PATH: &str = "/reg/auth/token";
/// How long before its end a token is no longer given out, unless set.
const MARGIN: Duration = Duration::from_secs(60);
/// No token lives longer; a larger figure is none.
const LONGEST_LIFE: i64 = 366 * 24 * 3600;

/// What lets an end user's calls be made.
#[derive(Clone)]
#[non_exhaustive]
pub struct Grant {
    /// The token that gets the next one. The provider gives a new one each time.
    pub refresh: SecretString,
    /// The token of the calls, if there is one.
    pub access: Option<SecretString>,
    /// Until when that is good, if it is known; else until it is refused.
    pub good_until: Option<Timestamp>,
}

impl Grant {
    /// A grant without a token for calls yet: the first call gets one.
    #[must_use]
    pub const fn new(refresh: SecretString) -> Self {
        Self { refresh, access: None, good_until: None }
    }

    /// Sets the token of the calls, and until when it is good, if that is known.
    #[must_use]
    pub fn access(mut self, token: SecretString, good_until: Option<Timestamp>) -> Self {
        self.access = Some(token);
        self.good_until = good_until;
        self
    }
}

/// Neither token is shown.
impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant")
            .field("access", &self.access.is_some())
            .field("good_until", &self.good_until)
            .finish_non_exhaustive()
    }
}

/// Told of every new grant before it is used: once the provider has given a new refresh token, the
/// old one may be worth nothing, and a program that starts again needs the new one.
#[async_trait]
pub trait GrantKeeper: fmt::Debug + Send + Sync + 'static {
    /// Stores the grant.
    ///
    /// # Errors
    /// Whatever keeps it from being stored. The payment's call is not made then, and the next one
    /// begins by storing it.
    async fn keep(&self, end_user: &str, grant: &Grant) -> Result<()>;
}

#[derive(Debug)]
struct User {
    grant: Grant,
    /// Is the grant one that the keeper has not stored yet?
    unkept: bool,
}

/// Tokens that are refreshed shortly before they run out, and when one is refused. For each end user
/// one refresh at a time is under way: whoever else asks waits for it.
///
/// A refresh whose answer is lost can cost the end user a new log-in, since the provider may have
/// taken the old refresh token back; so can a future that is dropped while it waits.
pub struct RefreshingTokens {
    base_url: Url,
    url: Url,
    http: HttpClient,
    headers: Vec<(HeaderName, HeaderValue)>,
    clock: Arc<dyn Clock>,
    margin: Duration,
    keeper: Option<Arc<dyn GrantKeeper>>,
    users: Short<BTreeMap<String, Arc<Mutex<User>>>>,
}

/// Only how many end users there are is shown.
impl fmt::Debug for RefreshingTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshingTokens")
            .field("host", &self.url.host_str())
            .field("users", &self.users().len())
            .finish_non_exhaustive()
    }
}

impl RefreshingTokens {
    /// Refreshes at this host, by `POST /reg/auth/token`. That JSON with `grant_type` and
    /// `refresh_token` goes there is documented; the path was seen in a client.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `base_url`, when that is neither `https` nor of this
    /// machine, or holds a user, a query or a fragment.
    pub fn new(base_url: &Url, http: HttpClient) -> Result<Self> {
        check::base_url("base_url", base_url)?;
        Ok(Self {
            url: auth::below(base_url, &auth::segments("token_path", PATH)?)?,
            base_url: base_url.clone(),
            http,
            headers: Vec::new(),
            clock: Arc::new(SystemClock),
            margin: MARGIN,
            keeper: None,
            users: Short::default(),
        })
    }

    /// Sets another path, below the base URL.
    ///
    /// # Errors
    /// `Configuration` without effect, naming `token_path`, when it is no plain path.
    pub fn path(mut self, path: &str) -> Result<Self> {
        self.url = auth::below(&self.base_url, &auth::segments("token_path", path)?)?;
        Ok(self)
    }

    /// Adds a header, such as `partnerId`.
    ///
    /// # Errors
    /// As [`RampConfig::header`](crate::RampConfig::header) is refused.
    pub fn header(mut self, name: &str, value: &SecretString) -> Result<Self> {
        self.headers.push(auth::static_header(name, value)?);
        Ok(self)
    }

    /// Sets the clock that the end of a token is measured by; the machine's unless set.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sets how long before its end a token is no longer given out; a minute unless set.
    #[must_use]
    pub const fn margin(mut self, margin: Duration) -> Self {
        self.margin = margin;
        self
    }

    /// Sets who is told of new grants.
    #[must_use]
    pub fn keeper(mut self, keeper: Arc<dyn GrantKeeper>) -> Self {
        self.keeper = Some(keeper);
        self
    }

    /// Sets the grant of an end user, as a log-in or a store gave it, in place of any before.
    pub fn set(&self, end_user: impl Into<String>, grant: Grant) {
        let user = Arc::new(Mutex::new(User { grant, unkept: false }));
        self.users().insert(end_user.into(), user);
    }

    fn users(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Arc<Mutex<User>>>> {
        // A map of whole values: a panic elsewhere leaves none half set.
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn user(&self, end_user: &str) -> Option<Arc<Mutex<User>>> {
        self.users().get(end_user).cloned()
    }

    /// The token at hand, while it is good for longer than the margin.
    fn usable(&self, grant: &Grant) -> Option<SecretString> {
        let margin = self.clock.now().after(self.margin);
        let lasts = grant.good_until.is_none_or(|until| until > margin);
        grant.access.clone().filter(|_| lasts)
    }

    /// Gets the next grant. It moves no money, so it counts as a read: however it fails, it had no
    /// effect on any payment.
    async fn refresh(&self, refresh: &SecretString) -> Result<Grant> {
        let body =
            wire::Refresh { grant_type: "refresh_token", refresh_token: refresh.expose_secret() };
        let mut request =
            HttpRequest::new(Purpose::Read, Method::POST, self.url.clone()).json(&body)?;
        request = request.header(header::ACCEPT, HeaderValue::from_static("application/json"));
        for (name, value) in &self.headers {
            request = request.header(name.clone(), value.clone());
        }
        let asked_at = self.clock.now();
        let response = self.http.send(request).await?;
        if !response.is_success() {
            let error = failure::refusal(&response, std::slice::from_ref(refresh));
            // The token that was refused here is the last one there is.
            return Err(if failure::refuses_grant(&response) {
                failure::logged_out(error)
            } else if failure::refuses_refreshing(&response) {
                failure::no_way_to_tokens(error)
            } else {
                error
            });
        }
        grant(&response, refresh, asked_at)
    }
}

/// The grant that an answer holds. One without a new refresh token leaves the old one good.
fn grant(response: &HttpResponse, old: &SecretString, asked_at: Timestamp) -> Result<Grant> {
    let answer = read::token(&response.body).map_err(failure::unreadable(response))?;
    let life = answer.expires_in.filter(|seconds| (1..=LONGEST_LIFE).contains(seconds));
    let life = life.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs);
    let refresh = answer.refresh.unwrap_or_else(|| old.clone());
    Ok(Grant::new(refresh).access(answer.access, life.map(|life| asked_at.after(life))))
}

#[async_trait]
impl TokenSource for RefreshingTokens {
    /// A grant that is set meanwhile wins: what was refreshed of the older one is let go, and is
    /// stored in place of nothing.
    async fn token(&self, end_user: &str) -> Result<SecretString> {
        let mut overwritten = false;
        loop {
            let known = self.user(end_user).ok_or_else(no_token)?;
            let is_replaced =
                || self.user(end_user).is_none_or(|newest| !Arc::ptr_eq(&newest, &known));
            let mut user = known.lock().await;
            user.unkept |= overwritten;
            if self.usable(&user.grant).is_none() {
                let refreshed = self.refresh(&user.grant.refresh).await;
                if is_replaced() {
                    continue;
                }
                user.grant = refreshed?;
                user.unkept = true;
            }
            if let Some(keeper) = self.keeper.as_ref().filter(|_| user.unkept) {
                let kept = keeper.keep(end_user, &user.grant).await;
                kept.map_err(|error: Error| error.with_effect(Effect::None))?;
                overwritten = is_replaced();
            }
            user.unkept = false;
            if !overwritten {
                // Even one that is given for less than the margin is the newest there is.
                return user.grant.access.clone().ok_or_else(no_token);
            }
        }
    }

    async fn invalidate(&self, end_user: &str, token: &SecretString) {
        let Some(user) = self.user(end_user) else { return };
        let mut user = user.lock().await;
        if user.grant.access.as_ref().is_some_and(|known| is_same(known, token)) {
            user.grant.access = None;
        }
    }
}
