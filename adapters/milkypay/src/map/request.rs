//! From paymux to the provider: what cannot be asked for is refused before anything is sent.

use std::time::Duration;

use paymux_core::{
    CaptureMethod, CreatePayment, Customer, Effect, Error, ErrorKind, ListPayments, Money,
    PaymentMethod, Result, Timestamp, check::filled, transport::leads_to_a_page,
};
use url::Url;

use crate::{
    config::MilkyPayConfig,
    decimal,
    options::{CustomerDetails, MilkyPayOptions, ReturnUrls},
    read::INVOICES,
    wire,
};

/// The provider takes 14 minutes to 2 days from its own clock, so a minute is left at either end.
const SOONEST_EXPIRY: Duration = Duration::from_secs(15 * 60);
const LATEST_EXPIRY: Duration = Duration::from_secs((48 * 60 - 1) * 60);

/// What an invoice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// To be paid.
    Charge,
    /// To check a card, which charges nothing.
    Verify,
}

impl Flow {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Charge => "charge",
            Self::Verify => "verify",
        }
    }
}

/// What a new invoice is measured by.
pub(crate) struct Terms<'a> {
    pub(crate) config: &'a MilkyPayConfig,
    /// Ways to pay whose limits are known.
    pub(crate) known_methods: &'a [PaymentMethod],
}

impl<'a> Terms<'a> {
    /// The service that a request is to be paid through, once all is checked that every way to
    /// make an invoice has in common.
    pub(crate) fn service(
        &self,
        request: &'a CreatePayment,
        options: &'a MilkyPayOptions,
    ) -> Result<&'a str> {
        if request.mandate.is_some() {
            return Err(lacking("mandate", "cannot be sent: the provider has no mandates"));
        }
        if request.capture != CaptureMethod::Automatic {
            let message = "must be automatic: what is paid is taken at once";
            return Err(Error::invalid_request("capture", message));
        }
        if request.amount.is_zero() {
            return Err(Error::invalid_request("amount", "must be more than zero"));
        }
        if self.config.currencies.currency(request.amount.currency().code())
            != Some(request.amount.currency())
        {
            let message = "must be of ISO 4217, or one that the setting `currency` names";
            return Err(Error::invalid_request("currency", message));
        }
        let service = service(request, options)?;
        if let Some(method) = self.known_methods.iter().find(|known| known.id.as_str() == service) {
            check_limits(method, request.amount)?;
        }
        Ok(service)
    }

    /// The invoice for the private API.
    pub(crate) fn private_invoice(
        &self,
        request: &'a CreatePayment,
        options: &'a MilkyPayOptions,
        flow: Flow,
    ) -> Result<wire::Envelope<wire::PrivateInvoice<'a>>> {
        let service = self.service(request, options)?;
        let return_url = request.return_url.as_ref();
        let callback_url = self.config.callback_url.as_ref();
        let attributes = wire::PrivateInvoice {
            reference_id: request.reference.as_str(),
            amount: decimal::literal(request.amount)?,
            currency: currency_code(request),
            service,
            flow: flow.word(),
            test_mode: self.config.mode.is_test(),
            description: &request.description,
            service_fields: &options.service_fields,
            gateway_options: &options.gateway_options,
            customer: customer(request, options)?,
            metadata: &options.metadata,
            return_url: return_url.map(|url| page("return_url", url)).transpose()?,
            return_urls: options.return_urls.as_ref().map(return_urls).transpose()?,
            callback_url: callback_url.map(as_written),
            expires: self.expiry(request)?.map(date_time),
        };
        Ok(wire::Envelope::new(INVOICES, attributes))
    }

    /// The invoice for the public API, which has fewer fields: what it cannot say is refused.
    pub(crate) fn public_invoice(
        &self,
        public_key: &'a str,
        request: &'a CreatePayment,
        options: &'a MilkyPayOptions,
    ) -> Result<wire::PublicInvoice<'a>> {
        let service = self.service(request, options)?;
        let given = [
            ("customer", request.customer.is_some() || options.customer.is_some()),
            ("return_url", request.return_url.is_some()),
            ("expires_at", request.expires_at.is_some()),
            ("options.milkypay.return_urls", options.return_urls.is_some()),
            ("options.milkypay.gateway_options", !options.gateway_options.is_empty()),
        ];
        refuse_given(&given, "cannot be sent through the public API")?;
        Ok(wire::PublicInvoice {
            public_key,
            reference_id: request.reference.as_str(),
            description: &request.description,
            service,
            currency: currency_code(request),
            amount: decimal::literal(request.amount)?,
            service_fields: &options.service_fields,
            metadata: &options.metadata,
        })
    }

    /// When the invoice ends, if the request says so and the provider takes it.
    pub(crate) fn expiry(&self, request: &CreatePayment) -> Result<Option<Timestamp>> {
        let Some(expires_at) = request.expires_at else { return Ok(None) };
        let now = self.config.clock.now();
        if expires_at < now.after(SOONEST_EXPIRY) || expires_at > now.after(LATEST_EXPIRY) {
            let message = "must be 15 minutes to 47 hours and 59 minutes from now";
            return Err(Error::invalid_request("expires_at", message));
        }
        Ok(Some(Timestamp::from_seconds(expires_at.as_seconds())))
    }
}

/// The service that a request names, in one place or in both.
fn service<'a>(request: &'a CreatePayment, options: &'a MilkyPayOptions) -> Result<&'a str> {
    const OPTION: &str = "options.milkypay.service";
    match (&request.method, &options.service) {
        (Some(method), Some(service)) if method.as_str() != service => {
            Err(Error::invalid_request(OPTION, "must be the same as method, or left out"))
        }
        (Some(method), _) => Ok(method.as_str()),
        (None, Some(service)) => filled(OPTION, service),
        (None, None) => {
            let message = "must be set to the code of a service, or options.milkypay.service";
            Err(Error::invalid_request("method", message))
        }
    }
}

fn check_limits(method: &PaymentMethod, amount: Money) -> Result<()> {
    if method.currency != amount.currency() {
        let message = format!("must be of {}, which the service takes", method.currency);
        return Err(Error::invalid_request("currency", message));
    }
    if method.min.is_some_and(|min| amount < min) {
        let message = "must be at least what the service takes";
        return Err(Error::invalid_request("amount", message));
    }
    if method.max.is_some_and(|max| amount > max) {
        let message = "must be at most what the service takes";
        return Err(Error::invalid_request("amount", message));
    }
    Ok(())
}

fn currency_code(request: &CreatePayment) -> String {
    request.amount.currency().code().to_owned()
}

/// The payer. The provider wants the merchant's id as soon as anything is said of them.
pub(crate) fn customer<'a>(
    request: &'a CreatePayment,
    options: &'a MilkyPayOptions,
) -> Result<Option<wire::Customer<'a>>> {
    let Some(customer) = &request.customer else {
        if options.customer.is_some() {
            let message = "must be set beside options.milkypay.customer";
            return Err(Error::invalid_request("customer.id", message));
        }
        return Ok(None);
    };
    let details = options.customer.as_ref();
    let detail = |field: fn(&CustomerDetails) -> &Option<String>| {
        details.and_then(|details| field(details).as_deref())
    };
    let address = address(customer, details)?;
    Ok(Some(wire::Customer {
        reference_id: filled("customer.id", &customer.id)?,
        email: customer.email.as_deref(),
        name: customer.name.as_deref(),
        phone: customer.phone.as_deref(),
        individual_tax_id: detail(|details| &details.individual_tax_id),
        date_of_birth: detail(|details| &details.date_of_birth).map(date_of_birth).transpose()?,
        metadata: details.map(|details| &details.metadata).filter(|map| !map.is_empty()),
        address: (address != wire::Address::default()).then_some(address),
    }))
}

fn address<'a>(
    customer: &'a Customer,
    details: Option<&'a CustomerDetails>,
) -> Result<wire::Address<'a>> {
    let country = customer.country.as_deref().map(country).transpose()?;
    let Some(details) = details else {
        return Ok(wire::Address { country, ..wire::Address::default() });
    };
    Ok(wire::Address {
        country,
        region: details.region.as_deref(),
        city: details.city.as_deref(),
        street: details.street.as_deref(),
        full_address: details.full_address.as_deref(),
        post_code: details.post_code.as_deref(),
    })
}

fn country(country: &str) -> Result<&str> {
    if country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(country);
    }
    let message = "must be two capital letters, as in ISO 3166-1";
    Err(Error::invalid_request("customer.country", message))
}

fn date_of_birth(date: &str) -> Result<&str> {
    if date.len() == 10 && Timestamp::parse(&format!("{date}T00:00:00Z")).is_ok() {
        return Ok(date);
    }
    let message = "must be a date such as 1980-01-31";
    Err(Error::invalid_request("options.milkypay.customer.date_of_birth", message))
}

fn return_urls(urls: &ReturnUrls) -> Result<wire::ReturnUrls<'_>> {
    const PENDING: &str = "options.milkypay.return_urls.pending";
    let Some(pending) = &urls.pending else {
        let message = "must be set beside the other return addresses";
        return Err(Error::invalid_request(PENDING, message));
    };
    let optional = |field: &str, url: &'_ Option<Url>| match url {
        Some(url) => page(field, url).map(|_| ()),
        None => Ok(()),
    };
    optional("options.milkypay.return_urls.success", &urls.success)?;
    optional("options.milkypay.return_urls.fail", &urls.fail)?;
    Ok(wire::ReturnUrls {
        success: urls.success.as_ref().map(as_written),
        pending: page(PENDING, pending)?,
        fail: urls.fail.as_ref().map(as_written),
    })
}

/// Any absolute URL, those of apps included.
pub(crate) fn page<'a>(field: &str, url: &'a Url) -> Result<&'a str> {
    if !leads_to_a_page(url) {
        return Err(Error::invalid_request(field, "must lead to a page or an app"));
    }
    Ok(as_written(url))
}

/// As the samples write it: without the slash that stands for the root alone.
fn as_written(url: &Url) -> &str {
    let text = url.as_str();
    let root_alone =
        url.has_host() && url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if root_alone { text.strip_suffix('/').unwrap_or(text) } else { text }
}

/// As the samples write it: `2020-12-13T15:52:00+00:00`.
fn date_time(moment: Timestamp) -> String {
    let text = moment.to_string();
    format!("{}+00:00", text.strip_suffix('Z').unwrap_or(&text))
}

/// What was given and has no place in a request is refused, so that nobody relies on it in vain.
pub(crate) fn refuse_given(fields: &[(&str, bool)], message: &str) -> Result<()> {
    match fields.iter().find(|(_, given)| *given) {
        Some((field, _)) => Err(lacking(field, message)),
        None => Ok(()),
    }
}

fn lacking(field: &str, message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, Effect::None, message).with_field(field)
}

/// The page size that a query asks for, if the provider can be asked; it has no filters.
pub(crate) fn invoice_list(query: &ListPayments) -> Result<u32> {
    let given = [
        ("created_from", query.created_from.is_some()),
        ("created_to", query.created_to.is_some()),
        ("status", query.status.is_some()),
        ("customer", query.customer.is_some()),
    ];
    refuse_given(&given, "the provider cannot list by this")?;
    page_limit("limit", query.limit)
}

/// The largest page is not documented.
pub(crate) fn page_limit(field: &str, limit: u32) -> Result<u32> {
    if limit == 0 {
        return Err(Error::invalid_request(field, "must be at least 1"));
    }
    Ok(limit)
}
