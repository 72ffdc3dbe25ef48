//! How a request is addressed and authorized. Pure: the token is passed in.

use std::{collections::BTreeMap, fmt};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use paymux_core::{
    Error, Result, SecretString, check,
    transport::{HttpRequest, Purpose, secret_header},
};
use secrecy::ExposeSecret;
use url::Url;

/// What stands for the invoice's id in a path.
const INVOICE_ID: &str = "{invoiceId}";

/// A call of the provider, where its path and its method can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Endpoint {
    /// Creates a payment or gives the one that is there: `POST /invoice/payment`.
    Payment,
    /// Updates a payment: `PUT /invoice/payment`.
    Update,
    /// Confirms a payment, which moves the money: `POST /invoice/payment/pay`.
    Confirm,
    /// Reads an invoice: `GET /invoice/{invoiceId}`.
    Invoice,
    /// Applies a discount to an invoice: `PUT /invoice/payment/discount`.
    Discount,
}

impl Endpoint {
    const ALL: [Self; 5] =
        [Self::Payment, Self::Update, Self::Confirm, Self::Invoice, Self::Discount];

    /// The path below the prefix, unless set. Sources: the reference page of the first, clients for
    /// the rest.
    const fn path(self) -> &'static str {
        match self {
            Self::Payment | Self::Update => "/invoice/payment",
            Self::Confirm => "/invoice/payment/pay",
            Self::Invoice => "/invoice/{invoiceId}",
            Self::Discount => "/invoice/payment/discount",
        }
    }

    const fn method(self) -> Method {
        match self {
            Self::Payment | Self::Confirm => Method::POST,
            Self::Update | Self::Discount => Method::PUT,
            Self::Invoice => Method::GET,
        }
    }

    const fn setting(self) -> &'static str {
        match self {
            Self::Payment => "path.payment",
            Self::Update => "path.update",
            Self::Confirm => "path.confirm",
            Self::Invoice => "path.invoice",
            Self::Discount => "path.discount",
        }
    }
}

/// Where the calls of one account go to, as it is set.
#[derive(Clone, Debug)]
pub(crate) struct Addresses {
    pub(crate) base_url: Url,
    pub(crate) prefix: String,
    pub(crate) paths: BTreeMap<Endpoint, String>,
    pub(crate) methods: BTreeMap<Endpoint, Method>,
    pub(crate) headers: Vec<(String, SecretString)>,
}

impl Addresses {
    pub(crate) fn new(base_url: Url) -> Self {
        Self {
            base_url,
            prefix: "/acquiring".to_owned(),
            paths: BTreeMap::new(),
            methods: BTreeMap::new(),
            headers: Vec::new(),
        }
    }
}

/// Addresses and authorizes the requests of one account.
pub(crate) struct Signer {
    base_url: Url,
    routes: BTreeMap<Endpoint, (Method, Vec<String>)>,
    headers: HeaderMap,
    secrets: Vec<SecretString>,
}

/// Nothing of the headers is shown.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("host", &self.base_url.host_str()).finish_non_exhaustive()
    }
}

impl Signer {
    pub(crate) fn new(set: &Addresses) -> Result<Self> {
        check::base_url("base_url", &set.base_url)?;
        let prefix = match set.prefix.as_str() {
            "" | "/" => Vec::new(),
            prefix => segments("path_prefix", prefix)?,
        };
        let mut routes = BTreeMap::new();
        for endpoint in Endpoint::ALL {
            let path = set.paths.get(&endpoint).map_or(endpoint.path(), String::as_str);
            let below = route(endpoint, path)?;
            let method = checked_method(endpoint, set.methods.get(&endpoint))?;
            routes.insert(endpoint, (method, [prefix.clone(), below].concat()));
        }
        // A look-up, or an update, that went there would move money.
        let confirm = routes.get(&Endpoint::Confirm);
        if routes.iter().any(|(other, route)| *other != Endpoint::Confirm && Some(route) == confirm)
        {
            let message = "must differ from every other call's, by its path or its method";
            return Err(Error::configuration(Endpoint::Confirm.setting(), message));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &set.headers {
            let (name, value) = static_header(name, value)?;
            if headers.insert(name, value).is_some() {
                return Err(Error::configuration("header", "must not be named twice"));
            }
        }
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let secrets = set.headers.iter().map(|(_, value)| value.clone()).collect();
        Ok(Self { base_url: set.base_url.clone(), routes, headers, secrets })
    }

    /// What must not show when a server quotes our request back, besides the token.
    pub(crate) fn secrets(&self) -> &[SecretString] {
        &self.secrets
    }

    /// A request without body, in the name of an end user.
    pub(crate) fn request(
        &self,
        purpose: Purpose,
        endpoint: Endpoint,
        invoice_id: &str,
        token: &SecretString,
    ) -> Result<HttpRequest> {
        let Some((method, path)) = self.routes.get(&endpoint) else {
            return Err(Error::configuration(endpoint.setting(), "must be set"));
        };
        let path: Vec<&str> = path
            .iter()
            .map(|segment| if segment == INVOICE_ID { invoice_id } else { segment })
            .collect();
        let url = below(&self.base_url, &path)?;
        let mut request = HttpRequest::new(purpose, method.clone(), url);
        request.headers = self.headers.clone();
        Ok(request.header(header::AUTHORIZATION, secret_header("token", "Bearer ", token)?))
    }
}

fn route(endpoint: Endpoint, path: &str) -> Result<Vec<String>> {
    let segments = segments(endpoint.setting(), path)?;
    let ids = segments.iter().filter(|segment| *segment == INVOICE_ID).count();
    let wanted = usize::from(endpoint == Endpoint::Invoice);
    if ids != wanted || segments.iter().any(|part| part != INVOICE_ID && part.contains(['{', '}']))
    {
        let message = match endpoint {
            Endpoint::Invoice => "must hold {invoiceId} once, between slashes",
            Endpoint::Payment | Endpoint::Update | Endpoint::Confirm | Endpoint::Discount => {
                "must hold no braces: the ids stand in the body"
            }
        };
        return Err(Error::configuration(endpoint.setting(), message));
    }
    Ok(segments)
}

fn checked_method(endpoint: Endpoint, set: Option<&Method>) -> Result<Method> {
    let Some(method) = set else { return Ok(endpoint.method()) };
    let takes_body = [Method::POST, Method::PUT, Method::PATCH].contains(method);
    if endpoint == Endpoint::Invoice || !takes_body {
        let message = "must be POST, PUT or PATCH, and reading an invoice stays GET";
        return Err(Error::configuration("method", message));
    }
    Ok(method.clone())
}

/// The segments of a path that a setting has.
pub(crate) fn segments(setting: &str, path: &str) -> Result<Vec<String>> {
    let refuse = || {
        let message = "must begin with a slash and be plain: no spaces, queries, dots alone, `%`";
        Error::configuration(setting, message)
    };
    let rest = path.strip_prefix('/').ok_or_else(refuse)?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let is_plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#%\\".contains(&byte))
    };
    let parts: Vec<String> = rest.split('/').map(str::to_owned).collect();
    if parts.iter().all(|part| is_plain(part)) { Ok(parts) } else { Err(refuse()) }
}

/// The address below a root.
pub(crate) fn below<T: AsRef<str>>(root: &Url, path: &[T]) -> Result<Url> {
    let mut url = root.clone();
    url.path_segments_mut()
        .map_err(|()| Error::configuration("base_url", "must be a URL with a path"))?
        .pop_if_empty()
        .extend(path);
    Ok(url)
}

/// A header that goes with every request. Those that the calls themselves set, or that decide how
/// a message ends, are not for a setting.
pub(crate) fn static_header(name: &str, value: &SecretString) -> Result<(HeaderName, HeaderValue)> {
    let refuse = |message: &str| Err(Error::configuration("header", message));
    let Ok(name) = HeaderName::try_from(name) else {
        return refuse("must be named by letters, digits and dashes");
    };
    let own = [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::ACCEPT,
        header::CONTENT_TYPE,
        header::CONTENT_LENGTH,
        header::CONTENT_ENCODING,
        header::TRANSFER_ENCODING,
        header::TE,
        header::TRAILER,
        header::CONNECTION,
        header::UPGRADE,
        header::EXPECT,
        header::HOST,
    ];
    if own.contains(&name) {
        return refuse("must not be one that the calls set themselves");
    }
    let text = value.expose_secret();
    let fits = !text.is_empty()
        && text.trim() == text
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    match HeaderValue::try_from(text) {
        Ok(mut value) if fits => {
            value.set_sensitive(true);
            Ok((name, value))
        }
        Ok(_) | Err(_) => refuse("must have a value of visible ASCII"),
    }
}
