//! Asking for a payment.

use paymux_core::{
    Effect, Error, ErrorKind, IdempotencyKey, Operation, PaymentStatus, ProviderId, Replay, Result,
    Timestamp,
};

use crate::{
    NewPayment, Orchestrator, PaymentId,
    draft::Draft,
    drive::{add_attempt, create_request},
    engine::{Account, Engine, Written, after_writing, unavailable},
    evidence::Evidence,
    health::{Permit, Purpose},
    plan::Move,
    record::{AttemptState, Fault, Intent, PaymentRecord, RouteStep},
    request,
    returns::ReturnToken,
    routing::{RefusedAccount, RouteFacts, RoutePlan, Unfit},
    settle,
    store::CallerKeyRow,
};

/// The first attempt of a payment.
const FIRST: u32 = 1;

impl Orchestrator {
    /// Asks for a payment. The routes choose the account; where it provably did nothing, the next
    /// one is tried; where that is in doubt, nobody else is asked and the doubt is cleared up, now
    /// or later.
    ///
    /// The answer is the payment as far as it came: send the payer where
    /// [`PaymentRecord::next_action`] says, and read [`Orchestrator::events`]. The same key with
    /// the same request gives the same payment again, however often it is asked for.
    ///
    /// A payment that no account of the rule takes at this moment, since they are unwell or asked
    /// enough already, is answered as failed: it is not kept for later.
    ///
    /// Dropping the future that this returns does not drop the payment.
    ///
    /// # Errors
    /// `InvalidRequest` without effect when a provider refused the input as it is, naming the
    /// field; the payment is kept as failed. The same naming `currency` when no account of the rule
    /// takes it, or `return_url` when payers may not be sent back there; nothing is kept then, and a
    /// key that has made a payment gives that instead, whatever is set by now. `Conflict` when the
    /// key was used for another request. `Configuration` when no account can take it, saying of each
    /// why. `Unavailable` when the store is: with a possible effect when the call had been made.
    pub async fn create_payment(
        &self,
        key: &IdempotencyKey,
        request: &NewPayment,
    ) -> Result<PaymentRecord> {
        self.0.check(request)?;
        let (engine, key, request) = (self.0.clone(), key.clone(), request.clone());
        let work = Box::pin(async move { engine.create(&key, request).await });
        self.0.calls.own(work).await
    }

    /// Which way a payment would go, and why. Nothing is written or sent.
    ///
    /// # Errors
    /// `InvalidRequest` when it cannot be a payment.
    pub fn route(&self, request: &NewPayment) -> Result<RoutePlan> {
        self.0.check(request)?;
        self.0.check_return(request)?;
        let id = PaymentId::generate(self.0.now(), &*self.0.random);
        Ok(self.0.route(request, &id))
    }
}

impl Engine {
    async fn create(&self, key: &IdempotencyKey, request: NewPayment) -> Result<PaymentRecord> {
        let digest = request::digest("create", &request)?;
        let key = format!("create:{}", key.as_str());
        let now = self.now();
        let id = PaymentId::generate(now, &*self.random);
        let plan = self.route(&request, &id);
        let nowhere = || plan.candidates.is_empty().then(|| nowhere(&request, &plan));
        if let Some(refusal) = self.check_return(&request).err().or_else(nowhere) {
            // The hosts and the routes may have been others when it was asked for first.
            let asked = self.store.find_caller_key(&key).await;
            return match asked.map_err(|error| unavailable(error, Effect::None))? {
                Some(row) => Box::pin(self.again(&row, &digest)).await,
                None => Err(refusal),
            };
        }
        let mut draft = Draft::new(self.new_record(id, request, &plan, now));
        let leaving = self.leave_at_once(&mut draft.record, now);
        let what = match &leaving {
            Some((account, _)) => format!("a payment, and {} is tried", account.provider.id()),
            None => "a payment".to_owned(),
        };
        let evidence = Evidence::Asked { what };
        draft.caller_key = Some(CallerKeyRow {
            key,
            request_digest: digest.clone(),
            payment: draft.record.id.clone(),
            attempt: None,
            created_at: now,
        });
        match Box::pin(self.write(draft, &evidence, now)).await? {
            Written::Done(record) => {
                let record = match leaving {
                    Some((account, permit)) => {
                        Box::pin(self.call(*record, FIRST, account, permit)).await?
                    }
                    None => *record,
                };
                answer(Box::pin(self.drive(record)).await.map_err(after_writing)?)
            }
            Written::KeyTaken(row) => {
                // The call for which it was kept is not made.
                drop(leaving);
                Box::pin(self.again(&row, &digest)).await
            }
            Written::Lost | Written::ObjectTaken(_) => {
                Err(crate::engine::unexpected("a new payment was there already"))
            }
        }
    }

    /// Writes the first attempt down as one that is sent, together with the payment, where the same
    /// call can be made again should this process be lost before it makes it. Elsewhere being sent
    /// is a change of its own, so that an attempt that never left is known as one.
    fn leave_at_once(
        &self,
        record: &mut PaymentRecord,
        now: Timestamp,
    ) -> Option<(&Account, Permit<'_>)> {
        let Move::Create(id) = self.next_move(record, now) else { return None };
        let account = self.accounts.get(&id)?;
        let again = match account.provider.capabilities().replay(Operation::CreatePayment) {
            Replay::Key { .. } | Replay::Reference | Replay::Harmless => true,
            Replay::LookupFirst | Replay::Never => false,
        };
        if !again || self.is_paused(record, &id) {
            return None;
        }
        let permit = account.health.admit(Purpose::First).ok()?;
        let request = create_request(record, Some(account), &self.fresh_key());
        let no = add_attempt(record, id, Intent::Create(Box::new(request)), now);
        settle::note_sent_as(record, no, account.provider.capabilities());
        settle::mark_sending(record, no, now);
        Some((account, permit))
    }

    /// The same key again: the payment that it made, if the same was asked.
    async fn again(&self, row: &CallerKeyRow, digest: &str) -> Result<PaymentRecord> {
        if row.request_digest != digest {
            return Err(reused(&row.payment));
        }
        let record = self.load(&row.payment).await.map_err(after_writing)?;
        answer(Box::pin(self.refresh(record)).await.map_err(after_writing)?)
    }

    fn check(&self, request: &NewPayment) -> Result<()> {
        if request.amount.is_zero() {
            return Err(Error::invalid_request("amount", "must be more than nothing"));
        }
        if request.description.trim().is_empty() {
            return Err(Error::invalid_request("description", "must say what the payer pays for"));
        }
        Ok(())
    }

    /// What this says depends on the settings, unlike the rest.
    fn check_return(&self, request: &NewPayment) -> Result<()> {
        let url = request.return_url.as_ref();
        url.map_or(Ok(()), |url| self.settings.return_hosts.check(url))
    }

    pub(crate) fn route(&self, request: &NewPayment, id: &PaymentId) -> RoutePlan {
        let mut facts = RouteFacts::new(request.amount);
        facts.capture = request.capture;
        facts.country = request.customer.as_ref().and_then(|customer| customer.country.clone());
        facts.method = request.method.as_ref().map(|method| method.as_str().to_owned());
        facts.has_mandate = request.mandate.is_some();
        facts.kinds = self.router.kinds_in(&request.options);
        facts.needs.clone_from(&request.needs);
        facts.metadata.clone_from(&request.metadata);
        // Ours is an expectation there, and it is checked against what the provider says.
        facts.accepts_provider_amount = true;
        self.router.plan(&facts, id)
    }

    fn new_record(
        &self,
        id: PaymentId,
        request: NewPayment,
        plan: &RoutePlan,
        now: Timestamp,
    ) -> PaymentRecord {
        let route = plan.candidates.iter().map(|candidate| RouteStep {
            account: candidate.account.clone(),
            rule: candidate.rule.clone(),
            why: candidate.why.to_string(),
        });
        PaymentRecord {
            id,
            version: 0,
            request,
            status: PaymentStatus::Processing,
            failure: None,
            route: route.collect(),
            after_decline: plan.elsewhere,
            attempts: Vec::new(),
            provider: None,
            reviews: Vec::new(),
            cancel_wanted: false,
            link_shown: false,
            unreported_amount_accepted: false,
            accepted_amount: None,
            let_pass: Vec::new(),
            steps_by_hand: false,
            consent_wanted_at: None,
            figure_looked_for: false,
            return_token: ReturnToken::generate(&*self.random),
            looked_at: None,
            seen_at: None,
            next_look_at: None,
            looks: 0,
            looks_kept_back: 0,
            undocumented_status: None,
            created_at: now,
            updated_at: now,
            last_digest: String::new(),
        }
    }
}

/// Why no account can take a payment. Where the currency alone is in the way, the input is at fault.
fn nowhere(request: &NewPayment, plan: &RoutePlan) -> Error {
    let lacks_currency = |refused: &RefusedAccount| matches!(refused.why, Unfit::Currency(_));
    if !plan.refused.is_empty() && plan.refused.iter().all(lacks_currency) {
        let names: Vec<&str> = plan.refused.iter().map(|one| one.account.as_str()).collect();
        let currency = request.amount.currency();
        let message = format!("must be one that {} takes, not {currency}", names.join(" or "));
        return Error::invalid_request("currency", message);
    }
    let message = format!("no account can take this payment: {plan}");
    Error::new(ErrorKind::Configuration, Effect::None, message)
}

/// A payment that ended because the input was refused is an error to whoever gave the input.
fn answer(record: PaymentRecord) -> Result<PaymentRecord> {
    match refused_input(&record) {
        Some((account, fault)) => Err(fault.to_error(&account, Operation::CreatePayment)),
        None => Ok(record),
    }
}

fn refused_input(record: &PaymentRecord) -> Option<(ProviderId, Fault)> {
    if record.status != PaymentStatus::Failed {
        return None;
    }
    let last = record.attempts.iter().rev().find(|attempt| attempt.is_create())?;
    let fault = last.fault.as_ref()?;
    let refused = matches!(last.state, AttemptState::Rejected | AttemptState::NotSent)
        && fault.kind == ErrorKind::InvalidRequest;
    refused.then(|| (last.account.clone(), fault.clone()))
}

pub(crate) fn reused(payment: &PaymentId) -> Error {
    let message = format!("this key was used for another request, which made {payment}");
    Error::new(ErrorKind::Conflict, Effect::None, message).with_field("key")
}
