//! Deliveries as they were received, and the forgeries that follow from them.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use http::HeaderName;
use paymux_core::{PaymentProvider, Result, Timestamp, Trust, WebhookEvent};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    call::{self, Delivery, DeliveryInput, Moment, OneOrMany},
    case::{Outcome, Source, default_account},
    data::{self, Problem},
    forge,
    play::{self, Context, verdict},
    suite::trial,
    trial::Trial,
};

const DEFAULT_TOLERANCE_S: u64 = 300;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryFile {
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
    #[serde(default)]
    defaults: Map<String, Value>,
    #[serde(default)]
    vars: data::Vars,
    deliveries: Vec<Value>,
}

/// A delivery as the data writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeliveryCase {
    name: String,
    #[expect(dead_code, reason = "required of every delivery for the reader")]
    source: Source,
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
    #[serde(default = "default_account")]
    account: String,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    headers: BTreeMap<String, OneOrMany>,
    body_text: String,
    received_at: Moment,
    #[serde(default)]
    signed_at: Option<Moment>,
    #[serde(default)]
    sign: bool,
    #[serde(default)]
    signature_headers: Option<Vec<String>>,
    #[serde(default)]
    tolerance_s: Option<u64>,
    outcome: Outcome,
    #[serde(default)]
    no_forgeries: Option<String>,
}

/// A delivery, ready to be verified.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// `webhook::deliveries::payment_paid`.
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) delivery: Delivery,
    /// What the data wrote: the same, unless the signer put it into another body.
    pub(crate) unsigned_body: Vec<u8>,
    pub(crate) signed_at: Timestamp,
    pub(crate) signature_headers: Vec<HeaderName>,
    pub(crate) tolerance: Duration,
    outcome: Outcome,
    forgeries: bool,
}

/// Reads the deliveries of a folder; what is wrong with its files, each by file.
pub(crate) fn read<P: PaymentProvider>(
    context: &Context<P>,
    folder: &Path,
) -> (Vec<Received>, Vec<(String, Problem)>) {
    let mut deliveries = Vec::new();
    let mut problems = Vec::new();
    let files = match data::json_files(folder) {
        Ok(files) => files,
        Err(problem) => return (deliveries, vec![("webhooks".to_owned(), problem)]),
    };
    for path in files {
        let stem = data::stem(&path);
        match read_file(context, &path, folder, &stem) {
            Ok(read) => deliveries.extend(read),
            Err(problem) => problems.push((format!("webhooks::{stem}"), problem)),
        }
    }
    (deliveries, problems)
}

fn read_file<P: PaymentProvider>(
    context: &Context<P>,
    path: &Path,
    folder: &Path,
    stem: &str,
) -> Result<Vec<Received>, Problem> {
    let file: DeliveryFile = data::read_as(&data::read_file(path, folder)?, stem)?;
    let defaults = Value::Object(file.defaults);
    let mut deliveries: Vec<Received> = Vec::new();
    for mut raw in file.deliveries {
        data::lay_under(&mut raw, &defaults);
        let raw = data::fill(&raw, &file.vars).map_err(|problem| format!("{stem}: {problem}"))?;
        let name = raw.get("name").and_then(Value::as_str).unwrap_or("one without name");
        let case: DeliveryCase = data::read_as(&raw, &format!("{stem}::{name}"))?;
        let delivery = case.received(context, stem)?;
        if deliveries.iter().any(|other| other.id == delivery.id) {
            return Err(format!("{} is there twice", delivery.id));
        }
        deliveries.push(delivery);
    }
    Ok(deliveries)
}

impl DeliveryCase {
    fn received<P: PaymentProvider>(
        self,
        context: &Context<P>,
        stem: &str,
    ) -> Result<Received, Problem> {
        let input = DeliveryInput {
            endpoint: self.endpoint,
            headers: self.headers,
            body_text: self.body_text,
            received_at: self.received_at,
        };
        let mut delivery = input.read()?;
        let unsigned_body = delivery.body.clone();
        let signed_at = self.signed_at.unwrap_or(self.received_at).0;
        if self.sign {
            let sign = context
                .signer
                .as_ref()
                .ok_or_else(|| format!("{}: `sign` needs the suite's signer", self.name))?;
            let (headers, body) = sign(&self.account, &delivery.body, signed_at);
            delivery.headers.extend(headers);
            delivery.body = body;
        }
        if self.no_forgeries.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(format!("{}: `no_forgeries` must say why", self.name));
        }
        let signature_headers = match self.signature_headers {
            Some(names) => names
                .iter()
                .map(|name| HeaderName::try_from(name.as_str()).map_err(|error| error.to_string()))
                .collect::<Result<_, _>>()?,
            None => {
                let names = delivery.headers.keys();
                names.filter(|name| *name != http::header::CONTENT_TYPE).cloned().collect()
            }
        };
        Ok(Received {
            id: format!("webhook::{stem}::{}", self.name),
            account: self.account,
            delivery,
            unsigned_body,
            signed_at,
            signature_headers,
            tolerance: Duration::from_secs(self.tolerance_s.unwrap_or(DEFAULT_TOLERANCE_S)),
            outcome: self.outcome,
            forgeries: self.no_forgeries.is_none(),
        })
    }
}

impl Received {
    pub(crate) fn is_golden(&self) -> bool {
        matches!(self.outcome, Outcome::Ok(_))
    }

    /// The same at another moment.
    pub(crate) fn arriving_at(&self, moment: Timestamp) -> Delivery {
        Delivery { received_at: moment, ..self.delivery.clone() }
    }

    fn check<P: PaymentProvider>(&self, context: &Context<P>) -> Result<(), Problem> {
        let result = context.verify(&self.account, &self.delivery)?;
        let again = context.verify(&self.account, &self.delivery)?;
        let mut problems = Vec::new();
        let json = |result: &Result<Vec<WebhookEvent>, Problem>| match result {
            Ok(events) => json!(events),
            Err(error) => json!(error),
        };
        if json(&result) != json(&again) {
            problems.push("verified twice, it says two things".to_owned());
        }
        let provider = context.build_alone(&self.account)?;
        let answer = call::show(provider.verify_webhook(&self.delivery.borrow()));
        problems.extend(play::check_outcome(&self.outcome, &answer.result));
        problems.extend(context.leaks(&answer.texts));
        if let Err(error) = &answer.result
            && error.provider() != Some(provider.id())
        {
            problems.push(format!("the error does not name the provider `{}`", provider.id()));
        }
        let most = provider.capabilities().webhook_trust;
        for event in result.unwrap_or_default() {
            if event.trust > most {
                problems
                    .push(format!("it is believed as {}, the account says {most}", event.trust));
            }
        }
        verdict(&problems)
    }
}

/// The trials of every delivery.
pub(crate) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    deliveries: &[Received],
) -> Vec<Trial> {
    let mut trials = Vec::new();
    for received in deliveries {
        let base = received.clone();
        trials.push(trial(
            context,
            received.id.clone(),
            |context| async move { base.check(&context) },
        ));
        if received.is_golden() && received.forgeries {
            trials.extend(forge::trials(context, received, least_trust(context, received)));
        }
    }
    trials
}

/// How far the delivery's events are believed at least; what cannot be verified fails elsewhere.
fn least_trust<P: PaymentProvider>(context: &Context<P>, received: &Received) -> Trust {
    let events = context.verify(&received.account, &received.delivery);
    let events = events.ok().and_then(std::result::Result::ok).unwrap_or_default();
    events.iter().map(|event| event.trust).min().unwrap_or(Trust::Unsigned)
}
