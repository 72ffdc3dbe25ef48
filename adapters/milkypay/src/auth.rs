//! How a request is addressed and signed. Pure.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Method, header};
use paymux_core::{
    Cursor, Error, Result, SecretString,
    json::Unreadable,
    transport::{HttpRequest, Purpose, secret_header},
};
use secrecy::ExposeSecret;
use serde::Serialize;
use url::Url;

use crate::config::{Api, MilkyPayConfig};

/// A resource of one of the two APIs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint<'a> {
    Prerequest,
    PublicInvoices,
    PublicInvoice(&'a str),
    CheckoutForm,
    PaymentServices,
    PaymentService(&'a str),
    Invoices,
    Invoice(&'a str),
    Refund(&'a str),
}

impl<'a> Endpoint<'a> {
    const fn api(self) -> Api {
        match self {
            Self::Prerequest
            | Self::PublicInvoices
            | Self::PublicInvoice(_)
            | Self::CheckoutForm => Api::Public,
            Self::PaymentServices
            | Self::PaymentService(_)
            | Self::Invoices
            | Self::Invoice(_)
            | Self::Refund(_) => Api::Private,
        }
    }

    fn path(self) -> Vec<&'a str> {
        const INVOICES: &str = "payment-invoices";
        let (root, rest) = match self {
            Self::Prerequest => ("public-api", vec!["payment-prerequest"]),
            Self::PublicInvoices => ("public-api", vec![INVOICES]),
            Self::PublicInvoice(id) => ("public-api", vec![INVOICES, id]),
            Self::CheckoutForm => ("public-api", vec![INVOICES, "process"]),
            Self::PaymentServices => ("api", vec!["payment-services"]),
            Self::PaymentService(id) => ("api", vec!["payment-services", id]),
            Self::Invoices => ("api", vec![INVOICES]),
            Self::Invoice(id) => ("api", vec![INVOICES, id]),
            Self::Refund(id) => ("api", vec![INVOICES, id, "refund"]),
        };
        [vec![root], rest].concat()
    }
}

/// Addresses and signs the requests of one account.
pub(crate) struct Signer {
    base_url: Url,
    authorization: Option<HeaderValue>,
    secrets: Vec<SecretString>,
    public_key: Option<String>,
    public_key_in_query: bool,
}

impl Signer {
    pub(crate) fn new(config: &MilkyPayConfig) -> Result<Self> {
        let (mut authorization, mut secrets) = (None, Vec::new());
        if let Some((account_id, api_key)) = &config.private {
            let both = basic(account_id, api_key)?;
            authorization = Some(secret_header("private_api", "Basic ", &both)?);
            secrets = vec![api_key.clone(), both];
        }
        Ok(Self {
            base_url: config.base_url.clone(),
            authorization,
            secrets,
            public_key: config.public_key.clone(),
            public_key_in_query: config.public_key_in_query,
        })
    }

    /// What must not show when a server quotes our request back: the key, and what of it goes over
    /// the wire.
    pub(crate) fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }

    pub(crate) const fn has_private_api(&self) -> bool {
        self.authorization.is_some()
    }

    pub(crate) const fn has_public_api(&self) -> bool {
        self.public_key.is_some()
    }

    /// The key for the body of a public call.
    pub(crate) fn public_key(&self) -> Result<&str> {
        self.public_key
            .as_deref()
            .ok_or_else(|| Error::configuration("public_api", "must be set for this call"))
    }

    /// Where a resource is.
    pub(crate) fn url(&self, endpoint: Endpoint<'_>) -> Result<Url> {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| Error::configuration("base_url", "must be a URL with a path"))?
            .pop_if_empty()
            .extend(endpoint.path());
        Ok(url)
    }

    /// A request that reads. Where the public key stands in such a request is not documented, and
    /// the platform's own client sends none, so it goes into the query (assumed).
    pub(crate) fn get(
        &self,
        endpoint: Endpoint<'_>,
        query: &[(&str, &str)],
    ) -> Result<HttpRequest> {
        let mut url = self.url(endpoint)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        if endpoint.api() == Api::Public && self.public_key_in_query {
            url.query_pairs_mut().append_pair("public_key", self.public_key()?);
        }
        self.signed(endpoint, HttpRequest::new(Purpose::Read, Method::GET, url))
    }

    /// A request with a body.
    pub(crate) fn post<T: Serialize>(
        &self,
        purpose: Purpose,
        endpoint: Endpoint<'_>,
        body: &T,
    ) -> Result<HttpRequest> {
        let url = self.url(endpoint)?;
        self.signed(endpoint, HttpRequest::new(purpose, Method::POST, url).json(body)?)
    }

    /// The page of the list of invoices that a link leads to. Only the link's query is used, so
    /// that our credentials go nowhere else.
    pub(crate) fn page(&self, cursor: &Cursor) -> Result<HttpRequest> {
        let query = self.page_query(cursor.as_str()).ok_or_else(|| {
            Error::invalid_request("cursor", "must be one that a page of this list named")
        })?;
        let mut url = self.url(Endpoint::Invoices)?;
        url.set_query(Some(&query));
        self.signed(Endpoint::Invoices, HttpRequest::new(Purpose::Read, Method::GET, url))
    }

    /// A link of the list of invoices, as a cursor.
    pub(crate) fn cursor(&self, link: &str) -> Result<Cursor, Unreadable> {
        let foreign = || Unreadable::new("the link to another page does not lead to this list");
        self.page_query(link).ok_or_else(foreign)?;
        Cursor::new(link).map_err(|_| foreign())
    }

    /// The query of a link that leads to our list of invoices: links begin at the host's root.
    /// Behind a proxy below a path they may begin with that path or not.
    fn page_query(&self, link: &str) -> Option<String> {
        let list = self.url(Endpoint::Invoices).ok()?;
        let link = list.join(link).ok()?;
        let same_origin = link.origin() == list.origin()
            && link.username().is_empty()
            && link.password().is_none();
        let same_list = link.path() == list.path() || link.path() == "/api/payment-invoices";
        if !same_origin || !same_list || link.fragment().is_some() {
            return None;
        }
        link.query().filter(|query| !query.is_empty()).map(str::to_owned)
    }

    fn signed(&self, endpoint: Endpoint<'_>, request: HttpRequest) -> Result<HttpRequest> {
        let request = request.header(header::ACCEPT, HeaderValue::from_static("application/json"));
        match endpoint.api() {
            Api::Public => Ok(request),
            Api::Private => {
                let authorization = self.authorization.clone().ok_or_else(|| {
                    Error::configuration("private_api", "must be set for this call")
                })?;
                Ok(request.header(header::AUTHORIZATION, authorization))
            }
        }
    }
}

/// The account and its key, as RFC 7617 has them in one.
fn basic(account_id: &str, api_key: &SecretString) -> Result<SecretString> {
    let refuse = |message: &str| Err(Error::configuration("private_api", message));
    let is_visible =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_visible(account_id) || account_id.contains(':') {
        return refuse("must have an account id of visible ASCII without colons");
    }
    if !is_visible(api_key.expose_secret()) {
        return refuse("must have an API key of visible ASCII without spaces");
    }
    let both = STANDARD.encode(format!("{account_id}:{}", api_key.expose_secret()));
    Ok(SecretString::from(both))
}
