//! Every status the provider documents, driven through fetch, list and webhook; and one that it
//! does not.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use paymux_core::{
    MandateStatus, PaymentProvider, PaymentStatus, RefundStatus, Subject, WebhookEvent,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    call::{Delivery, Moment},
    case::{CaseTemplate, Defaults, Source, default_account},
    data::{self, Problem, Vars},
    play::{Context, verdict},
    suite::trial,
    trial::Trial,
};

/// A word that no provider uses.
const INVENTED: &str = "paymux_invented_word";
/// When deliveries arrive that do not say when: some moment, always the same.
const RECEIVED_AT_MS: i64 = 1_717_000_000_000;

const ROUTES: [&str; 3] = ["fetch", "list", "webhook"];

/// What has the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Object {
    Payment,
    Refund,
    Mandate,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusFile {
    #[serde(default)]
    #[expect(dead_code, reason = "for the reader of the data")]
    about: Option<String>,
    #[serde(default)]
    defaults: Defaults,
    templates: BTreeMap<String, Template>,
    statuses: Vec<Row>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    object: Object,
    #[serde(default = "default_account")]
    account: String,
    #[serde(default)]
    vars: Vars,
    #[serde(default)]
    fetch: Option<Value>,
    #[serde(default)]
    list: Option<Value>,
    #[serde(default)]
    webhook: Option<Value>,
}

/// A route with its names filled in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Route {
    #[serde(default)]
    call: Option<Value>,
    #[serde(default)]
    exchanges: Vec<Value>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    word: Option<String>,
    // Only of a webhook.
    #[serde(default)]
    body: Option<Value>,
    #[serde(default)]
    body_text: Option<String>,
    #[serde(default)]
    endpoint: String,
    #[serde(default)]
    received_at: Option<Moment>,
    #[serde(default)]
    options: Option<Value>,
    #[serde(default)]
    then: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    template: String,
    word: String,
    /// In place of the word in the trial's name, where one word is there twice.
    #[serde(default)]
    name: Option<String>,
    status: String,
    #[serde(rename = "final")]
    is_final: bool,
    #[expect(dead_code, reason = "required of every status for the reader")]
    source: Source,
    #[serde(default)]
    vars: Vars,
    #[serde(default)]
    skip: BTreeMap<String, String>,
}

/// One status through one route.
struct Planned {
    name: String,
    object: Object,
    account: String,
    word: String,
    status: String,
    is_final: bool,
    kind: &'static str,
    route: Route,
}

/// What `statuses.json` holds.
#[derive(Default)]
pub(crate) struct Statuses {
    pub(crate) trials: Vec<Trial>,
    /// What has a template.
    pub(crate) objects: Vec<Object>,
}

/// The trials of `statuses.json`, if the file is there.
pub(crate) fn trials<P: PaymentProvider>(
    context: &Arc<Context<P>>,
    folder: &Path,
) -> Result<Statuses, Problem> {
    let path = folder.join("statuses.json");
    if !path.exists() {
        return Ok(Statuses::default());
    }
    let file: StatusFile = data::read_as(&data::read_file(&path, folder)?, "statuses")?;
    let mut planned: Vec<Planned> = Vec::new();
    for row in &file.statuses {
        planned.extend(file.plan(row)?);
    }
    for (name, template) in &file.templates {
        if !file.statuses.iter().any(|row| row.template == *name) {
            return Err(format!("statuses: no status uses the template `{name}`"));
        }
        planned.extend(file.plan(&template.invented(name))?);
    }
    let mut trials: Vec<Trial> = Vec::new();
    for planned in planned {
        if trials.iter().any(|trial| trial.name() == planned.name) {
            return Err(format!("statuses: {} is there twice; give it a `name`", planned.name));
        }
        if planned.kind == "webhook" && context.signer.is_none() {
            return Err("statuses: a webhook needs the suite's signer".to_owned());
        }
        trials.push(trial(context, planned.name.clone(), |context| async move {
            planned.check(&context).await
        }));
    }
    let objects = file.templates.values().map(|template| template.object).collect();
    Ok(Statuses { trials, objects })
}

impl Template {
    fn invented(&self, name: &str) -> Row {
        Row {
            template: name.to_owned(),
            word: INVENTED.to_owned(),
            name: Some("invented".to_owned()),
            status: "unknown".to_owned(),
            is_final: false,
            source: Source::Assumed,
            vars: Vars::new(),
            skip: BTreeMap::new(),
        }
    }
}

impl StatusFile {
    fn plan(&self, row: &Row) -> Result<Vec<Planned>, Problem> {
        let name = row.name.as_ref().unwrap_or(&row.word);
        let id = format!("status::{}_{name}", row.template);
        let template = self
            .templates
            .get(&row.template)
            .ok_or_else(|| format!("{id}: there is no template `{}`", row.template))?;
        if let Some((route, reason)) = row
            .skip
            .iter()
            .find(|(route, reason)| !ROUTES.contains(&route.as_str()) || reason.is_empty())
        {
            return Err(format!(
                "{id}: `skip` needs a route and a reason, not `{route}`: `{reason}`"
            ));
        }
        let mut vars = template.vars.clone();
        vars.extend(row.vars.clone());
        vars.insert("word".to_owned(), json!(row.word));
        vars.insert("server".to_owned(), json!("{{server}}"));
        let routes = [&template.fetch, &template.list, &template.webhook];
        let mut planned = Vec::new();
        for (kind, raw) in ROUTES.into_iter().zip(routes) {
            let Some(raw) = raw.as_ref().filter(|_| !row.skip.contains_key(kind)) else { continue };
            let filled = data::fill(raw, &vars).map_err(|problem| format!("{id}: {problem}"))?;
            let mut route: Route = data::read_as(&filled, &id)?;
            self.defaults.lay_under_exchanges(&mut route.exchanges);
            planned.push(Planned {
                name: format!("{id}::{kind}"),
                object: template.object,
                account: template.account.clone(),
                word: row.word.clone(),
                status: row.status.clone(),
                is_final: row.is_final,
                kind,
                route,
            });
        }
        if planned.is_empty() {
            return Err(format!("{id}: no route shows it"));
        }
        Ok(planned)
    }
}

impl Planned {
    async fn check<P: PaymentProvider>(self, context: &Arc<Context<P>>) -> Result<(), Problem> {
        let result = if self.kind == "webhook" {
            match self.deliver(context)? {
                Carried::Payment(payment) => payment,
                Carried::Follow(call) => self.ask(context, call).await?,
            }
        } else {
            let call = self.route.call.clone();
            self.ask(context, call.ok_or("the route has no `call`")?).await?
        };
        let prefix = if self.kind == "list" { "/items/0" } else { "" };
        let at = |said: &Option<String>, key| said.clone().unwrap_or(format!("{prefix}/{key}"));
        let mut problems = Vec::new();
        let wanted = [
            (at(&self.route.status, "status"), &self.status),
            (at(&self.route.word, "provider_status"), &self.word),
        ];
        for (pointer, wanted) in wanted {
            let there = result.pointer(&pointer).cloned().unwrap_or_default();
            if there != json!(wanted) {
                problems.push(format!("{pointer}: expected {wanted:?}, got {there} in {result}"));
            }
        }
        if is_final(self.object, &self.status)? != self.is_final {
            problems.push(format!("`{}` is not final as the data says", self.status));
        }
        verdict(&problems)
    }

    /// Makes a call and gives its success.
    async fn ask<P: PaymentProvider>(
        &self,
        context: &Arc<Context<P>>,
        call: Value,
    ) -> Result<Value, Problem> {
        let template = CaseTemplate {
            id: self.name.clone(),
            raw: json!({
                "name": self.name,
                "source": "spec",
                "account": self.account,
                "call": call,
                "exchanges": self.route.exchanges,
                "outcome": { "ok": {} },
            }),
        };
        let (_, played) = context.play_as_written(&template).await?;
        played.result.map_err(|error| format!("{error:?}"))
    }

    /// Verifies the signed delivery and says how it goes on.
    fn deliver<P: PaymentProvider>(&self, context: &Arc<Context<P>>) -> Result<Carried, Problem> {
        let route = &self.route;
        let body = match (&route.body, &route.body_text) {
            (Some(body), None) => body.to_string(),
            (None, Some(text)) => text.clone(),
            _ => return Err("a webhook needs one of `body` and `body_text`".to_owned()),
        };
        let at = route.received_at.map(|moment| moment.0);
        let at = at.unwrap_or(paymux_core::Timestamp::from_millis(RECEIVED_AT_MS));
        let sign = context.signer.as_ref().ok_or("the suite has no signer")?;
        let (headers, body) = sign(&self.account, body.as_bytes(), at);
        let endpoint = route.endpoint.clone();
        let delivery = Delivery { endpoint, headers, body, received_at: at };
        let events = context.verify(&self.account, &delivery)??;
        let event = events.into_iter().next().ok_or("the delivery held no event")?;
        if let Some(payment) = &event.payment {
            let payment = serde_json::to_value(payment).map_err(|error| error.to_string())?;
            return Ok(Carried::Payment(payment));
        }
        match &route.then {
            Some(call) => Ok(Carried::Follow(call.clone())),
            None => lookup(&event, route.options.as_ref()).map(Carried::Follow),
        }
    }
}

/// What an event gives.
enum Carried {
    Payment(Value),
    Follow(Value),
}

/// The look-up that an event's subject leads to.
fn lookup(event: &WebhookEvent, options: Option<&Value>) -> Result<Value, Problem> {
    let options = options.cloned().unwrap_or_else(|| json!({}));
    Ok(match &event.subject {
        Subject::Payment(id) => {
            json!({ "fetch_payment": { "payment": { "id": id, "options": options } } })
        }
        Subject::Part { id, .. } => {
            json!({ "fetch_payment": { "part": { "id": id, "options": options } } })
        }
        Subject::Refund { id } => json!({ "fetch_refund": { "id": id } }),
        Subject::Mandate { id } => json!({ "fetch_mandate": { "id": id, "options": options } }),
        Subject::Other { .. } | _ => {
            return Err(format!("{:?} leads to no look-up: say `then`", event.subject));
        }
    })
}

fn is_final(object: Object, status: &str) -> Result<bool, Problem> {
    let value = json!(status);
    Ok(match object {
        Object::Payment => data::read_as::<PaymentStatus>(&value, "status")?.is_final(),
        Object::Refund => data::read_as::<RefundStatus>(&value, "status")?.is_final(),
        Object::Mandate => data::read_as::<MandateStatus>(&value, "status")?.is_final(),
    })
}
