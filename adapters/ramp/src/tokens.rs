//! Where end users' tokens come from. A token belongs to an end user, not to the merchant, and
//! lives a day.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use paymux_core::{Effect, Error, ErrorKind, Result, SecretString};
use secrecy::ExposeSecret;

use crate::failure::END_USER;

mod refreshing;

pub use refreshing::{Grant, GrantKeeper, RefreshingTokens};

/// Gives the token that calls for an end user are made with.
#[async_trait]
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// The token of this end user. It may be asked for over the network, so it may take time.
    ///
    /// # Errors
    /// Whatever keeps it from giving one; the payment's call was not sent then, so it has no effect
    /// whatever the error says. `Unauthenticated` without an HTTP status says that the end user has
    /// to log in: the call fails with `InvalidRequest` naming `options.ramp.end_user`, which holds
    /// nothing against the account. `Configuration` stays that. All else is `Unavailable`.
    async fn token(&self, end_user: &str) -> Result<SecretString>;

    /// The provider refused this token: it must not be given again if there is another way. A newer
    /// one stays.
    async fn invalidate(&self, end_user: &str, token: &SecretString);

    /// Can another token follow one that was refused? Where none can, the same call would be refused
    /// alike, so its error is not worth repeating. Yes, unless a source says otherwise: where it only
    /// may, the repeated call fails for want of a token, and nothing is sent.
    fn renews(&self) -> bool {
        true
    }
}

/// One token for every call, for a program that acts for one end user. When it is refused there is
/// no other: it stays, and repeating the call is of no use.
#[derive(Clone)]
pub struct OneToken(SecretString);

impl OneToken {
    /// This token.
    #[must_use]
    pub const fn new(token: SecretString) -> Self {
        Self(token)
    }
}

/// The token is not shown.
impl fmt::Debug for OneToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneToken").finish_non_exhaustive()
    }
}

#[async_trait]
impl TokenSource for OneToken {
    async fn token(&self, _: &str) -> Result<SecretString> {
        Ok(self.0.clone())
    }

    async fn invalidate(&self, _: &str, _: &SecretString) {}

    fn renews(&self) -> bool {
        false
    }
}

/// Tokens by end user, set by whoever logs the users in. One that is refused is forgotten, and its call
/// is worth repeating: somebody may have logged in again meanwhile. Else the repeated call says that
/// they have to, before anything is sent.
#[derive(Default)]
pub struct TokenMap(Mutex<BTreeMap<String, SecretString>>);

impl TokenMap {
    /// No tokens yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the token of an end user, in place of any before.
    pub fn set(&self, end_user: impl Into<String>, token: SecretString) {
        self.tokens().insert(end_user.into(), token);
    }

    fn tokens(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, SecretString>> {
        // A map of whole values: a panic elsewhere leaves none half set.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Only how many there are is shown.
impl fmt::Debug for TokenMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenMap").field("tokens", &self.tokens().len()).finish()
    }
}

#[async_trait]
impl TokenSource for TokenMap {
    async fn token(&self, end_user: &str) -> Result<SecretString> {
        self.tokens().get(end_user).cloned().ok_or_else(no_token)
    }

    async fn invalidate(&self, end_user: &str, token: &SecretString) {
        let mut tokens = self.tokens();
        if tokens.get(end_user).is_some_and(|known| is_same(known, token)) {
            tokens.remove(end_user);
        }
    }
}

/// The end user is not named: it can be an address of theirs.
fn no_token() -> Error {
    let message = "there is no token of this end user: they have to log in";
    Error::new(ErrorKind::Unauthenticated, Effect::None, message).with_field(END_USER)
}

/// Both are ours, so the time this takes tells nobody anything.
fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}
