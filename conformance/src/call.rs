//! A call, read from data, and made.

use std::{collections::BTreeMap, error::Error as _, fmt::Debug};

use http::{HeaderMap, HeaderName, HeaderValue};
use paymux_core::{
    CancelMandate, CancelPayment, CapturePayment, ConfirmMandate, ConfirmPayment, CreateMandate,
    CreatePayment, CreateRefund, Error, ListPaymentMethods, ListPayments, MandateHandle,
    PaymentLookup, PaymentProvider, RefundLookup, Result, Timestamp, WebhookDelivery,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{compare, data::Problem, inherent::CallFuture};

/// An inherent method of an adapter, reachable from cases by a name.
pub(crate) type InherentCall<P> = Box<dyn for<'a> Fn(&'a P, Value) -> CallFuture<'a> + Send + Sync>;

/// The inherent methods by name.
pub(crate) type InherentCalls<P> = BTreeMap<String, InherentCall<P>>;

/// A delivery as the data writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeliveryInput {
    /// The label it was mounted under.
    #[serde(default)]
    pub(crate) endpoint: String,
    /// Each header with its value, or its values.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, OneOrMany>,
    /// The body, byte by byte.
    pub(crate) body_text: String,
    /// When it arrived.
    pub(crate) received_at: Moment,
}

/// A header's value, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// A moment: milliseconds since 1970, or RFC 3339 text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "MomentText")]
pub(crate) struct Moment(pub(crate) Timestamp);

#[derive(Deserialize)]
#[serde(untagged)]
enum MomentText {
    Millis(i64),
    Text(String),
}

impl TryFrom<MomentText> for Moment {
    type Error = String;

    fn try_from(value: MomentText) -> Result<Self, String> {
        match value {
            MomentText::Millis(millis) => Ok(Self(Timestamp::from_millis(millis))),
            MomentText::Text(text) => {
                let moment = Timestamp::parse(&text).map_err(|error| error.to_string())?;
                Ok(Self(moment))
            }
        }
    }
}

/// A delivery that owns its parts.
#[derive(Clone, Debug)]
pub(crate) struct Delivery {
    pub(crate) endpoint: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) received_at: Timestamp,
}

impl Delivery {
    pub(crate) fn borrow(&self) -> WebhookDelivery<'_> {
        WebhookDelivery {
            endpoint: &self.endpoint,
            headers: &self.headers,
            body: &self.body,
            received_at: self.received_at,
        }
    }
}

impl DeliveryInput {
    pub(crate) fn read(&self) -> Result<Delivery, Problem> {
        let mut headers = HeaderMap::new();
        for (name, values) in &self.headers {
            let values = match values {
                OneOrMany::One(value) => std::slice::from_ref(value),
                OneOrMany::Many(values) => values,
            };
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| format!("`{name}` cannot be a header's name"))?;
            for value in values {
                let value = HeaderValue::try_from(value.as_str())
                    .map_err(|_| format!("the value of `{name}` cannot stand in a header"))?;
                headers.append(name.clone(), value);
            }
        }
        Ok(Delivery {
            endpoint: self.endpoint.clone(),
            headers,
            body: self.body_text.clone().into_bytes(),
            received_at: self.received_at.0,
        })
    }
}

/// A call with its request read.
#[derive(Clone, Debug)]
pub(crate) enum Input {
    CreatePayment(Box<CreatePayment>),
    FetchPayment(PaymentLookup),
    ListPayments(ListPayments),
    ConfirmPayment(ConfirmPayment),
    CapturePayment(CapturePayment),
    CancelPayment(CancelPayment),
    CreateRefund(CreateRefund),
    FetchRefund(RefundLookup),
    ListPaymentMethods(ListPaymentMethods),
    CreateMandate(CreateMandate),
    FetchMandate(MandateHandle),
    ConfirmMandate(ConfirmMandate),
    CancelMandate(CancelMandate),
    VerifyWebhook(Delivery),
    Inherent { name: String, input: Value },
}

/// What a call gave, and every text that it can show to anybody.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) result: Result<Value>,
    pub(crate) texts: Vec<String>,
}

impl Input {
    /// Reads the request of a named operation.
    pub(crate) fn read(name: &str, value: &Value) -> Result<Self, Problem> {
        Ok(match name {
            "create_payment" => Self::CreatePayment(read(name, value)?),
            "fetch_payment" => Self::FetchPayment(read(name, value)?),
            "list_payments" => Self::ListPayments(read(name, value)?),
            "confirm_payment" => Self::ConfirmPayment(read(name, value)?),
            "capture_payment" => Self::CapturePayment(read(name, value)?),
            "cancel_payment" => Self::CancelPayment(read(name, value)?),
            "create_refund" => Self::CreateRefund(read(name, value)?),
            "fetch_refund" => Self::FetchRefund(read(name, value)?),
            "list_payment_methods" => Self::ListPaymentMethods(read(name, value)?),
            "create_mandate" => Self::CreateMandate(read(name, value)?),
            "fetch_mandate" => Self::FetchMandate(read(name, value)?),
            "confirm_mandate" => Self::ConfirmMandate(read(name, value)?),
            "cancel_mandate" => Self::CancelMandate(read(name, value)?),
            "verify_webhook" => {
                let input: DeliveryInput = crate::data::read_as(value, name)?;
                Self::VerifyWebhook(input.read()?)
            }
            _ => Self::Inherent { name: name.to_owned(), input: value.clone() },
        })
    }

    /// Makes the call.
    pub(crate) async fn make<P: PaymentProvider>(
        &self,
        provider: &P,
        inherent: &InherentCalls<P>,
    ) -> Result<Answer, Problem> {
        Ok(match self {
            Self::CreatePayment(request) => show(provider.create_payment(request).await),
            Self::FetchPayment(lookup) => show(provider.fetch_payment(lookup).await),
            Self::ListPayments(query) => show(provider.list_payments(query).await),
            Self::ConfirmPayment(request) => show(provider.confirm_payment(request).await),
            Self::CapturePayment(request) => show(provider.capture_payment(request).await),
            Self::CancelPayment(request) => show(provider.cancel_payment(request).await),
            Self::CreateRefund(request) => show(provider.create_refund(request).await),
            Self::FetchRefund(lookup) => show(provider.fetch_refund(lookup).await),
            Self::ListPaymentMethods(query) => show(provider.list_payment_methods(query).await),
            Self::CreateMandate(request) => show(provider.create_mandate(request).await),
            Self::FetchMandate(handle) => show(provider.fetch_mandate(handle).await),
            Self::ConfirmMandate(request) => show(provider.confirm_mandate(request).await),
            Self::CancelMandate(request) => show(provider.cancel_mandate(request).await),
            Self::VerifyWebhook(delivery) => show(provider.verify_webhook(&delivery.borrow())),
            Self::Inherent { name, input } => {
                let call = inherent.get(name).ok_or_else(|| {
                    format!("`{name}` is neither a method of the trait nor a registered call")
                })?;
                show(call(provider, input.clone()).await)
            }
        })
    }
}

/// Reads a request and refuses keys that it does not have: they would be dropped in silence.
fn read<T: DeserializeOwned + Serialize>(name: &str, value: &Value) -> Result<T, Problem> {
    let request: T = crate::data::read_as(value, name)?;
    let written = serde_json::to_value(&request).map_err(|error| format!("{name}: {error}"))?;
    let lost = compare::subset(value, &written);
    if lost.is_empty() { Ok(request) } else { Err(format!("{name}: {}", lost.join("; "))) }
}

/// Keeps what a call gave, with its `Debug` and `Display`.
pub(crate) fn show<T: Serialize + Debug>(result: Result<T>) -> Answer {
    let mut texts = vec![format!("{result:?}"), format!("{result:#?}")];
    let result = result.and_then(|value| {
        serde_json::to_value(&value).map_err(|source| {
            let message = format!("the result cannot be stored as JSON: {source}");
            Error::new(paymux_core::ErrorKind::Unexpected, paymux_core::Effect::Possible, message)
        })
    });
    match &result {
        Ok(value) => texts.push(value.to_string()),
        Err(error) => {
            texts.push(error.to_string());
            let mut cause = error.source();
            while let Some(source) = cause {
                texts.extend([format!("{source}"), format!("{source:?}")]);
                cause = source.source();
            }
        }
    }
    Answer { result, texts }
}
