//! Callbacks: proved first, read then. Pure.
//!
//! The provider signs with one secret for real money and with another for tests, and the mode
//! stands in the body. A secret proves bodies of its own mode and no others.

use http::HeaderMap;
use paymux_core::{
    Error, EventKey, ProviderId, Result, Subject, Trust, WebhookDelivery, WebhookEvent,
    json::Unreadable, signature::Sha1Sandwich,
};

use crate::{
    config::Mode,
    map,
    objects::Invoice,
    php::Members,
    read::{self, INVOICES, Known},
};

pub(crate) const SIGNATURE_HEADER: &str = "x-signature";

/// What proves callbacks of one account authentic.
#[derive(Debug)]
pub(crate) struct CallbackKeys {
    pub(crate) live: Option<Sha1Sandwich>,
    pub(crate) test: Option<Sha1Sandwich>,
}

impl CallbackKeys {
    /// Proves the delivery authentic, and says by the secret of which mode. Both are tried, so that
    /// the time taken does not tell which one matched.
    fn verify(&self, headers: &HeaderMap, body: &[u8]) -> Result<Mode> {
        let check =
            |keys: &Option<Sha1Sandwich>| keys.as_ref().map(|keys| keys.verify(headers, body));
        match (check(&self.live), check(&self.test)) {
            (Some(Ok(())), _) => Ok(Mode::Live),
            (_, Some(Ok(()))) => Ok(Mode::Test),
            (Some(Err(error)), _) | (None, Some(Err(error))) => Err(error),
            (None, None) => Err(Error::configuration("webhook_secret", "must be set first")),
        }
    }
}

/// The account that deliveries are read for.
pub(crate) struct Account<'a> {
    pub(crate) provider: &'a ProviderId,
    pub(crate) mode: Mode,
    pub(crate) known: &'a Known,
}

/// The events of a delivery: one.
pub(crate) fn verify(
    keys: &CallbackKeys,
    account: &Account<'_>,
    delivery: &WebhookDelivery<'_>,
) -> Result<Vec<WebhookEvent>> {
    let signed_for = keys.verify(delivery.headers, delivery.body)?;
    let event = event(account, signed_for, delivery.body).map_err(|refused| match refused {
        Refused::OtherMode => {
            Error::invalid_signature("the secret is of one mode and the body of the other")
        }
        Refused::Unreadable(unreadable) => {
            unreadable.of_delivery("the delivery is authentic and unreadable")
        }
    })?;
    Ok(vec![event])
}

/// Why an authentic delivery holds no event.
enum Refused {
    OtherMode,
    Unreadable(Unreadable),
}

impl From<Unreadable> for Refused {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

fn event(account: &Account<'_>, signed_for: Mode, body: &[u8]) -> Result<WebhookEvent, Refused> {
    let data = read::data(&Members::of_body(body)?)?;
    match data.filled("type") {
        Some(kind) if kind != INVOICES => Ok(foreign(&kind, &data, body)),
        Some(_) | None => {
            let invoice = read::invoice_of(&data, account.known)?;
            if invoice.mode == signed_for {
                Ok(about(account, &invoice, body))
            } else {
                Err(Refused::OtherMode)
            }
        }
    }
}

/// A callback about an invoice. Nothing in the scheme says when it was signed, so it is a reason
/// to look and settles nothing by itself. A verification is no payment; and an invoice of the
/// other mode, which may be called back at the same address, is none of this account's.
fn about(account: &Account<'_>, invoice: &Invoice, body: &[u8]) -> WebhookEvent {
    let word = invoice.status.as_str();
    let other = |kind: &str| Subject::Other {
        kind: kind.to_owned(),
        id: Some(invoice.id.as_str().to_owned()),
    };
    let subject = if invoice.mode != account.mode {
        other(&format!("{}_invoice", invoice.mode.word()))
    } else if map::is_verification(invoice) {
        other("verification")
    } else {
        Subject::Payment(invoice.id.clone())
    };
    let key = match invoice.updated {
        // With the mode in it, since the holder of the test secret must not be able to send an
        // event ahead under the key of a real one.
        Some(updated) => {
            let (mode, time) = (invoice.mode.word(), updated.as_seconds().to_string());
            let said = [mode, invoice.id.as_str(), word, &time].join("\0");
            EventKey::digest(said.as_bytes())
        }
        // Without a time, what tells it from others is all that it says.
        None => EventKey::digest(body),
    };
    let name = format!("{INVOICES}.{word}");
    let mut event = WebhookEvent::new(key, name, Trust::Signed, subject);
    event.occurred_at = invoice.updated;
    if let Subject::Payment(_) = &event.subject {
        event.payment = Some(Box::new(map::payment(account.provider, invoice)));
    }
    event
}

/// A callback about something else than an invoice, a payout for instance: kept, never an error.
fn foreign(kind: &str, data: &Members<'_>, body: &[u8]) -> WebhookEvent {
    let subject = Subject::Other { kind: kind.to_owned(), id: data.filled("id") };
    WebhookEvent::new(EventKey::digest(body), kind, Trust::Signed, subject)
}
