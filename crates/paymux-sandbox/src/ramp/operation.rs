//! The calls of the API: what is called by which method and path.

use http::Method;

use super::errors::Refusal;
use super::settings::RampPaths;
use crate::fault::names;

/// One call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Operation 1 without a payment's id.
    CreatePayment,
    /// Operation 1 with one.
    RetrievePayment,
    UpdatePayment,
    ConfirmPayment,
    GetInvoice,
    ListInvoices,
    ApplyDiscount,
    CreateToken,
}

impl Operation {
    const ALL: [(Operation, &'static str); 8] = [
        (Operation::CreatePayment, "CreatePayment"),
        (Operation::RetrievePayment, "RetrievePayment"),
        (Operation::UpdatePayment, "UpdatePayment"),
        (Operation::ConfirmPayment, "ConfirmPayment"),
        (Operation::GetInvoice, "GetInvoice"),
        (Operation::ListInvoices, "ListInvoices"),
        (Operation::ApplyDiscount, "ApplyDiscount"),
        (Operation::CreateToken, "CreateToken"),
    ];

    /// The names alone.
    pub(super) const NAMES: [&'static str; 8] = names(&Operation::ALL, &[]);

    /// What faults call it.
    pub(super) fn name(self) -> &'static str {
        let known = Operation::ALL.into_iter().find(|(operation, _)| *operation == self);
        known.map_or("", |(_, name)| name)
    }

    pub(super) fn changes(self) -> bool {
        match self {
            Operation::RetrievePayment | Operation::GetInvoice | Operation::ListInvoices => false,
            Operation::CreatePayment
            | Operation::UpdatePayment
            | Operation::ConfirmPayment
            | Operation::ApplyDiscount
            | Operation::CreateToken => true,
        }
    }

    /// Finds the call behind a method and a path below the provider's base URL, with the id that
    /// the path names. Operation 1 counts as a creation until its body is read.
    pub(super) fn find<'a>(
        paths: &RampPaths,
        method: &Method,
        path: &'a str,
    ) -> Result<(Operation, Option<&'a str>), Refusal> {
        let mut wrong_method = false;
        let inside = path.strip_prefix(paths.prefix.as_str());
        let known = [
            (Method::POST, inside, &paths.create_or_retrieve, Operation::CreatePayment),
            (Method::PUT, inside, &paths.update, Operation::UpdatePayment),
            (Method::POST, inside, &paths.confirm, Operation::ConfirmPayment),
            (Method::PUT, inside, &paths.apply_discount, Operation::ApplyDiscount),
            (Method::GET, inside, &paths.list_invoices, Operation::ListInvoices),
            (Method::POST, Some(path), &paths.token, Operation::CreateToken),
            // Last, as its pattern also fits paths that have a meaning of their own.
            (Method::GET, inside, &paths.get_invoice, Operation::GetInvoice),
        ];
        for (for_method, path, pattern, operation) in known {
            let Some(id) = path.and_then(|path| matched(pattern, path)) else { continue };
            if *method == for_method {
                return Ok((operation, id));
            }
            wrong_method = true;
        }
        Err(if wrong_method { Refusal::WrongMethod } else { Refusal::NotFound("Not found") })
    }
}

/// The id that a path has where its pattern says `{…}`; none inside for a pattern without.
fn matched<'a>(pattern: &str, path: &'a str) -> Option<Option<&'a str>> {
    let Some((before, rest)) = pattern.split_once('{') else {
        return (pattern == path).then_some(None);
    };
    let (_, after) = rest.split_once('}').unwrap_or((rest, ""));
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn find(paths: &RampPaths, method: &str, path: &str) -> Option<(Operation, Option<String>)> {
        let found = Operation::find(paths, &method.parse().unwrap(), path).ok()?;
        Some((found.0, found.1.map(str::to_owned)))
    }

    #[test]
    fn the_paths_are_those_of_the_contract() {
        let text = include_str!("../../tests/fixtures/ramp/paths.json");
        let sample: Value = serde_json::from_str(text).unwrap();
        let prefix = sample["path_prefix"].as_str().unwrap();
        for (name, operation, id) in [
            ("create_or_retrieve", Operation::CreatePayment, None),
            ("update", Operation::UpdatePayment, None),
            ("confirm", Operation::ConfirmPayment, None),
            ("get_invoice", Operation::GetInvoice, Some("i-1")),
            ("list_invoices", Operation::ListInvoices, None),
            ("apply_discount", Operation::ApplyDiscount, None),
        ] {
            let known = &sample["operations"][name];
            let path = known["path"].as_str().unwrap().replace("{invoiceId}", "i-1");
            let method = known["method"].as_str().unwrap();
            let found = find(&RampPaths::default(), method, &format!("{prefix}{path}"));
            assert_eq!(found, Some((operation, id.map(str::to_owned))), "{name}");
            assert_eq!(find(&RampPaths::default(), method, &path), None, "{name} has a prefix");
        }
    }

    #[test]
    fn paths_are_settings() {
        let bare = RampPaths { prefix: String::new(), ..RampPaths::default() };
        let create = Some((Operation::CreatePayment, None));
        assert_eq!(find(&bare, "POST", "/invoice/payment"), create);
        let v1 = RampPaths { prefix: "/acquiring/v1".to_owned(), ..RampPaths::default() };
        assert_eq!(find(&v1, "POST", "/acquiring/v1/invoice/payment"), create);
        let token = Some((Operation::CreateToken, None));
        assert_eq!(find(&v1, "POST", "/reg/auth/token"), token);
        let own = RampPaths { get_invoice: "/{invoiceId}/whole".to_owned(), ..bare };
        let whole = Some((Operation::GetInvoice, Some("7".to_owned())));
        assert_eq!(find(&own, "GET", "/7/whole"), whole);
    }

    #[test]
    fn wrong_methods_are_told_from_wrong_paths() {
        let find = |method: Method, path: &str| {
            Operation::find(&RampPaths::default(), &method, path).unwrap_err()
        };
        assert_eq!(find(Method::DELETE, "/acquiring/invoice/payment"), Refusal::WrongMethod);
        assert_eq!(find(Method::POST, "/acquiring/invoice"), Refusal::WrongMethod);
        assert_eq!(find(Method::GET, "/nothing"), Refusal::NotFound("Not found"));
        assert_eq!(find(Method::GET, "/acquiring/invoice/a/b"), Refusal::NotFound("Not found"));
    }
}
