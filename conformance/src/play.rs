//! Plays a case against an adapter and says in what they differ.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
    time::Duration,
};

use paymux_core::{
    Error, ErrorKind, PaymentProvider, Result, WebhookEvent,
    transport::{HttpClient, HttpSettings},
};
use serde_json::Value;
use tokio::runtime::Runtime;
use url::Url;

use crate::{
    call::{Answer, Delivery, InherentCalls, Input},
    case::{Case, CaseTemplate, Outcome},
    compare,
    data::Problem,
    serve::{self, Idle, Received, STRANGER, Server, Step},
};

/// How long the client waits where an answer comes.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How long the client waits where no answer comes: the subject of some trials. The longer waits
/// are for a machine so busy that the requests before took all of the first.
const SHORT_TIMEOUTS: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(5)];

/// Builds an adapter that talks to a server.
pub(crate) type BuildAccount<P> = Box<dyn Fn(&Url, HttpClient) -> Result<P> + Send + Sync>;

/// What all trials of a suite share.
pub(crate) struct Context<P> {
    pub(crate) accounts: BTreeMap<String, BuildAccount<P>>,
    pub(crate) inherent: InherentCalls<P>,
    pub(crate) secrets: Vec<String>,
    pub(crate) fresh_headers: Vec<String>,
    pub(crate) signer: Option<crate::suite::Signer>,
    pub(crate) servers: Idle,
    pub(crate) runtime: Runtime,
    pub(crate) client: HttpClient,
    /// Built when first needed: a client reads the system's certificates.
    pub(crate) impatient_clients: [OnceLock<HttpClient>; SHORT_TIMEOUTS.len()],
}

/// A client that waits so long, or as long as an answer can take.
pub(crate) fn client(timeout: Option<Duration>) -> Result<HttpClient> {
    let mut settings = HttpSettings::default();
    settings.timeout = timeout.unwrap_or(TIMEOUT);
    settings.connect_timeout = settings.timeout - Duration::from_millis(10);
    HttpClient::new(settings)
}

impl<P> Context<P> {
    /// The client that waits for the n-th of the short timeouts.
    pub(crate) fn impatient_client(&self, nth: usize) -> Result<&HttpClient, Problem> {
        let slot = &self.impatient_clients[nth];
        if let Some(client) = slot.get() {
            return Ok(client);
        }
        let built = client(Some(SHORT_TIMEOUTS[nth])).map_err(|error| error.to_string())?;
        Ok(slot.get_or_init(|| built))
    }
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Played {
    /// With the server's address replaced by `{{server}}`.
    pub(crate) result: Result<Value>,
    pub(crate) received: Vec<Received>,
    /// What is wrong whatever the case wants.
    pub(crate) problems: Vec<Problem>,
}

impl<P: PaymentProvider> Context<P> {
    /// Builds the named account.
    pub(crate) fn build(
        &self,
        account: &str,
        server: &Url,
        client: &HttpClient,
    ) -> Result<P, Problem> {
        let build = self
            .accounts
            .get(account)
            .ok_or_else(|| format!("the suite has no account `{account}`"))?;
        build(server, client.clone())
            .map_err(|error| format!("the account `{account}` cannot be built: {error}"))
    }

    /// Plays a case; `edit` may change the case and gives the steps to play.
    pub(crate) async fn play(
        &self,
        template: &CaseTemplate,
        wire: bool,
        edit: impl FnOnce(&mut Case) -> Result<Vec<Step>, Problem>,
    ) -> Result<(Case, Played), Problem> {
        self.play_by(&self.client, template, wire, edit).await
    }

    /// Plays a case with a client of the suite's.
    pub(crate) async fn play_by(
        &self,
        client: &HttpClient,
        template: &CaseTemplate,
        wire: bool,
        edit: impl FnOnce(&mut Case) -> Result<Vec<Step>, Problem>,
    ) -> Result<(Case, Played), Problem> {
        let mut server = Server::start(wire, &self.servers).await?;
        let address = address(&server.url);
        let mut case = template.read(&address)?;
        let steps = edit(&mut case)?;
        server.load(steps)?;
        let provider = self.build(&case.account, &server.url, client)?;
        let (name, value) = case.operation()?;
        let input = Input::read(name, value)?;
        let answer = input.make(&provider, &self.inherent).await?;
        let received = server.received().await;
        self.servers.give_back(server);
        let mut problems = self.always(&case, &provider, &answer);
        if let Err(error) = &answer.result
            && error.kind() == ErrorKind::Unsupported
            && !received.is_empty()
        {
            problems.push("an operation that is not supported must send nothing".to_owned());
        }
        let result = answer.result.map(|value| without_address(&value, &address));
        if let Outcome::Ok(wanted) = &mut case.outcome {
            *wanted = without_address(wanted, &address);
        }
        Ok((case, Played { result, received, problems }))
    }

    /// Plays a case with its replies as written.
    pub(crate) async fn play_as_written(
        &self,
        template: &CaseTemplate,
    ) -> Result<(Case, Played), Problem> {
        let (case, mut played) = self.play(template, false, |case| Ok(script(case))).await?;
        let requests = check_requests(&case, &played.received, case.exchanges.len());
        played.problems.extend(requests);
        Ok((case, played))
    }

    /// Makes the call of a case twice on one adapter, the provider answering the same both times,
    /// and gives the requests of both.
    pub(crate) async fn play_twice(
        &self,
        template: &CaseTemplate,
    ) -> Result<Vec<Received>, Problem> {
        let mut server = Server::start(false, &self.servers).await?;
        let case = template.read(&address(&server.url))?;
        let steps = script(&case);
        server.load(steps.iter().chain(&steps).cloned().collect())?;
        let provider = self.build(&case.account, &server.url, &self.client)?;
        let (name, value) = case.operation()?;
        let input = Input::read(name, value)?;
        for _ in 0..2 {
            // What the call gives is another trial's subject.
            let _ = input.make(&provider, &self.inherent).await?;
        }
        let received = server.received().await;
        self.servers.give_back(server);
        Ok(received)
    }

    /// An account with nobody to talk to: for what is pure.
    pub(crate) fn build_alone(&self, account: &str) -> Result<P, Problem> {
        let nowhere = Url::parse("http://127.0.0.1:9").map_err(|error| error.to_string())?;
        self.build(account, &nowhere, &self.client)
    }

    /// Verifies a delivery. The outer error is of the suite, the inner one the adapter's.
    pub(crate) fn verify(
        &self,
        account: &str,
        delivery: &Delivery,
    ) -> Result<Result<Vec<WebhookEvent>, Problem>, Problem> {
        let provider = self.build_alone(account)?;
        Ok(provider.verify_webhook(&delivery.borrow()).map_err(|error| format!("{error:?}")))
    }

    /// What holds for every call: no secret shows, and errors say where they come from.
    pub(crate) fn always(&self, case: &Case, provider: &P, answer: &Answer) -> Vec<Problem> {
        let mut problems = self.leaks(&answer.texts);
        problems.extend(self.leaks(&[format!("{provider:?}"), format!("{provider:#?}")]));
        if answer.texts.iter().any(|text| text.contains(STRANGER)) {
            problems.push("the body of something on the way shows in a text".to_owned());
        }
        if let Err(error) = &answer.result {
            problems.extend(names_its_origin(case, provider, error));
        }
        problems
    }

    /// Which secrets show in these texts.
    pub(crate) fn leaks(&self, texts: &[String]) -> Vec<Problem> {
        let shown = |secret: &&String| texts.iter().any(|text| text.contains(secret.as_str()));
        let secrets = self.secrets.iter().enumerate();
        secrets
            .filter(|(_, secret)| shown(secret))
            .map(|(index, _)| {
                format!("secret number {} shows in a Debug or Display text", index + 1)
            })
            .collect()
    }
}

fn names_its_origin<P: PaymentProvider>(case: &Case, provider: &P, error: &Error) -> Vec<Problem> {
    let mut problems = Vec::new();
    if error.provider() != Some(provider.id()) {
        problems.push(format!("the error does not name the provider `{}`", provider.id()));
    }
    if let Some(operation) = case.trait_operation()
        && error.operation() != Some(operation)
    {
        problems.push(format!("the error does not name the operation `{operation}`"));
    }
    problems
}

/// The server's address as cases write it, without the slash at its end.
pub(crate) fn address(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

fn without_address(value: &Value, address: &str) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace(address, "{{server}}")),
        Value::Array(items) => items.iter().map(|item| without_address(item, address)).collect(),
        Value::Object(map) => Value::Object(
            map.iter().map(|(key, value)| (key.clone(), without_address(value, address))).collect(),
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The replies of a case, as written.
pub(crate) fn script(case: &Case) -> Vec<Step> {
    let exchanges = case.exchanges.iter();
    exchanges.map(|exchange| Step::Answer(serve::Answer::of(&exchange.reply))).collect()
}

/// In what the first `count` requests differ from those the case wants; `count` is how many must
/// have been sent.
pub(crate) fn check_requests(case: &Case, received: &[Received], count: usize) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, (exchange, sent)) in case.exchanges.iter().zip(received).take(count).enumerate() {
        let differences = compare::request(&exchange.request, sent);
        problems.extend(differences.iter().map(|line| format!("request {}: {line}", index + 1)));
    }
    for sent in received.iter().skip(count) {
        problems.push(format!("an unexpected request was sent: {}", sent.describe()));
    }
    for exchange in case.exchanges.iter().take(count).skip(received.len()) {
        let wanted = &exchange.request;
        problems.push(format!("a request is missing: {} {}", wanted.method, wanted.path));
    }
    problems
}

/// In what the result differs from the outcome wanted.
pub(crate) fn check_outcome(wanted: &Outcome, result: &Result<Value>) -> Vec<Problem> {
    match (wanted, result) {
        (Outcome::Ok(wanted), Ok(value)) => {
            let lines = compare::subset(wanted, value);
            lines.into_iter().map(|line| format!("result {line}")).collect()
        }
        (Outcome::Err(wanted), Err(error)) => {
            compare::error(wanted, error).into_iter().map(|line| format!("error {line}")).collect()
        }
        (Outcome::Ok(_), Err(error)) => vec![format!("expected a success, got: {error:?}")],
        (Outcome::Err(wanted), Ok(value)) => {
            vec![format!("expected an error ({:?}), got the success {value}", wanted.kind)]
        }
    }
}

/// A trial: the case as written.
pub(crate) async fn check_case<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    template: &CaseTemplate,
) -> Result<(), Problem> {
    let (case, played) = context.play_as_written(template).await?;
    let mut problems = played.problems;
    problems.extend(check_outcome(&case.outcome, &played.result));
    verdict(&problems)
}

/// No problem, or all of them in one text.
pub(crate) fn verdict(problems: &[Problem]) -> Result<(), Problem> {
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}
