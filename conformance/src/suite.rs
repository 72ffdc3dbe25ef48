//! The suite of one adapter: what an author says, and the trials that follow from it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use http::HeaderMap;
use libtest_mimic::Arguments;
use paymux_core::{Error, PaymentProvider, Result, Timestamp, transport::HttpClient};
use serde_json::Value;
use url::Url;

use crate::{
    call::InherentCalls,
    case,
    data::Problem,
    errors, fault_trials,
    inherent::CallFuture,
    play::{self, BuildAccount, Context},
    rules,
    serve::Idle,
    status,
    trial::Trial,
    webhook,
};

/// Signs a body as the provider does: account, body, moment of signing; gives the headers and the
/// body that is delivered.
pub(crate) type Signer = Box<dyn Fn(&str, &[u8], Timestamp) -> (HeaderMap, Vec<u8>) + Send + Sync>;

/// Trials mostly wait for the network, so more of them run at once than there are processors.
const THREADS: usize = 8;

/// The conformance suite of one adapter.
pub struct Suite<P> {
    name: String,
    cases: PathBuf,
    webhooks: PathBuf,
    accounts: BTreeMap<String, BuildAccount<P>>,
    inherent: InherentCalls<P>,
    secrets: Vec<String>,
    fresh_headers: Vec<String>,
    signer: Option<Signer>,
    exceptions: BTreeMap<String, String>,
}

impl<P: PaymentProvider> Suite<P> {
    /// A suite whose trials begin with `name`, with the folders of its cases and deliveries.
    #[must_use]
    pub fn new(
        name: impl Into<String>,
        cases: impl Into<PathBuf>,
        webhooks: impl Into<PathBuf>,
    ) -> Self {
        Self {
            name: name.into(),
            cases: cases.into(),
            webhooks: webhooks.into(),
            accounts: BTreeMap::new(),
            inherent: BTreeMap::new(),
            secrets: Vec::new(),
            fresh_headers: Vec::new(),
            signer: None,
            exceptions: BTreeMap::new(),
        }
    }

    /// A configuration of the adapter that cases can name. One must be called `default`.
    #[must_use]
    pub fn account(
        mut self,
        name: impl Into<String>,
        build: impl Fn(&Url, HttpClient) -> Result<P> + Send + Sync + 'static,
    ) -> Self {
        self.accounts.insert(name.into(), Box::new(build));
        self
    }

    /// An inherent method of the adapter that cases can call by this name.
    #[must_use]
    pub fn call(
        mut self,
        name: impl Into<String>,
        call: impl for<'a> Fn(&'a P, Value) -> CallFuture<'a> + Send + Sync + 'static,
    ) -> Self {
        self.inherent.insert(name.into(), Box::new(call));
        self
    }

    /// A secret of the accounts. It must show in no result, error or `Debug` text of any trial.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// A header that must differ each time, such as a nonce; it is left out where two requests
    /// must be the same.
    #[must_use]
    pub fn fresh_header(mut self, name: impl Into<String>) -> Self {
        self.fresh_headers.push(name.into().to_ascii_lowercase());
        self
    }

    /// How the provider signs a delivery: from the account's name, the body and the moment, the
    /// headers that go with it. With it, statuses are also driven through webhooks, and malformed
    /// bodies are tried behind good signatures.
    #[must_use]
    pub fn signer(
        self,
        sign: impl Fn(&str, &[u8], Timestamp) -> HeaderMap + Send + Sync + 'static,
    ) -> Self {
        self.body_signer(move |account, body, at| (sign(account, body, at), body.to_vec()))
    }

    /// As [`Suite::signer`], for a provider whose signature stands in the body: with the headers
    /// goes the body that is delivered, such as a form with the signed text and its signature.
    #[must_use]
    pub fn body_signer(
        mut self,
        sign: impl Fn(&str, &[u8], Timestamp) -> (HeaderMap, Vec<u8>) + Send + Sync + 'static,
    ) -> Self {
        self.signer = Some(Box::new(sign));
        self
    }

    /// A trial, named without the suite's name, that this provider cannot pass, and why. It is
    /// listed as ignored.
    #[must_use]
    pub fn except(mut self, trial: impl Into<String>, reason: impl Into<String>) -> Self {
        self.exceptions.insert(trial.into(), reason.into());
        self
    }

    /// Every trial of the suite. What is wrong with the data is a trial that fails.
    #[must_use]
    pub fn trials(self) -> Vec<Trial> {
        let prefix = format!("{}::", self.name);
        let exceptions = self.exceptions.clone();
        let (folder, webhooks) = (self.cases.clone(), self.webhooks.clone());
        let trials = match self.into_context() {
            Ok(context) => all_trials(&Arc::new(context), &folder, &webhooks),
            Err(error) => vec![broken("suite", error.to_string())],
        };
        name_and_except(trials, &prefix, exceptions)
    }

    /// Runs the suite under the test harness, with the arguments that `cargo test` passes.
    #[must_use]
    pub fn run(self) -> ExitCode {
        run(self.trials())
    }

    fn into_context(self) -> Result<Context<P>> {
        if !self.accounts.contains_key("default") {
            return Err(Error::configuration("account", "there must be one named `default`"));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|source| {
                Error::configuration("runtime", "cannot be started").with_source(source)
            })?;
        Ok(Context {
            accounts: self.accounts,
            inherent: self.inherent,
            secrets: self.secrets,
            fresh_headers: self.fresh_headers,
            signer: self.signer,
            servers: Idle::default(),
            runtime,
            client: play::client(None)?,
            impatient_clients: Default::default(),
        })
    }
}

/// Runs trials, of several suites perhaps, under the test harness, with the arguments that
/// `cargo test` passes.
#[must_use]
pub fn run(trials: Vec<Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    let tests = trials.into_iter().map(Trial::into_test).collect();
    libtest_mimic::run(&arguments, tests).exit_code()
}

/// A trial that fails because its data cannot be used.
pub(crate) fn broken(file: &str, problem: Problem) -> Trial {
    Trial::new(format!("data::{file}"), move || Err(problem))
}

/// A trial that runs a future on the suite's runtime.
pub(crate) fn trial<P, F>(
    context: &Arc<Context<P>>,
    name: impl Into<String>,
    check: impl FnOnce(Arc<Context<P>>) -> F + Send + 'static,
) -> Trial
where
    P: PaymentProvider,
    F: Future<Output = Result<(), Problem>>,
{
    let context = Arc::clone(context);
    Trial::new(name, move || {
        let check = check(Arc::clone(&context));
        context.runtime.block_on(check)
    })
}

fn all_trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    folder: &Path,
    webhooks: &Path,
) -> Vec<Trial> {
    let (cases, mut problems) = case::read_cases(folder);
    let (deliveries, more) = webhook::read(context, webhooks);
    problems.extend(more);
    let recognized = or_note(errors::read_recognized(folder), "errors", &mut problems);
    let overrides = or_note(errors::read_overrides(folder), "faults", &mut problems);
    let statuses = or_note(status::trials(context, folder), "statuses", &mut problems);
    let mut trials: Vec<Trial> =
        problems.into_iter().map(|(file, problem)| broken(&file, problem)).collect();
    for case in cases.iter().cloned() {
        trials.push(trial(context, case.id.clone(), |context| async move {
            play::check_case(&context, &case).await
        }));
    }
    trials.extend(statuses.trials);
    trials.extend(webhook::trials(context, &deliveries));
    trials.extend(fault_trials::trials(context, &cases, &recognized, &overrides));
    trials.extend(rules::trials(context, &cases, &deliveries, &statuses.objects));
    trials
}

/// The value, or nothing and a note of what is wrong.
fn or_note<T: Default>(
    result: Result<T, Problem>,
    file: &str,
    problems: &mut Vec<(String, Problem)>,
) -> T {
    result.unwrap_or_else(|problem| {
        problems.push((file.to_owned(), problem));
        T::default()
    })
}

/// Puts the suite's name before the trials' and marks the exceptions; one that fits no trial is
/// itself a failure, so that none outlives its reason.
fn name_and_except(
    trials: Vec<Trial>,
    prefix: &str,
    mut exceptions: BTreeMap<String, String>,
) -> Vec<Trial> {
    let mut named: Vec<Trial> = trials
        .into_iter()
        .map(|trial| match exceptions.remove(trial.name()) {
            Some(reason) => trial.ignored(reason),
            None => trial,
        })
        .collect();
    named.extend(exceptions.into_keys().map(|name| {
        broken("exceptions", format!("there is no trial `{name}` that could be an exception"))
    }));
    named.into_iter().map(|trial| trial.prefixed(prefix)).collect()
}
