//! How a request is addressed and signed. Pure.

use http::{HeaderName, HeaderValue, Method};
use paymux_core::{
    Effect, Error, ErrorKind, IdempotencyKey, Result, SecretString,
    transport::{HttpRequest, Purpose, secret_header},
};
use serde::Serialize;
use url::Url;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const CONNECT_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("connect-protocol-version");

/// A remote procedure of the provider: 1 to 11 of the specification, and the three for refunds
/// that its 2025 refunds page adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rpc {
    CreateSession,
    CancelSession,
    GetSession,
    GetSessionStatus,
    ListSessions,
    GetPayment,
    ListPayments,
    CompletePayment,
    CancelPayment,
    GetTopup,
    ListTopups,
    CreateRefund,
    GetRefund,
    ListRefunds,
}

impl Rpc {
    pub(crate) const fn path(self) -> [&'static str; 2] {
        const PAYMENT: &str = "pay.v1.PaymentService";
        const REFUND: &str = "pay.v1.RefundService";
        match self {
            Self::CreateSession => [PAYMENT, "CreateSession"],
            Self::CancelSession => [PAYMENT, "CancelSession"],
            Self::GetSession => [PAYMENT, "GetSession"],
            Self::GetSessionStatus => [PAYMENT, "GetSessionStatus"],
            Self::ListSessions => [PAYMENT, "ListSessions"],
            Self::GetPayment => [PAYMENT, "GetPayment"],
            Self::ListPayments => [PAYMENT, "ListPayments"],
            Self::CompletePayment => [PAYMENT, "CompletePayment"],
            Self::CancelPayment => [PAYMENT, "CancelPayment"],
            Self::GetTopup => [PAYMENT, "GetTopup"],
            Self::ListTopups => [PAYMENT, "ListTopups"],
            Self::CreateRefund => [REFUND, "CreateRefund"],
            Self::GetRefund => [REFUND, "GetRefund"],
            Self::ListRefunds => [REFUND, "ListRefunds"],
        }
    }

    /// Every call is a `POST`, so only the name tells what can change something.
    pub(crate) const fn purpose(self) -> Purpose {
        match self {
            Self::CreateSession
            | Self::CancelSession
            | Self::CompletePayment
            | Self::CancelPayment
            | Self::CreateRefund => Purpose::Mutate,
            Self::GetSession
            | Self::GetSessionStatus
            | Self::ListSessions
            | Self::GetPayment
            | Self::ListPayments
            | Self::GetTopup
            | Self::ListTopups
            | Self::GetRefund
            | Self::ListRefunds => Purpose::Read,
        }
    }

    /// Is it about refunds? `insufficient_funds` means the merchant's balance there, and the
    /// buyer's everywhere else.
    pub(crate) const fn is_refund(self) -> bool {
        matches!(self, Self::CreateRefund | Self::GetRefund | Self::ListRefunds)
    }
}

/// Addresses and signs the requests of one account.
pub(crate) struct Signer {
    base_url: Url,
    authorization: HeaderValue,
    connect_protocol_version: bool,
}

impl Signer {
    pub(crate) fn new(
        base_url: Url,
        api_key: &SecretString,
        connect_protocol_version: bool,
    ) -> Result<Self> {
        let authorization = secret_header("api_key", "Bearer ", api_key)?;
        Ok(Self { base_url, authorization, connect_protocol_version })
    }

    /// The complete request; a key goes out with mutating calls only.
    pub(crate) fn request<T: Serialize>(
        &self,
        rpc: Rpc,
        body: &T,
        key: Option<&IdempotencyKey>,
    ) -> Result<HttpRequest> {
        let mut url = self.base_url.clone();
        url.path_segments_mut()
            .map_err(|()| Error::configuration("base_url", "must be a URL with a path"))?
            .pop_if_empty()
            .extend(rpc.path());
        let mut request = HttpRequest::new(rpc.purpose(), Method::POST, url)
            .json(body)?
            .header(http::header::AUTHORIZATION, self.authorization.clone());
        if self.connect_protocol_version {
            request = request.header(CONNECT_PROTOCOL_VERSION, HeaderValue::from_static("1"));
        }
        if let Some(key) = key {
            let value = HeaderValue::from_str(key.as_str()).map_err(|source| {
                Error::new(ErrorKind::InvalidRequest, Effect::None, "cannot stand in a header")
                    .with_field("key")
                    .with_source(source)
            })?;
            request = request.header(IDEMPOTENCY_KEY, value);
        }
        Ok(request)
    }
}
