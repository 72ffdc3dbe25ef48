//! Ways to pay: from a pre-request where the account has a public key, since that says what the
//! payer is to fill in; else from the list of services.

use std::collections::BTreeMap;

use paymux_core::{
    Currency, Effect, Error, ErrorKind, ListPaymentMethods, MethodField, PaymentMethod,
    ProviderMethodId, Result,
};

use crate::{
    MilkyPay,
    decimal::Decimal,
    objects::{PaymentService, Prerequest, PrerequestService},
};

/// How many services are asked for at once, as in the specification's sample, and how many pages
/// of them at most.
const SERVICES_PER_PAGE: u32 = 20;
const MAX_SERVICE_PAGES: u32 = 100;

impl MilkyPay {
    pub(crate) async fn methods(&self, query: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        if self.signer.has_public_api() {
            let answer = self.get_prerequest(query.currency.code()).await?;
            if answer.mode.is_some_and(|mode| mode != self.config.mode) {
                let message = "the answer is of the other mode, live or test";
                return Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message));
            }
            let services = answer.services.values();
            return Ok(services.filter_map(|service| self.offered(&answer, service)).collect());
        }
        let mut methods = Vec::new();
        for number in 1..=MAX_SERVICE_PAGES {
            let page = self.service_page(number, SERVICES_PER_PAGE).await?;
            let usable = page.items.iter().filter(|service| {
                service.service_currency.as_deref() == Some(query.currency.code())
                    && service.enabled != Some(false)
                    && service.available != Some(false)
                    && service.mode.is_none_or(|mode| mode == self.config.mode)
            });
            methods.extend(usable.filter_map(|service| listed(service, query.currency)));
            if !page.has_more {
                return Ok(methods);
            }
        }
        let message = "the list of services does not end";
        Err(Error::new(ErrorKind::InvalidResponse, Effect::None, message))
    }

    /// A service of a pre-request, unless its method is not to be shown or its currency is none
    /// that we can count.
    fn offered(&self, answer: &Prerequest, service: &PrerequestService) -> Option<PaymentMethod> {
        let method = service.method.as_ref().and_then(|code| answer.methods.get(code));
        if method.is_some_and(|method| method.hide == Some(true)) {
            return None;
        }
        let currency = self.config.currencies.currency(&service.currency)?;
        let name = method.and_then(|method| in_english(&method.name));
        let name = name.unwrap_or_else(|| service.code.clone());
        let mut offered = PaymentMethod::new(id(&service.code)?, name, currency);
        offered.min = amount(service.amount_min.as_ref(), currency);
        offered.max = amount(service.amount_max.as_ref(), currency);
        let mut fields: Vec<_> = service.fields.iter().collect();
        fields.sort_by_key(|field| field.position);
        let fields = fields.into_iter().map(|field| MethodField {
            key: field.key.clone(),
            required: field.required,
            label: in_english(&field.label),
        });
        offered.fields = fields.collect();
        Some(offered)
    }
}

/// A row of the list of services, which has no names for payers.
fn listed(service: &PaymentService, currency: Currency) -> Option<PaymentMethod> {
    let name = service.service_method.as_ref().unwrap_or(&service.service);
    let mut method = PaymentMethod::new(id(&service.service)?, name, currency);
    method.min = amount(service.amount_min.as_ref(), currency);
    method.max = amount(service.amount_max.as_ref(), currency);
    Some(method)
}

fn id(code: &str) -> Option<ProviderMethodId> {
    ProviderMethodId::new(code).ok()
}

/// A limit finer than the currency is none that we could hold an amount to.
fn amount(figure: Option<&Decimal>, currency: Currency) -> Option<paymux_core::Money> {
    figure?.to_money(currency).ok()
}

/// The English text, else any.
fn in_english(texts: &BTreeMap<String, String>) -> Option<String> {
    texts.get("en").or_else(|| texts.values().next()).filter(|text| !text.is_empty()).cloned()
}
