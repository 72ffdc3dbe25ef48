//! The program that the README shows first takes a payment: it is run as it stands there, against
//! the sandbox.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use paymux_sandbox::{
    Fault, FaultKind, Sandbox, SandboxConfig,
    toffeepay::{Method, Payer},
};
use serde_json::Value;

const README: &str = include_str!("../../README.md");
const PROGRAM: &str = include_str!("../../examples/take_payment/main.rs");
const ROUTES: &str = include_str!("../../examples/take_payment/routes.toml");
/// More answers than the providers give until they have told of a payment and its steps.
const MOST_ANSWERS: u64 = 30;

#[test]
fn the_readme_shows_the_program_that_is_run_here() {
    let (_, shown) = README.split_once("```rust,no_run\n").expect("the README shows a program");
    let (shown, _) = shown.split_once("```\n").expect("it ends");
    assert_eq!(shown, PROGRAM);
}

/// What is counted is all that stands between the braces of `main`.
#[test]
fn fifteen_lines_are_enough() {
    let (_, main) = PROGRAM.split_once("async fn main()").expect("it has a main");
    let body = main.strip_suffix("\n}\n").expect("main is the last of it").lines().skip(1);
    assert_eq!(body.filter(|line| !line.is_empty()).count(), 15);
    for account in ["ToffeePay", "MilkyPay", "Wallet", "Ramp"] {
        assert!(PROGRAM.contains(&format!(".account({account}::new(")), "{account} is missing");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_takes_a_payment() {
    let sandbox = sandbox().await;
    let shop = Shop::new("takes", &sandbox);
    let first = shop.run();
    assert!(first.starts_with("Some(Redirect") && first.ends_with(", requires_action"), "{first}");
    let session = only(&sandbox.toffeepay().snapshot()["sessions"]);
    assert_eq!(session["item"]["price"], 499);
    let id = session["id"].as_str().expect("an id");
    sandbox.toffeepay().pay(id, Payer::new(Method::Card)).expect("it can be paid");
    shop.run_until_it_is("succeeded", &sandbox);
    // The same key asks for the same payment, and nobody else was asked for it.
    only(&sandbox.toffeepay().snapshot()["sessions"]);
    none(&sandbox.wallet().snapshot()["transactions"]);
    sandbox.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_to_the_next_account_when_the_first_is_down() {
    let sandbox = sandbox().await;
    let mut shop = Shop::new("goes-on", &sandbox);
    // Nobody listens there.
    shop.set("TOFFEEPAY_BASE_URL", "http://127.0.0.1:1/toffeepay");
    let first = shop.run();
    assert!(first.ends_with(", requires_action"), "{first}");
    let wallet = sandbox.wallet();
    let transaction = only(&wallet.snapshot()["transactions"]);
    let key = transaction["key"].as_str().expect("a key");
    wallet.accept(key, wallet.usual_payer()).expect("it can be paid");
    shop.run_until_it_is("succeeded", &sandbox);
    none(&sandbox.toffeepay().snapshot()["sessions"]);
    sandbox.shutdown().await;
}

async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxConfig::default().seed(7)).await.expect("it starts")
}

fn only(rows: &Value) -> Value {
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].clone()
}

fn none(rows: &Value) {
    assert_eq!(*rows, Value::Array(Vec::new()));
}

/// A folder with the rules and the file of payments, in which the program is run.
struct Shop {
    folder: PathBuf,
    variables: Vec<(&'static str, String)>,
}

impl Shop {
    fn new(name: &str, sandbox: &Sandbox) -> Self {
        let folder = env::temp_dir().join(format!("paymux-{name}.{}", process::id()));
        // Left by a run that was killed.
        drop(fs::remove_dir_all(&folder));
        fs::create_dir(&folder).expect("a folder can be made");
        fs::write(folder.join("routes.toml"), ROUTES).expect("it can be written to");
        let (games, invoices) = (sandbox.toffeepay(), sandbox.milkypay());
        let (wallet, ramp) = (sandbox.wallet(), sandbox.ramp());
        let variables = vec![
            ("TOFFEEPAY_ENVIRONMENT", "sandbox".to_owned()),
            ("TOFFEEPAY_BASE_URL", games.base_url().to_string()),
            ("TOFFEEPAY_API_KEY", games.api_key().to_owned()),
            ("TOFFEEPAY_GAME_ID", "space_shooter".to_owned()),
            ("MILKYPAY_MODE", "test".to_owned()),
            ("MILKYPAY_BASE_URL", invoices.base_url().to_string()),
            ("MILKYPAY_ACCOUNT_ID", invoices.account_id().to_owned()),
            ("MILKYPAY_API_KEY", invoices.api_key().to_owned()),
            ("WALLET_ENVIRONMENT", "sandbox".to_owned()),
            ("WALLET_BASE_URL", wallet.base_url().to_string()),
            ("WALLET_MAC_ID", wallet.client_id().to_owned()),
            ("WALLET_MAC_KEY", wallet.mac_key().to_owned()),
            ("RAMP_ENVIRONMENT", "sandbox".to_owned()),
            ("RAMP_BASE_URL", ramp.base_url().to_string()),
            ("RAMP_TOKEN", ramp.access_token().to_owned()),
        ];
        Self { folder, variables }
    }

    fn set(&mut self, name: &'static str, value: &str) {
        self.variables.push((name, value.to_owned()));
    }

    /// Runs the program to its end, and gives the line that it prints.
    fn run(&self) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_paymux-take-payment"))
            .current_dir(&self.folder)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .expect("it runs");
        let said = String::from_utf8(output.stdout).expect("it says words");
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(Path::new(&self.folder).join("shop.sqlite").is_file(), "its payments are kept");
        said.trim_end().to_owned()
    }

    /// Runs it again and again: what is known of a payment counts as new for some seconds. It
    /// fails once the providers have told enough of it, however long that takes.
    fn run_until_it_is(&self, status: &str, sandbox: &Sandbox) {
        let counted = FaultKind::DelayReply { delay_ms: 0 };
        let word = counted.word();
        sandbox.inject(Fault::new(counted).times(u32::MAX));
        loop {
            let said = self.run();
            if said.ends_with(&format!(", {status}")) {
                return;
            }
            let answers = sandbox.faults_happened().get(word).copied().unwrap_or(0);
            assert!(answers < MOST_ANSWERS, "it is not {status} after {answers} answers: {said}");
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
