//! The gateway's part of checkout payments: sessions, what payers do, and the way back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::errors::Refusal;
use super::objects::{Kind, Payment, Session};
use super::settings::{Approval, SessionForm};
use super::state::{Moment, State};
use super::status::Status;
use crate::random::Random;

/// The three parameters of a redirect, as the specification has them.
const SESSION_ID: &str = "cko-payment-session-id";
const ATTEMPT_ID: &str = "cko-session-id";
const PAYMENT_ID: &str = "cko-payment-id";

/// Where a checkout sends its payer afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ReturnUrls {
    pub(super) success: Option<Url>,
    pub(super) failure: Option<Url>,
}

/// What a payer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Approve,
    Decline,
    /// Leaves, with nothing decided.
    Leave,
}

impl Session {
    pub(super) fn new(form: SessionForm, random: &Random) -> Self {
        let prefix = match form {
            SessionForm::Flow => "ps_",
            SessionForm::HostedPage => "hpp_",
        };
        Session {
            id: random.short_id(prefix),
            form,
            token: random.short_id(""),
            secret: random.short_id("pss_"),
            attempt: None,
        }
    }
}

impl State {
    /// The page where the payer of a session approves or declines.
    pub(super) fn page_url(&self, session: &Session) -> String {
        format!("{}checkout/{}", self.base, session.id)
    }

    /// The session as the gateway writes it. A payment session has no URL for a payer.
    pub(super) fn session_object(&self, session: &Session) -> Value {
        match session.form {
            SessionForm::HostedPage => json!({
                "id": session.id,
                "_links": {"redirect": {"href": self.page_url(session)}},
            }),
            SessionForm::Flow => json!({
                "id": session.id,
                "payment_session_token": session.token,
                "payment_session_secret": session.secret,
                "_links": {
                    "self": {"href": format!("{}payment-sessions/{}", self.base, session.id)},
                },
            }),
        }
    }

    /// The payer of a checkout acts; returns where the browser goes, if it goes anywhere.
    pub(super) fn check_out(
        &mut self,
        id: &str,
        act: Act,
        moment: Moment<'_>,
    ) -> Result<Option<String>, Refusal> {
        let payment = self.payment(id)?;
        if payment.kind != Kind::Checkout {
            return Err(Refusal::invalid("type", "payment is not CHECKOUT"));
        }
        if act != Act::Leave {
            let status = payment.status;
            if status != Status::Pending {
                return Err(self.refused(status));
            }
            self.check_payable(self.invoice(&payment.invoice_id)?, Some(id))?;
            let attempt = (moment.random.short_id("sid_"), moment.random.short_id("pay_"));
            if let Some(session) = &mut self.payment_mut(id)?.session {
                session.attempt = Some(attempt);
            }
        }
        let next = match (act, self.settings.approval) {
            (Act::Approve, Approval::Succeeded) => Some(Status::Succeeded),
            (Act::Approve, Approval::Processing) => Some(Status::Processing),
            (Act::Approve, Approval::Authorized) => Some(Status::Authorized),
            (Act::Decline, _) => self.settings.final_declines.then_some(Status::Failed),
            (Act::Leave, _) => None,
        };
        if let Some(next) = next {
            self.change(id, next, moment.now)?;
        }
        Ok(self.return_url(self.payment(id)?))
    }

    /// The way back with the gateway's parameters, as far as there are any: a payer who only
    /// left has made no attempt. URLs were checked when they were given. It leads to success where money was taken or is under way.
    pub(super) fn return_url(&self, payment: &Payment) -> Option<String> {
        let session = payment.session.as_ref()?;
        let success = payment.status.is_paid() || payment.status.is_under_way();
        let own = payment.redirect_url.as_deref().and_then(|url| Url::parse(url).ok());
        let configured =
            if success { &self.return_urls.success } else { &self.return_urls.failure };
        let mut url = own.or_else(|| configured.clone())?;
        let (attempt, gateway_payment) = match &session.attempt {
            Some((attempt, payment)) => (Some(attempt), Some(payment)),
            None => (None, None),
        };
        let settings = &self.settings;
        let word = if success { "succeeded" } else { "failed" }.to_owned();
        let status = settings.redirect_status.then_some(&word);
        let parameters = [
            (SESSION_ID, Some(&session.id)),
            (ATTEMPT_ID, attempt),
            (PAYMENT_ID, gateway_payment),
            ("status", status),
        ];
        for (name, value) in parameters {
            let omitted = settings.omitted_parameters.iter().any(|omitted| omitted == name);
            if let (Some(value), false) = (value, omitted) {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        Some(url.into())
    }
}
