//! How a payment is put together: the session alone misleads, so the payments below it that matter
//! are read with it. Only reads.

use paymux_core::{Effect, Error, ErrorKind, Payment, PaymentHandle, ProviderPartId, Result};

use crate::{
    ToffeePay, map,
    objects::{ProviderPayment, Session},
    status::SessionStatus,
    wire,
};

/// How many pages of a player's payments are searched for the one that paid a session.
const MAX_SEARCH_PAGES: u32 = 3;
const SEARCH_LIMIT: u32 = 100;

impl ToffeePay {
    pub(crate) async fn fetch(&self, handle: &PaymentHandle) -> Result<Payment> {
        let session = self.get_session(&handle.id).await?;
        self.with_payments(session, &handle.parts, None).await.map_err(contradiction)
    }

    pub(crate) async fn fetch_by_part(
        &self,
        id: &ProviderPartId,
        known: &[ProviderPartId],
    ) -> Result<Payment> {
        let payment = self.get_payment(id, false).await?;
        let read = async {
            let session = self.get_session(&payment.session_id).await?;
            self.with_payments(session, known, Some(payment)).await
        };
        read.await.map_err(contradiction)
    }

    /// A session with the payments below it that matter: the one it names, and of those known, as
    /// long as none has come to something, the newest first. Webhooks come in any order, so the
    /// newest we know of may be an old failure beside a hold. When a paid session is left with
    /// failures alone, the payment that took the money is looked for among the player's, since
    /// only it says how much was taken.
    async fn with_payments(
        &self,
        session: Session,
        known: &[ProviderPartId],
        read: Option<ProviderPayment>,
    ) -> Result<Payment> {
        let mut payments = Vec::from_iter(read);
        for id in session.payment_id.iter().chain(known.iter().rev()) {
            let named = session.payment_id.as_ref() == Some(id);
            if !named && !payments.iter().all(map::came_to_nothing) {
                break;
            }
            if payments.iter().all(|payment| payment.id != *id) {
                payments.push(self.get_payment(id, false).await?);
            }
        }
        if payments.iter().any(|payment| payment.session_id != session.id) {
            let message = "the answer is about a payment of another session";
            return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
        }
        // Oldest first. There is a next try only after one came to nothing, so one that did not is
        // the newest, whatever was heard of last; so is one that only the session names.
        let heard = |id: &ProviderPartId| known.iter().position(|known| known == id);
        payments.sort_by_key(|payment| {
            (!map::came_to_nothing(payment), heard(&payment.id).unwrap_or(known.len()))
        });
        if session.status == SessionStatus::Paid && payments.iter().all(map::came_to_nothing) {
            payments.extend(self.search_payment(&session).await?);
        }
        Ok(map::payment(&self.config.id, &session, &payments))
    }

    /// The provider has no list of a session's payments, but it lists a player's successful ones.
    /// The search is bounded, so it may miss a payment; how much was captured is then not said.
    pub(crate) async fn search_payment(
        &self,
        session: &Session,
    ) -> Result<Option<ProviderPayment>> {
        let Some(user_id) = session.user_id.as_deref() else { return Ok(None) };
        let game_id = session.game_id.as_deref().unwrap_or(&self.config.game_id);
        let mut request = wire::List {
            game_id: Some(game_id),
            user_id: Some(user_id),
            limit: SEARCH_LIMIT,
            ..wire::List::default()
        };
        for _ in 0..MAX_SEARCH_PAGES {
            let page = self.payment_page(&request).await?;
            let received = u32::try_from(page.items.len()).unwrap_or(u32::MAX);
            let belongs = |payment: &ProviderPayment| {
                payment.session_id == session.id && map::took_money(payment)
            };
            if let Some(payment) = page.items.into_iter().find(belongs) {
                return Ok(Some(payment));
            }
            if !page.has_more || received == 0 {
                return Ok(None);
            }
            request.offset = request.offset.saturating_add(received);
        }
        Ok(None)
    }
}

/// Something that belongs to a payment which is there was not found. That must not pass for "there
/// is no such payment": who believes that has it paid elsewhere, and twice.
fn contradiction(error: Error) -> Error {
    if error.kind() != ErrorKind::NotFound {
        return error;
    }
    let message = "the payment is there, and the provider does not find what belongs to it";
    instead_of_not_found(error, ErrorKind::InvalidResponse, message)
}

/// An error of another kind and with other words, where "not found" would be taken for the payment.
pub(crate) fn instead_of_not_found(error: Error, kind: ErrorKind, message: &str) -> Error {
    let mut instead = Error::new(kind, error.effect(), message);
    if let Some(status) = error.http_status() {
        instead = instead.with_http_status(status);
    }
    if let Some(code) = error.code() {
        instead = instead.with_code(code);
    }
    instead.with_source(error)
}
