//! Transitions of sessions.

use jiff::{SignedDuration, Timestamp};

use super::errors::{Code, Refusal};
use super::events::Event;
use super::objects::{NewSession, Payment, PaymentStatus, Session, SessionStatus};
use super::state::{Due, Moment, State};
use super::tax::tax;
use crate::clock;

/// A session is over after this many failed, or this many cancelled, attempts.
pub(super) const ATTEMPTS: usize = 3;

impl State {
    pub(super) fn create_session(&mut self, new: NewSession, moment: Moment<'_>) -> String {
        let id = moment.random.id("sess_");
        let lifetime = SignedDuration::from_secs(self.settings.session_lifetime_seconds.into());
        let expires_at = clock::add(moment.now, lifetime);
        let session = Session {
            id: id.clone(),
            url: format!("{}{id}", self.checkout),
            status: SessionStatus::Pending,
            game_id: new.game_id,
            user_id: new.user_id,
            item: new.item,
            return_url: new.return_url,
            wallet_enabled: new.wallet_enabled,
            tax: None,
            payment_id: None,
            payment_ids: Vec::new(),
            created_at: moment.now,
            expires_at,
            paid_at: None,
            failed_at: None,
            cancelled_at: None,
            expired_at: None,
        };
        self.sessions.insert(&id, session);
        self.due.insert((expires_at, Due::ExpireSession(id.clone())));
        self.emit_session("session.created", &id, moment.now);
        id
    }

    /// CancelSession, and the payer's Cancel button. An attempt that is still open is given up
    /// first: the documentation says that a cancelled session cannot be paid.
    pub(super) fn cancel_session(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.require_pending(id)?;
        if let Some(payment) = self.live_payment(id) {
            let payment_id = payment.id.clone();
            self.close_payment(&payment_id, PaymentStatus::Cancelled, now)?;
        }
        let session = self.session_mut(id)?;
        session.status = SessionStatus::Cancelled;
        session.cancelled_at = Some(now);
        self.emit_session("session.cancelled", id, now);
        Ok(())
    }

    /// Expires a session before its time.
    pub(super) fn expire_session(&mut self, id: &str, now: Timestamp) -> Result<(), Refusal> {
        self.require_pending(id)?;
        if self.live_payment(id).is_some() {
            return Err(Refusal::wrong_state("a payment of the session is in progress"));
        }
        let session = self.session_mut(id)?;
        session.status = SessionStatus::Expired;
        session.expired_at = Some(now);
        self.emit_session("session.expired", id, now);
        Ok(())
    }

    /// A session with an open attempt does not expire: the attempt decides first.
    pub(super) fn expire_when_due(&mut self, id: &str, at: Timestamp) {
        // A refusal means that the session is over or busy; both are fine.
        let _not_now = self.expire_session(id, at);
    }

    pub(super) fn require_pending(&self, id: &str) -> Result<&Session, Refusal> {
        let session = self.session(id)?;
        match session.status {
            SessionStatus::Pending => Ok(session),
            SessionStatus::Expired => Err(Refusal::domain(
                Code::FailedPrecondition,
                "session_expired",
                "Session has expired",
            )),
            SessionStatus::Paid | SessionStatus::Failed | SessionStatus::Cancelled => {
                Err(Refusal::wrong_state("session is not pending"))
            }
        }
    }

    /// The attempt of a session that is not over.
    pub(super) fn live_payment(&self, session_id: &str) -> Option<&Payment> {
        self.attempts(session_id).find(|payment| payment.status.is_live())
    }

    pub(super) fn attempts(&self, session_id: &str) -> impl Iterator<Item = &Payment> {
        let ids = self.sessions.get(session_id).map(|session| session.payment_ids.as_slice());
        ids.unwrap_or_default().iter().filter_map(|id| self.payments.get(id))
    }

    /// The session's payment succeeded: tax is settled and the session is paid.
    pub(super) fn pay_session(
        &mut self,
        id: &str,
        payment_id: &str,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let country = self.payment(payment_id)?.country.clone();
        let session = self.session_mut(id)?;
        session.tax = Some(tax(session.item.price, &country));
        session.status = SessionStatus::Paid;
        session.paid_at = Some(now);
        session.payment_id = Some(payment_id.to_owned());
        self.emit_session("session.paid", id, now);
        Ok(())
    }

    /// An attempt failed or was cancelled; the third of a kind ends the session.
    pub(super) fn count_attempt(
        &mut self,
        id: &str,
        ended: PaymentStatus,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let over = self.attempts(id).filter(|payment| payment.status == ended).count() >= ATTEMPTS;
        let session = self.session_mut(id)?;
        if ended == PaymentStatus::Failed {
            if over {
                session.status = SessionStatus::Failed;
                session.failed_at = Some(now);
            }
            // The event tells of the attempt, not only of the end.
            self.emit_session("session.failed", id, now);
        } else if over {
            session.status = SessionStatus::Cancelled;
            session.cancelled_at = Some(now);
            self.emit_session("session.cancelled", id, now);
        }
        let session = self.session(id)?;
        if session.status == SessionStatus::Pending && session.expires_at <= now {
            // Its time passed while the attempt was open.
            self.due.insert((now, Due::ExpireSession(id.to_owned())));
        }
        Ok(())
    }

    fn emit_session(&mut self, name: &'static str, id: &str, at: Timestamp) {
        if let Some(session) = self.sessions.get(id) {
            self.events.push(Event::session(name, session, at));
        }
    }
}
