//! The checkout form: what a shop puts into its own page so that the payer's browser makes the
//! invoice and goes to the provider's page with it.

use std::fmt;

use paymux_core::{CreatePayment, Error, Result};
use serde_json::{Map, Value};
use url::Url;

use crate::{
    auth::{Endpoint, Signer},
    decimal,
    map::{Terms, customer, page, refuse_given},
    options::MilkyPayOptions,
    wire,
};

/// A form that makes an invoice when the payer submits it. Source: the specification, "Submitting
/// HTML Form data".
///
/// Whoever submits a form can change what is in it, so what comes of it must be compared with the
/// order before anything is shipped: amount, currency and status, from a callback or a look-up.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckoutForm {
    /// Where it is submitted to, by `POST`.
    pub action: Url,
    /// Hidden fields, in order.
    pub fields: Vec<(String, String)>,
    /// What stands on the button.
    pub button: String,
}

impl CheckoutForm {
    /// The form for a request, which is refused where it says what a form cannot.
    pub(crate) fn new(
        signer: &Signer,
        terms: &Terms<'_>,
        request: &CreatePayment,
        options: &MilkyPayOptions,
    ) -> Result<Self> {
        let service = terms.service(request, options)?;
        let given = [
            ("options.milkypay.return_urls", options.return_urls.is_some()),
            ("options.milkypay.gateway_options", !options.gateway_options.is_empty()),
        ];
        refuse_given(&given, "has no field in the checkout form")?;
        check_names("options.milkypay.service_fields", &options.service_fields)?;
        check_names("options.milkypay.metadata", &options.metadata)?;
        if let Some(customer) = &options.customer {
            check_names("options.milkypay.customer.metadata", &customer.metadata)?;
        }
        let mut fields = Fields(Vec::new());
        fields.add("public_key", signer.public_key()?);
        fields.add("reference_id", request.reference.as_str());
        fields.add("currency", request.amount.currency().code());
        fields.add("amount", &decimal::short(request.amount));
        fields.add("service", service);
        if let Some(customer) = customer(request, options)? {
            fields.add_customer(&customer);
        }
        // What follows is not in the specification; it is known from the platform's reference of
        // its checkout page, and assumed to work here, too.
        if !request.description.is_empty() {
            fields.add("description", &request.description);
        }
        if let Some(url) = &request.return_url {
            fields.add("return_url", page("return_url", url)?);
        }
        if let Some(expires_at) = terms.expiry(request)? {
            fields.add("expires", &expires_at.as_seconds().to_string());
        }
        fields.add_map("service_fields", &options.service_fields);
        fields.add_map("metadata", &options.metadata);
        Ok(Self {
            action: signer.url(Endpoint::CheckoutForm)?,
            fields: fields.0,
            button: "Pay".to_owned(),
        })
    }

    /// Sets the language of the provider's page: `en`, `uk` or `ru` (docs).
    ///
    /// # Errors
    /// `InvalidRequest` without effect, naming `locale`, for any other.
    pub fn locale(mut self, locale: &str) -> Result<Self> {
        if !matches!(locale, "en" | "uk" | "ru") {
            return Err(Error::invalid_request("locale", "must be en, uk or ru"));
        }
        self.fields.retain(|(name, _)| name != "locale");
        self.fields.push(("locale".to_owned(), locale.to_owned()));
        Ok(self)
    }

    /// Sets what stands on the button; `Pay` unless set.
    #[must_use]
    pub fn button(mut self, text: impl Into<String>) -> Self {
        self.button = text.into();
        self
    }

    /// The form in HTML. Every value is escaped, so that none can leave its place.
    #[must_use]
    pub fn to_html(&self) -> String {
        let mut html =
            format!("<form action=\"{}\" method=\"post\">\n", escape(self.action.as_str()));
        for (name, value) in &self.fields {
            let (name, value) = (escape(name), escape(value));
            html.push_str(&format!(
                "<input type=\"hidden\" name=\"{name}\" value=\"{value}\" />\n"
            ));
        }
        html.push_str(&format!(
            "<input type=\"submit\" value=\"{}\" />\n</form>\n",
            escape(&self.button)
        ));
        html
    }
}

/// The fields can name people; their names alone are shown.
impl fmt::Debug for CheckoutForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("CheckoutForm")
            .field("action", &self.action.as_str())
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}

/// Fields in the names that PHP gives to maps: `customer[address][city]`.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn add(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    fn add_customer(&mut self, customer: &wire::Customer<'_>) {
        self.add("customer[reference_id]", customer.reference_id);
        self.add_some("customer[name]", customer.name);
        self.add_some("customer[email]", customer.email);
        self.add_some("customer[phone]", customer.phone);
        self.add_some("customer[individual_tax_id]", customer.individual_tax_id);
        self.add_some("customer[date_of_birth]", customer.date_of_birth);
        if let Some(address) = &customer.address {
            self.add_some("customer[address][country]", address.country);
            self.add_some("customer[address][region]", address.region);
            self.add_some("customer[address][city]", address.city);
            self.add_some("customer[address][street]", address.street);
            self.add_some("customer[address][full_address]", address.full_address);
            self.add_some("customer[address][post_code]", address.post_code);
        }
        if let Some(metadata) = customer.metadata {
            self.add_map("customer[metadata]", metadata);
        }
    }

    fn add_map(&mut self, name: &str, map: &Map<String, Value>) {
        for (key, value) in map {
            self.add_value(&format!("{name}[{key}]"), value);
        }
    }

    fn add_value(&mut self, name: &str, value: &Value) {
        match value {
            Value::Null => {}
            Value::Bool(flag) => self.add(name, if *flag { "1" } else { "0" }),
            Value::Number(number) => self.add(name, &number.to_string()),
            Value::String(text) => self.add(name, text),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_value(&format!("{name}[{index}]"), item);
                }
            }
            Value::Object(map) => self.add_map(name, map),
        }
    }
}

/// A form writes the names of a map between brackets, so one with brackets of its own, or with
/// nothing in it, would arrive as another.
fn check_names(field: &str, map: &Map<String, Value>) -> Result<()> {
    map.iter().try_for_each(|(name, value)| {
        if name.is_empty() || name.contains(['[', ']']) {
            let message = "must have names, without brackets, to stand in a form";
            return Err(Error::invalid_request(field, message));
        }
        check_names_within(field, value)
    })
}

fn check_names_within(field: &str, value: &Value) -> Result<()> {
    match value {
        Value::Object(map) => check_names(field, map),
        Value::Array(items) => items.iter().try_for_each(|item| check_names_within(field, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// Text as it can stand between quotation marks in HTML.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}
