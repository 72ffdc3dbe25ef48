//! Bills of the ramp through the orchestrator, against the sandbox. Somebody else can pay a bill, too,
//! in the provider's own app: no other account may be asked for its price then.
#![cfg(all(feature = "ramp", feature = "sqlite", feature = "toffeepay"))]

use std::{env, fs, path::PathBuf, process, sync::Arc};

use paymux::{
    ConfirmPayment, ConfirmStep, CreatePayment, Currency, Customer, ErrorKind, IdempotencyKey,
    Money, PaymentProvider, PaymentStatus, ProviderId, Reference, SecretString,
    orchestrator::{
        NewPayment, Orchestrator, PaymentRecord, routing::Routes, store::sqlite::SqliteStore,
    },
    ramp::{Environment, OneToken, PaymentType, Ramp, RampConfig, RampOptions},
    toffeepay::{ToffeePay, ToffeePayConfig},
    transport::{HttpClient, HttpSettings},
};
use paymux_sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

type Outcome = Result<(), Box<dyn std::error::Error>>;

const ROUTES: &str = r#"
[[rule]]
name = "bills, and the games' account behind"
use = ["ramp", "toffeepay"]
"#;

/// The file of a store, which goes with the test.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = Self(env::temp_dir().join(format!("paymux-{name}-{}.sqlite", process::id())));
        file.remove();
        file
    }

    fn remove(&self) {
        for end in ["", "-wal", "-shm", ".lock"] {
            let mut name = self.0.clone().into_os_string();
            name.push(end);
            // Most of them are not there.
            drop(fs::remove_file(name));
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        self.remove();
    }
}

/// A shop with both accounts, and the providers behind.
struct Shop {
    sandbox: Sandbox,
    orchestrator: Orchestrator,
    _file: File,
}

impl Shop {
    async fn open(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let file = File::new(name);
        let games = sandbox.toffeepay();
        let key = SecretString::from(games.api_key());
        let games = ToffeePayConfig::new(ProviderId::new("toffeepay")?, key, "space_shooter")
            .base_url(games.base_url());
        let http = HttpClient::new(HttpSettings::default())?;
        let orchestrator = Orchestrator::builder(Arc::new(SqliteStore::open(&file.0)?))
            .routes(Routes::from_toml(ROUTES)?)
            .account(bills(&sandbox)?)
            .account(ToffeePay::new(games, http)?)
            .build()?;
        Ok(Self { sandbox, orchestrator, _file: file })
    }

    /// An invoice over this many cents.
    fn invoice(&self, cents: u32) -> Result<String, Box<dyn std::error::Error>> {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        Ok(self.sandbox.ramp().add_invoice(&amount, "USD")?)
    }

    /// What an order for this many cents comes to. Its bill is paid on a page.
    async fn order(
        &self,
        invoice: &str,
        cents: u32,
    ) -> Result<PaymentRecord, Box<dyn std::error::Error>> {
        let price = Money::new(cents.into(), Currency::USD)?;
        let options = RampOptions::new(self.user(), invoice, PaymentType::Checkout);
        let order = NewPayment::new(Reference::new("order-1")?, price, "A thing of the shop")
            .customer(Customer::new("player_42"))
            .return_url("https://shop.example/thanks".parse()?)
            .with(&options)?;
        let key = IdempotencyKey::new("order-1")?;
        Ok(self.orchestrator.create_payment(&key, &order).await?)
    }

    /// Begins to pay the invoice from the payer's account, as the provider's app does.
    async fn pay_in_the_app(&self, invoice: &str, cents: u32) -> Outcome {
        let account_id = self.sandbox.ramp().usual_account("USD").ok_or("no account in dollars")?;
        let price = Money::new(cents.into(), Currency::USD)?;
        let mut options =
            RampOptions::new(self.user(), invoice, PaymentType::Platform { account_id });
        options.price = Some(price);
        let app = bills(&self.sandbox)?;
        let (key, reference) = (IdempotencyKey::new("app-1")?, Reference::new("app-1")?);
        let request = CreatePayment::new(key, reference, price, "In the app").with(&options)?;
        let payment = app.create_payment(&request).await?;
        let (key, payment) = (IdempotencyKey::new("app-2")?, payment.handle(&request.options));
        let step = ConfirmStep::Commit;
        app.confirm_payment(&ConfirmPayment { key, payment, step }).await?;
        Ok(())
    }

    fn user(&self) -> &'static str {
        self.sandbox.ramp().usual_user()
    }

    /// Nobody but the bills' account was asked, then or later, and the order has ended by this.
    async fn nobody_else_is_asked(&self, record: &PaymentRecord, why: &str) -> Outcome {
        // Whatever the engine has in mind, it does now.
        for _ in 0..3 {
            self.orchestrator.step().await?;
        }
        let record = self.orchestrator.fetch_payment(&record.id).await?;
        let asked: Vec<&str> =
            record.attempts.iter().map(|attempt| attempt.account.as_str()).collect();
        assert_eq!(asked, ["ramp"], "{why}");
        assert_eq!(sessions(&self.sandbox), 0, "{why}: no page of the other account");
        assert_eq!(record.status, PaymentStatus::Failed, "{why}");
        let fault = record.attempts[0].fault.as_ref().ok_or("the refusal is kept")?;
        assert_eq!(fault.kind, ErrorKind::Conflict, "{why}: {}", fault.message);
        Ok(())
    }
}

fn bills(sandbox: &Sandbox) -> paymux::Result<Ramp> {
    let token = SecretString::from(sandbox.ramp().access_token());
    let (name, url) = (ProviderId::new("ramp")?, sandbox.ramp().base_url());
    let config = RampConfig::new(name, url, Environment::Sandbox)
        .tokens(Arc::new(OneToken::new(token)))
        .invoice_read(true);
    Ramp::new(config, HttpClient::new(HttpSettings::default())?)
}

/// How many checkouts the games' account has opened.
fn sessions(sandbox: &Sandbox) -> usize {
    let state = sandbox.toffeepay().snapshot();
    match &state["sessions"] {
        Value::Object(sessions) => sessions.len(),
        Value::Array(sessions) => sessions.len(),
        other => panic!("no list of sessions: {other}"),
    }
}

#[tokio::test]
async fn a_bill_that_is_paid_in_the_app_is_paid_nowhere_else() -> Outcome {
    let shop = Shop::open("paid").await?;
    let invoice = shop.invoice(1050)?;
    shop.pay_in_the_app(&invoice, 1050).await?;
    let record = shop.order(&invoice, 1050).await?;
    shop.nobody_else_is_asked(&record, "it is paid").await
}

#[tokio::test]
async fn a_bill_that_is_being_paid_in_the_app_is_paid_nowhere_else() -> Outcome {
    let shop = Shop::open("under-way").await?;
    let ramp = shop.sandbox.ramp();
    let mut settings = ramp.settings();
    settings.settle_seconds = 3600;
    ramp.set_settings(settings)?;
    let invoice = shop.invoice(1050)?;
    shop.pay_in_the_app(&invoice, 1050).await?;
    let record = shop.order(&invoice, 1050).await?;
    shop.nobody_else_is_asked(&record, "it is being paid").await
}

#[tokio::test]
async fn a_bill_over_another_amount_is_paid_nowhere_else() -> Outcome {
    let shop = Shop::open("price").await?;
    let invoice = shop.invoice(1051)?;
    let record = shop.order(&invoice, 1050).await?;
    shop.nobody_else_is_asked(&record, "it costs something else").await
}

/// The other account is not asked for want of trying: it takes what the first cannot do.
#[tokio::test]
async fn an_account_that_is_no_use_is_passed_over() -> Outcome {
    let shop = Shop::open("down").await?;
    let invoice = shop.invoice(1050)?;
    // Every call is refused, and nothing was sent for the bill.
    shop.sandbox.ramp().expire_tokens();
    let record = shop.order(&invoice, 1050).await?;
    assert_eq!(record.account().map(ProviderId::as_str), Some("toffeepay"));
    assert_eq!(record.status, PaymentStatus::RequiresAction);
    assert_eq!(sessions(&shop.sandbox), 1);
    Ok(())
}
