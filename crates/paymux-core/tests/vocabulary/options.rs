//! Typed options, and values that are never shown.

use paymux_core::{Effect, ErrorKind, Options, ProviderOptions, Sensitive};
use serde::{Deserialize, Serialize};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Shop {
    game: String,
    wallet: Option<bool>,
}

impl ProviderOptions for Shop {
    const KIND: &'static str = "shop";
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Bank {
    account: u64,
}

impl ProviderOptions for Bank {
    const KIND: &'static str = "bank";
}

/// Reads `shop` as another shape than was stored.
#[derive(Debug, Serialize, Deserialize)]
struct OtherShop {
    game: u64,
}

impl ProviderOptions for OtherShop {
    const KIND: &'static str = "shop";
}

/// Cannot be written as JSON: the keys of an object are text.
#[derive(Debug, Serialize, Deserialize)]
struct Unwritable {
    map: std::collections::BTreeMap<(u8, u8), u8>,
}

impl ProviderOptions for Unwritable {
    const KIND: &'static str = "unwritable";
}

fn shop() -> Shop {
    Shop { game: "game-canary".to_owned(), wallet: Some(false) }
}

#[test]
fn what_is_set_is_got_by_its_type() {
    let mut options = Options::default();
    options.set(&shop()).unwrap();
    options.set(&Bank { account: u64::MAX }).unwrap();
    let text = serde_json::to_string(&options).unwrap();
    let reloaded: Options = serde_json::from_str(&text).unwrap();
    assert_eq!(reloaded, options);
    assert_eq!(reloaded.get::<Shop>().unwrap(), Some(shop()));
    assert_eq!(reloaded.get::<Bank>().unwrap(), Some(Bank { account: u64::MAX }));
    assert!(options.has("shop") && options.has("bank") && !options.has("other"));
    options.set(&Shop { game: "b".to_owned(), wallet: None }).unwrap();
    assert_eq!(options.get::<Shop>().unwrap().unwrap().game, "b", "the last one counts");
}

#[test]
fn what_is_missing_is_none() {
    assert_eq!(Options::default().get::<Shop>().unwrap(), None);
    let stored: Options = serde_json::from_str("{}").unwrap();
    assert_eq!(stored, Options::default());
}

#[test]
fn another_shape_is_an_error_that_names_the_kind_and_not_the_value() {
    let mut options = Options::default();
    options.set(&shop()).unwrap();
    let error = options.get::<OtherShop>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.field(), Some("options.shop"));
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary"), "{shown}");

    let map = std::collections::BTreeMap::from([((1, 2), 3)]);
    let error = options.set(&Unwritable { map }).unwrap_err();
    assert_eq!(error.field(), Some("options.unwritable"));
    assert!(!options.has("unwritable"));
}

#[test]
fn only_the_kinds_are_shown() {
    let mut options = Options::default();
    options.set(&shop()).unwrap();
    options.set(&Bank { account: 42_424_242 }).unwrap();
    assert_eq!(format!("{options:?}"), r#"{"bank", "shop"}"#);
}

#[test]
fn a_sensitive_value_is_never_shown_or_stored() {
    #[derive(Debug, Clone, Serialize, Deserialize)]
    struct Form {
        fields: Sensitive<Vec<(String, String)>>,
    }
    let fields = vec![("jwt".to_owned(), "canary".to_owned())];
    let form = Form { fields: Sensitive::new(fields.clone()) };
    assert_eq!(form.clone().fields.expose(), Some(&fields));
    assert_eq!(format!("{form:?}"), "Form { fields: [redacted] }");
    assert!(format!("{form:#?}").contains("[redacted]"));
    let text = serde_json::to_string(&form).unwrap();
    assert_eq!(text, r#"{"fields":null}"#);
    assert!(serde_json::from_str::<Form>(&text).unwrap().fields.expose().is_none());
    let foreign = r#"{"fields":[["jwt","canary"]]}"#;
    assert!(serde_json::from_str::<Form>(foreign).unwrap().fields.expose().is_none());
}
