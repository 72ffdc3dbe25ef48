//! What an adapter's data says of errors: refusals in the provider's format (`errors.json`), and
//! where the provider differs from the table of faults (`faults.json`).

use std::{collections::BTreeMap, path::Path};

use paymux_core::{Effect, ErrorKind};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    case::Reply,
    data::{self, Problem},
    fault::{ExpectedFailure, Fault, Phase},
    serve::Answer,
};

/// A refusal in the provider's own format.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecognizedReply {
    pub(crate) status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    pub(crate) expect: Difference,
    #[serde(default)]
    cases: Vec<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
}

/// In what an expected failure differs from the table.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    kind: Option<ErrorKind>,
    effect: Option<Effect>,
    retryable: Option<bool>,
    code: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorsFile {
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
    replies: BTreeMap<String, RecognizedReply>,
}

/// Where a provider differs from the table of faults.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    cases: Vec<String>,
    #[serde(default)]
    exchange: Option<usize>,
    faults: Vec<String>,
    pub(crate) expect: OverrideExpect,
    #[serde(default)]
    pub(crate) requests: Option<usize>,
    reason: String,
}

/// What a fault leads to instead.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OverrideExpect {
    /// The outcome of the case.
    Golden,
    /// Another success.
    Ok(Value),
    /// An error that differs from the table.
    Err(Difference),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultsFile {
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
    overrides: Vec<Override>,
}

impl RecognizedReply {
    pub(crate) fn answer(&self) -> Answer {
        Answer::of(&Reply {
            status: self.status,
            headers: self.headers.clone(),
            body: self.body.clone(),
            text: self.text.clone(),
            optional: Vec::new(),
        })
    }

    /// Is it answered in this case?
    pub(crate) fn applies_to(&self, case: &str) -> bool {
        self.cases.is_empty() || any_fits(&self.cases, case)
    }
}

impl Difference {
    /// The failure with these differences. What was proved before the mutating exchange, and what
    /// can no longer be proved after it, is not the refusal's to say.
    pub(crate) fn over(&self, failure: ExpectedFailure, phase: Phase) -> ExpectedFailure {
        let effect = self.effect.filter(|_| phase == Phase::At);
        ExpectedFailure {
            kind: self.kind.unwrap_or(failure.kind),
            effect: effect.unwrap_or(failure.effect),
            retryable: self.retryable.unwrap_or(failure.retryable),
            code: self.code.clone().or(failure.code),
            ..failure
        }
    }

    /// The failure with these differences, whatever the phase: an override says all.
    pub(crate) fn instead_of(&self, failure: ExpectedFailure) -> ExpectedFailure {
        let effect = self.effect.unwrap_or(failure.effect);
        ExpectedFailure { effect, ..self.over(failure, Phase::Before) }
    }
}

impl Override {
    /// Does it speak of this fault?
    pub(crate) fn fits(&self, case: &str, position: usize, fault: &str) -> bool {
        any_fits(&self.cases, case)
            && self.exchange.is_none_or(|exchange| exchange == position + 1)
            && self.faults.iter().any(|name| name == fault)
    }

    /// For a person: which one it is.
    pub(crate) fn describe(&self) -> String {
        format!("the override of {:?} for {:?} ({})", self.faults, self.cases, self.reason)
    }
}

/// Is the case one of these? `*` at the end is any rest.
fn any_fits(patterns: &[String], case: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => case.starts_with(start),
        None => case == pattern,
    })
}

/// The refusals of `errors.json`, if the file is there.
pub(crate) fn read_recognized(folder: &Path) -> Result<Vec<Fault>, Problem> {
    let path = folder.join("errors.json");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file: ErrorsFile = data::read_as(&data::read_file(&path, folder)?, "errors")?;
    let replies = file.replies.into_iter();
    Ok(replies.map(|(name, reply)| Fault::Recognized { name, reply }).collect())
}

/// The overrides of `faults.json`, if the file is there.
pub(crate) fn read_overrides(folder: &Path) -> Result<Vec<Override>, Problem> {
    let path = folder.join("faults.json");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let file: FaultsFile = data::read_as(&data::read_file(&path, folder)?, "faults")?;
    for entry in &file.overrides {
        if entry.reason.trim().is_empty() {
            return Err(format!("faults: {} has no reason", entry.describe()));
        }
        if entry.requests.is_some() && matches!(entry.expect, OverrideExpect::Golden) {
            return Err(format!("faults: {}: golden has all its requests", entry.describe()));
        }
    }
    Ok(file.overrides)
}
