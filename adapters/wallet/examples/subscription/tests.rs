//! The chain against a provider with state: it is cut at every call, before and after the provider
//! acted, and in the end each month was charged once.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use paymux_core::SecretString;
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use super::*;

/// The wallet, as far as a charge needs it.
#[derive(Default)]
struct State {
    /// Word, price and reference of each transaction, by its number.
    transactions: Vec<(&'static str, i64, String)>,
    /// How often money moved, by the amount.
    moved: Vec<i64>,
}

/// Fails once: at this request, and before or after doing what it asks for.
#[derive(Clone)]
struct Provider {
    state: Arc<Mutex<State>>,
    requests: Arc<AtomicUsize>,
    fails_at: Option<(usize, bool)>,
    /// Does it reserve a charge as soon as it is made? No document says that it does not.
    reserves_at_once: bool,
}

impl Provider {
    fn new(fails_at: Option<(usize, bool)>, reserves_at_once: bool) -> Self {
        Self { state: Arc::default(), requests: Arc::default(), fails_at, reserves_at_once }
    }

    fn answer(&self, request: &Request) -> (u16, Value) {
        let mut state = self.state.lock().expect("nobody panicked");
        let path: Vec<&str> = request.url.path().split('/').skip(3).collect();
        let index = |key: &str| key.trim_start_matches('t').parse::<usize>().expect("a number");
        let number = match (request.method.as_str(), path.as_slice()) {
            ("GET", ["allowance", "5478"]) => {
                return (200, json!({ "id": 5478, "status": "active", "wallet": 14471 }));
            }
            ("POST", ["transaction"]) => {
                let body: Value = serde_json::from_slice(&request.body).expect("JSON");
                let price = body["payments"][0]["price"].as_i64().expect("a price");
                let reference = body["payments"][0]["parameters"]["reference"].as_str();
                let word = if self.reserves_at_once { "reserved" } else { "new" };
                state.transactions.push((word, price, reference.expect("ours").to_owned()));
                state.transactions.len() - 1
            }
            ("GET", ["transactions"]) => {
                let held = (0..state.transactions.len())
                    .filter(|number| state.transactions[*number].0 == "reserved");
                let rows: Vec<Value> = held.map(|number| row(&state, number)).collect();
                return (200, json!({ "transactions": rows }));
            }
            ("DELETE", ["transaction", key]) => {
                let number = index(key);
                if state.transactions[number].0 != "reserved" {
                    return (409, json!({ "error": "invalid_state" }));
                }
                state.transactions[number].0 = "revoked";
                number
            }
            ("GET", ["transaction", key]) => index(key),
            ("PUT", ["transaction", key, step @ ..]) => {
                let number = index(key);
                let next = match (state.transactions[number].0, step) {
                    ("new", ["reserve", "14471"]) => "reserved",
                    ("reserved", ["confirm"]) => "confirmed",
                    _ => return (409, json!({ "error": "invalid_state" })),
                };
                state.transactions[number].0 = next;
                if next == "confirmed" {
                    let price = state.transactions[number].1;
                    state.moved.push(price);
                }
                number
            }
            _ => return (404, json!({ "error": "not_found" })),
        };
        (200, row(&state, number))
    }
}

fn row(state: &State, number: usize) -> Value {
    let (word, price, reference) = &state.transactions[number];
    let payment = if *word == "confirmed" { "done" } else { word };
    json!({
        "transaction_key": format!("t{number}"), "status": word, "wallet": 14471,
        "payments": [{
            "id": number + 1, "price": price, "currency": "EUR", "status": payment,
            "parameters": { "reference": reference },
        }],
    })
}

impl Respond for Provider {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let nth = self.requests.fetch_add(1, Ordering::SeqCst);
        let lost = || ResponseTemplate::new(502).set_body_string("lost");
        match self.fails_at {
            Some((at, false)) if at == nth => lost(),
            Some((at, true)) if at == nth => {
                self.answer(request);
                lost()
            }
            _ => {
                let (status, body) = self.answer(request);
                ResponseTemplate::new(status).set_body_json(body)
            }
        }
    }
}

async fn run(server: &MockServer, folder: &Path) -> Outcome<Vec<(String, Payment)>> {
    let id = paymux_core::ProviderId::new("wallet").expect("an id");
    let config = WalletConfig::new(id, "id", SecretString::from("a-key-of-tests"))
        .base_url(server.uri().parse().expect("a URL"));
    let http = HttpClient::new(HttpSettings::default()).expect("a client");
    let wallet = Wallet::new(config, http).expect("an account");
    subscribe(&wallet, folder, &ProviderMandateId::new("5478").expect("an id")).await
}

/// How many requests a run without failures makes, what it charged, and in how many runs. In the
/// end nothing stays held.
async fn charged(
    fails_at: Option<(usize, bool)>,
    reserves_at_once: bool,
    folder: &Path,
) -> (usize, Vec<i64>, usize) {
    let provider = Provider::new(fails_at, reserves_at_once);
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(provider.clone()).mount(&server).await;
    let _ = fs::remove_dir_all(folder);
    let mut runs = 1;
    while let Err(error) = run(&server, folder).await {
        runs += 1;
        assert!(runs < 4, "{fails_at:?}: {error}");
    }
    let state = provider.state.lock().expect("nobody panicked");
    let held = state.transactions.iter().filter(|(word, ..)| *word == "reserved").count();
    assert_eq!(held, 0, "{fails_at:?}");
    let moved = state.moved.clone();
    drop(state);
    (provider.requests.load(Ordering::SeqCst), moved, runs)
}

#[tokio::test]
async fn each_month_is_charged_once_wherever_it_is_cut() {
    let folder = std::env::temp_dir().join(format!("paymux-subscription-{}", std::process::id()));
    let folder = folder.as_path();
    for at_once in [false, true] {
        let (requests, moved, runs) = charged(None, at_once, folder).await;
        assert_eq!((moved, runs), (vec![99, 999], 1));
        for at in 0..requests {
            for acted in [false, true] {
                let (_, moved, runs) = charged(Some((at, acted)), at_once, folder).await;
                assert_eq!(moved, [99, 999], "cut at request {at}, after it acted: {acted}");
                assert_eq!(runs, 2, "cut at request {at}, after it acted: {acted}");
            }
        }
    }
    let _ = fs::remove_dir_all(folder);
}

/// Two runs at one time: whichever comes second is refused, and the next goes on.
#[tokio::test]
async fn two_runs_at_once_charge_once() {
    let name = format!("paymux-subscription-twice-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&folder);
    let provider = Provider::new(None, false);
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(provider.clone()).mount(&server).await;
    let (first, second) = tokio::join!(run(&server, &folder), run(&server, &folder));
    assert!(first.is_ok());
    let refused = second.expect_err("the folder is taken").to_string();
    assert!(refused.starts_with("another run"), "{refused}");
    assert_eq!(run(&server, &folder).await.expect("a look at both months").len(), 2);
    assert_eq!(provider.state.lock().expect("nobody panicked").moved, [99, 999]);
    let _ = fs::remove_dir_all(&folder);
}

/// The first note of a month is written once, also by whoever gets past the lock.
#[test]
fn a_month_begins_once() {
    let folder = std::env::temp_dir().join(format!("paymux-month-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let notes = Notes::open(&folder).expect("a folder");
    let charge = |key: &str| {
        let key = IdempotencyKey::new(key).expect("a key");
        let reference = Reference::new("premium-2026-01").expect("a reference");
        let price = Money::new(99, Currency::EUR).expect("money");
        Charge { create: CreatePayment::new(key, reference, price, "Premium"), handle: None }
    };
    notes.begin("2026-01", &charge("key-1")).expect("a note");
    notes.begin("2026-01", &charge("key-2")).expect_err("there is one");
    let kept = notes.read("2026-01").expect("a note").expect("a note");
    assert_eq!(kept.create.key.as_str(), "key-1");
    let _ = fs::remove_dir_all(&folder);
}
