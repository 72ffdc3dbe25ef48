//! The trials in which one exchange of a golden case goes wrong.

use std::sync::Arc;

use paymux_core::{PaymentProvider, Result};
use serde_json::Value;

use crate::{
    case::{Case, CaseTemplate, ExpectedError, Outcome},
    compare,
    data::Problem,
    errors::{Override, OverrideExpect},
    fault::{self, ExpectedFailure, Fault, Phase},
    garbage, optional,
    play::{self, Context, Played, verdict},
    serve::{Answer, Step},
    suite::{broken, trial},
    trial::Trial,
};

/// What a trial with a fault must end in.
#[derive(Clone, Debug)]
pub(crate) enum Expected {
    /// The case's own outcome, with all its requests.
    Golden,
    /// Another success.
    Success { value: Value, requests: Option<usize> },
    /// This failure.
    Failure { failure: ExpectedFailure, requests: usize },
}

/// One fault at one exchange of one case.
#[derive(Clone, Debug)]
struct Planned {
    case: CaseTemplate,
    position: usize,
    fault: Fault,
    expected: Expected,
}

/// Every trial with a fault.
pub(crate) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    cases: &[CaseTemplate],
    recognized: &[Fault],
    overrides: &[Override],
) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut used = vec![false; overrides.len()];
    let mut faults = fault::all();
    faults.extend(recognized.iter().cloned());
    for template in cases {
        let Ok(case) = template.read(SAMPLE_SERVER) else { continue };
        if !case.is_golden() || case.no_faults.is_some() {
            continue;
        }
        for position in 0..case.exchanges.len() {
            let mut find = |fault: &str| {
                let fits = |entry: &&Override| entry.fits(&template.id, position, fault);
                let at = overrides.iter().position(|entry| fits(&entry))?;
                used[at] = true;
                overrides.get(at)
            };
            let spot = Spot { template, case: &case, position };
            trials.extend(spot.fault_trials(context, &faults, &mut find));
            trials.extend(garbage::trials(context, &spot, &mut find));
            trials.extend(optional::trials(context, &spot, &mut find));
        }
    }
    let unused = overrides.iter().zip(used).filter(|(_, used)| !used);
    trials.extend(
        unused.map(|(entry, _)| broken("faults", format!("{} meets no trial", entry.describe()))),
    );
    trials
}

/// Stands for the server's address while trials are made.
pub(crate) const SAMPLE_SERVER: &str = "http://127.0.0.1:9";

/// Where a fault happens: an exchange of a case.
pub(crate) struct Spot<'a> {
    pub(crate) template: &'a CaseTemplate,
    pub(crate) case: &'a Case,
    pub(crate) position: usize,
}

impl Spot<'_> {
    /// `create::minimal::fault::500`, or with the exchange where there are several.
    pub(crate) fn name(&self, fault: &str) -> String {
        let id = &self.template.id;
        match self.case.exchanges.len() {
            1 => format!("{id}::fault::{fault}"),
            _ => format!("{id}::fault::{}::{fault}", self.position + 1),
        }
    }

    pub(crate) fn phase(&self) -> Phase {
        Phase::of(self.position, self.case.mutating_at())
    }

    pub(crate) fn golden(&self) -> Answer {
        Answer::of(&self.case.exchanges[self.position].reply)
    }

    fn fault_trials<'o, P: PaymentProvider>(
        &self,
        context: &Arc<Context<P>>,
        faults: &[Fault],
        find: &mut impl FnMut(&str) -> Option<&'o Override>,
    ) -> Vec<Trial> {
        let golden = self.golden();
        let mut trials = Vec::new();
        for fault in faults {
            if !fault.applies_to(&self.template.id) || fault.step(&golden).is_none() {
                continue;
            }
            let failure = fault.expected(self.phase());
            let expected = expected(failure, fault.requests(self.position), find(&fault.name()));
            let planned = Planned {
                case: self.template.clone(),
                position: self.position,
                fault: fault.clone(),
                expected,
            };
            let name = self.name(&fault.name());
            trials.push(trial(
                context,
                name,
                |context| async move { planned.check(&context).await },
            ));
        }
        trials
    }
}

/// What the table says, unless an override says otherwise.
pub(crate) fn expected(
    failure: ExpectedFailure,
    requests: usize,
    differs: Option<&Override>,
) -> Expected {
    let Some(entry) = differs else { return Expected::Failure { failure, requests } };
    match &entry.expect {
        OverrideExpect::Golden => Expected::Golden,
        OverrideExpect::Ok(value) => {
            Expected::Success { value: value.clone(), requests: entry.requests }
        }
        OverrideExpect::Err(difference) => Expected::Failure {
            failure: difference.instead_of(failure),
            requests: entry.requests.unwrap_or(requests),
        },
    }
}

impl Planned {
    async fn check<P: PaymentProvider>(self, context: &Arc<Context<P>>) -> Result<(), Problem> {
        let sample = self.case.read(SAMPLE_SERVER)?;
        let golden = Answer::of(&sample.exchanges[self.position].reply);
        let wire = self.fault.step(&golden).is_some_and(|step| step.is_wire());
        let steps = |case: &mut Case| self.steps(case);
        if !matches!(self.fault, Fault::Late) {
            let (case, played) = context.play(&self.case, wire, steps).await?;
            return verdict(&self.expected.differences(&case, played));
        }
        let mut problems = Vec::new();
        for nth in 0..context.impatient_clients.len() {
            let client = context.impatient_client(nth)?;
            let (case, played) = context.play_by(client, &self.case, wire, steps).await?;
            let arrived = played.received.len() > self.position;
            problems = self.expected.differences(&case, played);
            // Only where the request never came may the wait have been too short to tell.
            if arrived {
                break;
            }
        }
        verdict(&problems)
    }

    /// The replies as written, with one replaced by the fault.
    fn steps(&self, case: &Case) -> Result<Vec<Step>, Problem> {
        let mut steps = play::script(case);
        let golden = Answer::of(&case.exchanges[self.position].reply);
        steps[self.position] = self.fault.step(&golden).ok_or("the fault is none")?;
        Ok(steps)
    }
}

impl Expected {
    /// In what the call differs from what was expected of it.
    pub(crate) fn differences(&self, case: &Case, played: Played) -> Vec<Problem> {
        let all = case.exchanges.len();
        let (outcome, requests) = match self {
            Self::Golden => (case.outcome.clone(), all),
            Self::Success { value, requests } => {
                (Outcome::Ok(value.clone()), requests.unwrap_or(all))
            }
            Self::Failure { failure, requests } => (Outcome::Err(failure.to_error()), *requests),
        };
        let mut problems = play::check_requests(case, &played.received, requests);
        problems.extend(play::check_outcome(&outcome, &played.result));
        problems.extend(played.problems);
        problems
    }
}

impl ExpectedFailure {
    pub(crate) fn to_error(&self) -> ExpectedError {
        ExpectedError {
            kind: self.kind,
            effect: self.effect,
            retryable: Some(self.retryable),
            code: self.code.clone(),
            retry_after_s: self.retry_after_s,
            ..ExpectedError::of(self.kind, self.effect)
        }
    }
}

/// In what two results differ; both must be successes.
pub(crate) fn result_differences(wanted: &Value, result: &Result<Value>) -> Vec<Problem> {
    match result {
        Ok(value) => compare::exact(wanted, value),
        Err(error) => vec![format!("expected the same success, got: {error:?}")],
    }
}
