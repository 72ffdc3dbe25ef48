//! What a fault from outside must be, so that a slip of the pen is not a fault that never happens,
//! or one that happens everywhere.

use serde_json::{Map, Value};

use super::{Fault, FaultKind};
use crate::SandboxError;

const FIELDS: [&str; 8] =
    ["kind", "operation", "id", "times", "percent", "status", "retry_after_seconds", "delay_ms"];

/// What one provider has that faults can happen to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) provider: &'static str,
    pub(crate) operations: &'static [&'static str],
    pub(crate) events: &'static [&'static str],
}

impl Names {
    /// Does the fault name something of this provider that it can happen to?
    fn have(&self, fault: &Fault) -> bool {
        let (operations, events) = match fault.kind {
            FaultKind::DropReply
            | FaultKind::ErrorAfterCommit { .. }
            | FaultKind::ErrorBefore { .. }
            | FaultKind::DelayReply { .. }
            | FaultKind::TruncateReply
            | FaultKind::GarbageReply => (self.operations, [].as_slice()),
            FaultKind::UnknownStatus { .. } => (self.operations, self.events),
            FaultKind::DropWebhook
            | FaultKind::DuplicateWebhook
            | FaultKind::DelayWebhook
            | FaultKind::ReorderWebhook
            | FaultKind::BadSignature => ([].as_slice(), self.events),
        };
        operations.iter().chain(events).any(|name| fault.names(self.provider, name))
    }
}

/// The names of what is listed with them, and then those of `more`. `N` is how many that are.
pub(crate) const fn names<T, const N: usize>(
    listed: &[(T, &'static str)],
    more: &[&'static str],
) -> [&'static str; N] {
    assert!(N == listed.len() + more.len(), "as many names as there are");
    let mut names = [""; N];
    let mut index = 0;
    while index < N {
        names[index] =
            if index < listed.len() { listed[index].1 } else { more[index - listed.len()] };
        index += 1;
    }
    names
}

/// Reads a fault as it came over the control API.
pub(crate) fn read(given: Map<String, Value>, providers: &[Names]) -> Result<Fault, SandboxError> {
    let wrong = |message: String| Err(SandboxError::Configuration(message));
    if let Some(odd) = given.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        return wrong(format!("unknown field {odd:?}, expected one of {}", FIELDS.join(", ")));
    }
    let fault: Fault = match serde_json::from_value(Value::Object(given)) {
        Ok(fault) => fault,
        Err(error) => return wrong(error.to_string()),
    };
    if fault.times == 0 {
        return wrong("times: must be at least 1".to_owned());
    }
    if !(1..=100).contains(&fault.percent) {
        return wrong("percent: must be from 1 to 100".to_owned());
    }
    if let FaultKind::ErrorAfterCommit { status } | FaultKind::ErrorBefore { status, .. } =
        fault.kind
        && !(400..600).contains(&status)
    {
        return wrong("status: must be an error, from 400 to 599".to_owned());
    }
    if !providers.iter().any(|names| names.have(&fault)) {
        let known: Vec<&str> = providers
            .iter()
            .flat_map(|one| one.operations.iter().chain(one.events))
            .copied()
            .collect();
        return wrong(format!(
            "operation: this fault happens to nothing named {:?}; there are {}",
            fault.operation,
            known.join(", ")
        ));
    }
    Ok(fault)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NAMES: &[Names] = &[Names {
        provider: "toffeepay",
        operations: &["CreateSession", "GetSession"],
        events: &["session.paid"],
    }];

    fn check(fault: &Value) -> Result<Fault, String> {
        let fault = fault.as_object().cloned().unwrap();
        read(fault, NAMES).map_err(|error| error.to_string())
    }

    #[test]
    fn what_can_happen_passes() {
        for fault in [
            json!({"kind": "drop_reply"}),
            json!({"kind": "drop_reply", "operation": "CreateSession", "times": 3, "id": "x"}),
            json!({"kind": "drop_reply", "operation": "toffeepay.Get*"}),
            json!({"kind": "error_before", "status": 429, "retry_after_seconds": 7}),
            json!({"kind": "delay_reply", "delay_ms": 5}),
            json!({"kind": "drop_webhook", "operation": "session.*"}),
            json!({"kind": "unknown_status", "operation": "session.paid", "status": "odd"}),
            json!({"kind": "unknown_status", "operation": "GetSession"}),
        ] {
            assert!(check(&fault).is_ok(), "{fault}");
        }
    }

    #[test]
    fn what_can_never_happen_is_named() {
        for (fault, named) in [
            (json!({}), "kind"),
            (json!({"kind": "nothing"}), "nothing"),
            (json!({"kind": "drop_reply", "opertion": "CreateSession"}), "opertion"),
            (json!({"kind": "drop_reply", "operation": "CreateSesion"}), "CreateSesion"),
            (json!({"kind": "drop_reply", "operation": "milkypay.*"}), "milkypay"),
            (json!({"kind": "drop_reply", "operation": "session.paid"}), "session.paid"),
            (json!({"kind": "drop_webhook", "operation": "CreateSession"}), "CreateSession"),
            (json!({"kind": "drop_reply", "times": 0}), "times"),
            (json!({"kind": "drop_reply", "percent": 0}), "percent"),
            (json!({"kind": "drop_reply", "percent": 101}), "percent"),
            (json!({"kind": "error_before", "status": 200}), "status"),
            (json!({"kind": "error_after_commit", "status": 600}), "status"),
            (json!({"kind": "delay_reply"}), "delay_ms"),
        ] {
            let message = check(&fault).expect_err(&fault.to_string());
            assert!(message.contains(named), "{fault}: {message}");
        }
    }
}
