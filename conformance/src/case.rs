//! A case: a call, the exchanges it must cause, and the outcome wanted. All of it is data.

use std::{collections::BTreeMap, path::Path};

use paymux_core::{Effect, ErrorKind, Operation};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data::{self, Problem, Vars};

/// Names that are not files of cases.
const RESERVED: [&str; 3] = ["errors", "faults", "statuses"];

/// Where the fact that a case checks comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The provider's specification.
    Spec,
    /// Other public documentation.
    Docs,
    /// Nobody says it; a careful guess.
    Assumed,
}

/// A case as written, before the server's address is filled in.
#[derive(Clone, Debug)]
pub(crate) struct CaseTemplate {
    /// `create::minimal`: the file and the name.
    pub(crate) id: String,
    /// All of it.
    pub(crate) raw: Value,
}

/// A case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    /// Part of the trial's name.
    pub(crate) name: String,
    /// Where the fact comes from. Read so that a case without one is refused.
    #[expect(dead_code, reason = "required of every case for the reader, not used by the suite")]
    pub(crate) source: Source,
    /// Why the case is there, for the reader.
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    pub(crate) about: Option<String>,
    /// Which of the suite's accounts.
    #[serde(default = "default_account")]
    pub(crate) account: String,
    /// One key, the operation; its value is the request.
    pub(crate) call: Value,
    /// What goes over the wire, in order.
    #[serde(default)]
    pub(crate) exchanges: Vec<Exchange>,
    /// What the call must give.
    pub(crate) outcome: Outcome,
    /// Does the provider know the key already, and answer with the object as it is now?
    #[serde(default)]
    pub(crate) repetition: bool,
    /// Why no faults are derived from this case.
    #[serde(default)]
    pub(crate) no_faults: Option<String>,
}

/// The account of a case that names none.
pub(crate) fn default_account() -> String {
    "default".to_owned()
}

/// One request and its reply.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Exchange {
    /// What must be sent.
    pub(crate) request: Request,
    /// What is answered.
    pub(crate) reply: Reply,
    /// Does it change something at the provider?
    #[serde(default)]
    pub(crate) mutating: bool,
}

/// A request, compared part by part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    /// `POST`.
    pub(crate) method: String,
    /// Without query.
    pub(crate) path: String,
    /// The whole query, decoded.
    #[serde(default)]
    pub(crate) query: BTreeMap<String, String>,
    /// Headers that must be sent once each, with this value; others are not looked at.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Headers that must not be sent.
    #[serde(default)]
    pub(crate) absent: Vec<String>,
    /// The whole body, as JSON.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// The whole body, as text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// The whole body, as a form.
    #[serde(default)]
    pub(crate) form: Option<BTreeMap<String, String>>,
    /// Texts that must stand in the body literally, such as an amount's digits.
    #[serde(default)]
    pub(crate) contains: Vec<String>,
}

/// A reply. Without `body` and `text` it has no body.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// Headers; `content-type` follows from the body where not given.
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// The body as JSON.
    #[serde(default)]
    pub(crate) body: Option<Value>,
    /// The body as text.
    #[serde(default)]
    pub(crate) text: Option<String>,
    /// JSON pointers to members that may be absent or null without changing the outcome's kind.
    #[serde(default)]
    pub(crate) optional: Vec<String>,
}

/// What a call must give.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// A value that holds at least this.
    Ok(Value),
    /// This error.
    Err(ExpectedError),
}

/// An error; what is not said is not compared.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    pub(crate) kind: ErrorKind,
    pub(crate) effect: Effect,
    #[serde(default)]
    pub(crate) retryable: Option<bool>,
    #[serde(default)]
    pub(crate) code: Option<String>,
    #[serde(default)]
    pub(crate) field: Option<String>,
    #[serde(default)]
    pub(crate) provider: Option<String>,
    #[serde(default)]
    pub(crate) operation: Option<Operation>,
    #[serde(default)]
    pub(crate) http_status: Option<u16>,
    #[serde(default)]
    pub(crate) retry_after_s: Option<u64>,
    #[serde(default)]
    pub(crate) request_id: Option<String>,
    #[serde(default)]
    pub(crate) message_contains: Option<String>,
    #[serde(default)]
    pub(crate) failure: Option<Value>,
}

impl ExpectedError {
    /// An error of which no more is wanted than this.
    pub(crate) fn of(kind: ErrorKind, effect: Effect) -> Self {
        Self {
            kind,
            effect,
            retryable: None,
            code: None,
            field: None,
            provider: None,
            operation: None,
            http_status: None,
            retry_after_s: None,
            request_id: None,
            message_contains: None,
            failure: None,
        }
    }
}

/// A file of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
    #[serde(default)]
    defaults: Defaults,
    #[serde(default)]
    vars: Vars,
    cases: Vec<Value>,
}

/// What the cases of a file share.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Defaults {
    #[serde(default)]
    source: Option<Value>,
    #[serde(default)]
    account: Option<Value>,
    #[serde(default)]
    request: Option<Value>,
    #[serde(default)]
    reply: Option<Value>,
}

impl CaseTemplate {
    /// The case, played against a server at this address.
    pub(crate) fn read(&self, server: &str) -> Result<Case, Problem> {
        let vars = Vars::from([("server".to_owned(), json!(server))]);
        data::read_as(&data::fill(&self.raw, &vars)?, &self.id)
    }
}

impl Case {
    /// Is something answered, and is that a success, so that faults can be derived?
    pub(crate) fn is_golden(&self) -> bool {
        matches!(self.outcome, Outcome::Ok(_)) && !self.exchanges.is_empty()
    }

    /// The operation's name and its request.
    pub(crate) fn operation(&self) -> Result<(&str, &Value), Problem> {
        let only = self.call.as_object().filter(|map| map.len() == 1);
        let (name, input) = only
            .and_then(|map| map.iter().next())
            .ok_or_else(|| format!("{}: `call` must have one key, the operation", self.name))?;
        Ok((name, input))
    }

    /// The trait's operation, if it is one.
    pub(crate) fn trait_operation(&self) -> Option<Operation> {
        let (name, _) = self.operation().ok()?;
        Operation::ALL.into_iter().find(|operation| operation.as_str() == name)
    }

    /// The index of the mutating exchange.
    pub(crate) fn mutating_at(&self) -> Option<usize> {
        self.exchanges.iter().position(|exchange| exchange.mutating)
    }

    /// What the data must hold to be of use.
    fn check(&self) -> Result<(), Problem> {
        let (name, _) = self.operation()?;
        let mutating = self.exchanges.iter().filter(|exchange| exchange.mutating).count();
        if mutating > 1 {
            return Err(format!("{}: a call sends at most one mutating request", self.name));
        }
        match self.trait_operation() {
            Some(operation) if operation.is_mutating() && self.is_golden() && mutating == 0 => {
                return Err(format!("{}: {name} must mark its mutating exchange", self.name));
            }
            Some(operation) if !operation.is_mutating() && mutating > 0 => {
                return Err(format!("{}: {name} only reads, so nothing is mutating", self.name));
            }
            Some(_) | None => {}
        }
        let bodies = |exchange: &Exchange| {
            let request = &exchange.request;
            let ways = [request.body.is_some(), request.text.is_some(), request.form.is_some()];
            ways.into_iter().filter(|way| *way).count()
        };
        if self.exchanges.iter().any(|exchange| bodies(exchange) > 1) {
            return Err(format!("{}: say the body as one of body, text, form", self.name));
        }
        if self.no_faults.as_ref().is_some_and(|reason| reason.trim().is_empty()) {
            return Err(format!("{}: `no_faults` must say why", self.name));
        }
        Ok(())
    }
}

/// The cases of a folder, and what is wrong with its files, each by file.
pub(crate) fn read_cases(folder: &Path) -> (Vec<CaseTemplate>, Vec<(String, Problem)>) {
    let mut cases = Vec::new();
    let mut problems = Vec::new();
    let files = match data::json_files(folder) {
        Ok(files) => files,
        Err(problem) => return (cases, vec![("folder".to_owned(), problem)]),
    };
    for path in files {
        let stem = data::stem(&path);
        if RESERVED.contains(&stem.as_str()) {
            continue;
        }
        match read_case_file(&path, folder, &stem) {
            Ok(read) => cases.extend(read),
            Err(problem) => problems.push((stem, problem)),
        }
    }
    (cases, problems)
}

fn read_case_file(path: &Path, folder: &Path, stem: &str) -> Result<Vec<CaseTemplate>, Problem> {
    let file: CaseFile = data::read_as(&data::read_file(path, folder)?, stem)?;
    let mut vars = file.vars;
    // The server's address becomes known when the case is played.
    vars.insert("server".to_owned(), json!("{{server}}"));
    let mut cases: Vec<CaseTemplate> = Vec::new();
    for mut raw in file.cases {
        file.defaults.lay_under(&mut raw);
        let raw = data::fill(&raw, &vars).map_err(|problem| format!("{stem}: {problem}"))?;
        let name = raw.get("name").and_then(Value::as_str).unwrap_or("a case without name");
        let template = CaseTemplate { id: format!("{stem}::{name}"), raw };
        template.read("http://127.0.0.1:9")?.check()?;
        if cases.iter().any(|case| case.id == template.id) {
            return Err(format!("{} is there twice", template.id));
        }
        cases.push(template);
    }
    Ok(cases)
}

impl Defaults {
    fn lay_under(&self, raw: &mut Value) {
        let Value::Object(case) = raw else { return };
        for (key, default) in [("source", &self.source), ("account", &self.account)] {
            if let Some(default) = default {
                case.entry(key).or_insert_with(|| default.clone());
            }
        }
        if let Some(Value::Array(exchanges)) = case.get_mut("exchanges") {
            self.lay_under_exchanges(exchanges);
        }
    }

    pub(crate) fn lay_under_exchanges(&self, exchanges: &mut [Value]) {
        for exchange in exchanges {
            for (key, default) in [("request", &self.request), ("reply", &self.reply)] {
                if let (Some(part), Some(default)) = (exchange.get_mut(key), default) {
                    data::lay_under(part, default);
                }
            }
        }
    }
}
