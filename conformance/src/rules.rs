//! Rules that hold for every adapter: capabilities tell the truth, repetitions are the same, and
//! money is exact.

mod capabilities;
mod evidence;
mod limits;
mod money;
mod repetition;

use std::sync::Arc;

use paymux_core::{Capabilities, Effect, ErrorKind, Operation, PaymentProvider};
use serde_json::{Value, json};

use crate::{
    case::{Case, CaseTemplate},
    data::{self, Problem},
    fault_trials::SAMPLE_SERVER,
    play::{Context, verdict},
    status::Object,
    suite::broken,
    trial::Trial,
    webhook::Received,
};

/// A golden case, as written and as read.
#[derive(Clone, Debug)]
struct Golden {
    template: CaseTemplate,
    case: Case,
}

/// What a rule looks at: one account, and the cases that show what it does.
#[derive(Clone)]
struct Account {
    name: String,
    able: Capabilities,
    /// Its golden cases, then those of the default account for what both can do.
    goldens: Arc<Vec<Golden>>,
}

/// Every rule's trials.
pub(crate) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    cases: &[CaseTemplate],
    deliveries: &[Received],
    statuses: &[Object],
) -> Vec<Trial> {
    let mut trials = vec![evidence::secrets(context)];
    let goldens: Vec<Golden> = cases.iter().filter_map(Golden::read).collect();
    for name in context.accounts.keys() {
        let able = match context.build_alone(name) {
            Ok(provider) => provider.capabilities().clone(),
            Err(problem) => {
                trials.push(broken(&format!("accounts::{name}"), problem));
                continue;
            }
        };
        let own = |golden: &&Golden| golden.case.account == *name;
        let mut known: Vec<Golden> = goldens.iter().filter(own).cloned().collect();
        let shared = goldens.iter().filter(|golden| golden.case.account == "default");
        if *name != "default" {
            known.extend(shared.cloned());
        }
        let account = Account { name: name.clone(), able, goldens: Arc::new(known) };
        trials.extend(capabilities::trials(context, &account));
        trials.extend(limits::trials(context, &account));
        if *name == "default" {
            trials.extend(money::trials(context, &account));
            trials.extend(evidence::trials(context, &account, deliveries));
            trials.extend(evidence::statuses(context, &account, statuses));
        }
    }
    trials.extend(repetition::trials(context, &goldens));
    trials
}

impl Golden {
    fn read(template: &CaseTemplate) -> Option<Self> {
        let case = template.read(SAMPLE_SERVER).ok()?;
        case.is_golden().then(|| Self { template: template.clone(), case })
    }

    fn is(&self, operation: Operation) -> bool {
        self.case.trait_operation() == Some(operation)
    }

    /// A member of the call's request, unless it is null.
    fn input(&self, pointer: &str) -> Option<&Value> {
        let (_, input) = self.case.operation().ok()?;
        input.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The same case with one member of the call's request set, played by another account.
    fn with(&self, account: &str, pointer: &str, to: Value) -> Result<CaseTemplate, Problem> {
        let mut template = self.template.clone();
        let (name, _) = self.case.operation()?;
        data::set_at(&mut template.raw, &format!("/call/{name}{pointer}"), to)?;
        data::set_at(&mut template.raw, "/account", json!(account))?;
        Ok(template)
    }
}

impl Account {
    /// The name of a rule's trial for this account.
    fn rule(&self, rule: &str) -> String {
        match self.name.as_str() {
            "default" => format!("rule::{rule}"),
            name => format!("rule::{name}::{rule}"),
        }
    }

    /// The golden cases of an operation, the account's own first.
    fn goldens(&self, operation: Operation) -> impl Iterator<Item = &Golden> {
        self.goldens.iter().filter(move |golden| golden.is(operation))
    }
}

/// Makes the call of a template and sees that it is refused with nothing sent.
async fn must_be_refused<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    mut template: CaseTemplate,
    kinds: &[ErrorKind],
) -> Result<(), Problem> {
    data::set_at(&mut template.raw, "/exchanges", json!([]))?;
    let (_, played) = context.play_as_written(&template).await?;
    let mut problems = played.problems;
    match played.result {
        Ok(value) => problems.push(format!("expected a refusal, got the success {value}")),
        Err(error) => {
            if !kinds.contains(&error.kind()) {
                problems.push(format!("expected one of {kinds:?}, got {error:?}"));
            }
            if error.effect() != Effect::None {
                problems.push("a refusal before anything is sent has no effect".to_owned());
            }
        }
    }
    verdict(&problems)
}

/// A case with this call and nothing to be sent.
fn probe(account: &str, call: &Value) -> CaseTemplate {
    CaseTemplate {
        id: "probe".to_owned(),
        raw: json!({
            "name": "probe",
            "source": "spec",
            "account": account,
            "call": call,
            "outcome": { "err": { "kind": "unsupported", "effect": "none" } },
        }),
    }
}

/// The trial fails with this, unless a golden case is there.
fn needs_golden(found: bool, what: &str) -> Result<(), Problem> {
    if found { Ok(()) } else { Err(format!("the capabilities claim {what}, and no case shows it")) }
}
