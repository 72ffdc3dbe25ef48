//! Bills of the ramp through the orchestrator, against the sandbox. Somebody else can pay a bill, too,
//! in the provider's own app: no other account may be asked for its price then.

use std::{env, fs, path::PathBuf, process, sync::Arc, time::Duration};

use paymux::{
    Clock, ConfirmPayment, ConfirmStep, CreatePayment, Currency, Customer, Effect, ErrorKind,
    IdempotencyKey, ManualClock, Money, PaymentProvider, PaymentStatus, ProviderId, Reference,
    SecretString, SystemClock,
    orchestrator::{
        ConfirmBy, NewPayment, Orchestrator, PaymentRecord, routing::Routes,
        store::sqlite::SqliteStore,
    },
    ramp::{Environment, PaymentType, Ramp, RampConfig, RampOptions, TokenMap},
    toffeepay::{ToffeePay, ToffeePayConfig},
    transport::{HttpClient, HttpSettings},
};
use paymux_sandbox::{Fault, FaultKind, Sandbox, SandboxConfig};

type Stop = Box<dyn std::error::Error>;
type Outcome = Result<(), Stop>;

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
    tokens: Arc<TokenMap>,
    clock: Arc<ManualClock>,
    orchestrator: Orchestrator,
    _file: File,
}

impl Shop {
    async fn open(name: &str) -> Result<Self, Stop> {
        let sandbox = Sandbox::start(SandboxConfig::default()).await?;
        let file = File::new(name);
        let tokens = Arc::new(TokenMap::new());
        let token = SecretString::from(sandbox.ramp().access_token());
        tokens.set(sandbox.ramp().usual_user(), token);
        let games = sandbox.toffeepay();
        let key = SecretString::from(games.api_key());
        let games = ToffeePayConfig::new(ProviderId::new("toffeepay")?, key, "space_shooter")
            .base_url(games.base_url());
        let http = HttpClient::new(HttpSettings::default())?;
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let orchestrator = Orchestrator::builder(Arc::new(SqliteStore::open(&file.0)?))
            .clock(clock.clone())
            .routes(Routes::from_toml(ROUTES)?)
            .account(bills(&sandbox, tokens.clone())?)
            .account(ToffeePay::new(games, http)?)
            .build()?;
        Ok(Self { sandbox, tokens, clock, orchestrator, _file: file })
    }

    /// An invoice over this many cents.
    fn invoice(&self, cents: u32) -> Result<String, Stop> {
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        Ok(self.sandbox.ramp().add_invoice(&amount, "USD")?)
    }

    /// What an order for this many cents comes to. Its bill is paid on a page.
    async fn order(&self, invoice: &str, cents: u32) -> Result<PaymentRecord, Stop> {
        self.order_of(self.user(), "order-1", invoice, cents).await
    }

    async fn order_of(
        &self,
        end_user: &str,
        name: &str,
        invoice: &str,
        cents: u32,
    ) -> Result<PaymentRecord, Stop> {
        let price = Money::new(cents.into(), Currency::USD)?;
        let options = RampOptions::new(end_user, invoice, PaymentType::Checkout);
        let order = NewPayment::new(Reference::new(name)?, price, "A thing of the shop")
            .customer(Customer::new("player_42"))
            .return_url("https://shop.example/thanks".parse()?)
            .with(&options)?;
        Ok(self.orchestrator.create_payment(&IdempotencyKey::new(name)?, &order).await?)
    }

    /// Begins to pay the invoice from the payer's account, as the provider's app does.
    async fn pay_in_the_app(&self, invoice: &str, cents: u32) -> Outcome {
        let account_id = self.sandbox.ramp().usual_account("USD").ok_or("no account in dollars")?;
        let price = Money::new(cents.into(), Currency::USD)?;
        let mut options =
            RampOptions::new(self.user(), invoice, PaymentType::Platform { account_id });
        options.price = Some(price);
        let app = bills(&self.sandbox, self.tokens.clone())?;
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
        assert_eq!(sessions(&self.sandbox), Some(0), "{why}: no page of the other account");
        assert_eq!(record.status, PaymentStatus::Failed, "{why}");
        let fault = record.attempts[0].fault.as_ref().ok_or("the refusal is kept")?;
        assert_eq!(fault.kind, ErrorKind::Conflict, "{why}: {}", fault.message);
        Ok(())
    }
}

fn bills(sandbox: &Sandbox, tokens: Arc<TokenMap>) -> paymux::Result<Ramp> {
    let (name, url) = (ProviderId::new("ramp")?, sandbox.ramp().base_url());
    let config = RampConfig::new(name, url, Environment::Sandbox).tokens(tokens).invoice_read(true);
    Ramp::new(config, HttpClient::new(HttpSettings::default())?)
}

/// How many checkouts the games' account has opened.
fn sessions(sandbox: &Sandbox) -> Option<usize> {
    sandbox.toffeepay().snapshot()["sessions"].as_array().map(Vec::len)
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

/// Paid the way the order would pay it, too: that does not make it this order's payment.
#[tokio::test]
async fn a_bill_that_is_paid_on_the_billers_own_page_pays_for_no_order() -> Outcome {
    let shop = Shop::open("their-page").await?;
    let invoice = shop.invoice(1050)?;
    let price = Money::new(1050, Currency::USD)?;
    let options = RampOptions::new(shop.user(), &invoice, PaymentType::Checkout);
    let (key, reference) = (IdempotencyKey::new("page-1")?, Reference::new("page-1")?);
    let request = CreatePayment::new(key, reference, price, "On their page").with(&options)?;
    let theirs = bills(&shop.sandbox, shop.tokens.clone())?.create_payment(&request).await?;
    shop.sandbox.ramp().pay_checkout(theirs.id.as_str())?;
    let record = shop.order(&invoice, 1050).await?;
    shop.nobody_else_is_asked(&record, "it is paid, by nobody who ordered here").await
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
    shop.sandbox.inject(
        Fault::new(FaultKind::ErrorBefore { status: 503, retry_after_seconds: None })
            .on("GetInvoice"),
    );
    let record = shop.order(&invoice, 1050).await?;
    assert_eq!(record.account().map(ProviderId::as_str), Some("toffeepay"));
    assert_eq!(record.status, PaymentStatus::RequiresAction);
    assert_eq!(sessions(&shop.sandbox), Some(1));
    Ok(())
}

/// Whoever is not logged in cannot pay their bill. Nobody pays it for them elsewhere, and everybody else
/// still pays theirs here.
#[tokio::test]
async fn one_who_is_not_logged_in_shuts_the_account_for_nobody() -> Outcome {
    let shop = Shop::open("logged-out").await?;
    let invoice = shop.invoice(1050)?;
    for order in ["order-1", "order-2", "order-3"] {
        let refused = shop.order_of("somebody", order, &invoice, 1050).await;
        let error = refused.err().ok_or("nobody is logged in by that name")?;
        let error = error.downcast::<paymux::Error>()?;
        assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidRequest, Effect::None));
        assert_eq!(error.field(), Some("options.ramp.end_user"), "{order}");
    }
    assert_eq!(sessions(&shop.sandbox), Some(0));
    let record = shop.order_of(shop.user(), "order-4", &invoice, 1050).await?;
    assert_eq!(record.account().map(ProviderId::as_str), Some("ramp"));
    assert_eq!(record.status, PaymentStatus::RequiresAction);
    Ok(())
}

/// The biller changes the invoice between the order and our consent.
#[tokio::test]
async fn a_bill_that_was_changed_is_not_debited() -> Outcome {
    let shop = Shop::open("changed").await?;
    let ramp = shop.sandbox.ramp();
    let account_id = ramp.usual_account("USD").ok_or("no account in dollars")?;
    let (invoice, price) = (shop.invoice(1050)?, Money::new(1050, Currency::USD)?);
    let way = PaymentType::Platform { account_id: account_id.clone() };
    let mut options = RampOptions::new(shop.user(), &invoice, way);
    let order = NewPayment::new(Reference::new("order-1")?, price, "A thing of the shop")
        .confirm(ConfirmBy::Merchant);
    // Nobody could compare then.
    let unpriced = order.clone().with(&options)?;
    let key = IdempotencyKey::new("order-1")?;
    let refused = shop.orchestrator.create_payment(&key, &unpriced).await;
    let error = refused.err().ok_or("it has no price")?;
    assert_eq!(error.field(), Some("options.ramp.price"));
    assert_eq!(error.effect(), Effect::None);

    options.price = Some(price);
    let (key, order) = (IdempotencyKey::new("order-2")?, order.with(&options)?);
    let record = shop.orchestrator.create_payment(&key, &order).await?;
    assert_eq!(record.status, PaymentStatus::RequiresConfirmation);
    let before = ramp.balance(&account_id);
    options.discount_code = Some("WELCOME10".to_owned());
    bills(&shop.sandbox, shop.tokens.clone())?.apply_discount(&options).await?;
    let (key, step) = (IdempotencyKey::new("consent-1")?, ConfirmStep::Commit);
    let refused = shop.orchestrator.confirm_payment(&key, &record.id, step).await;
    let error = refused.err().ok_or("it costs something else")?;
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::None));
    assert_eq!(error.field(), Some("amount"), "{error}");
    assert_eq!(ramp.balance(&account_id), before, "nothing is debited");
    Ok(())
}

/// The answer to creating is lost, and the third party collects meanwhile: the resend finds what it
/// made, and nothing is begun a second time.
#[tokio::test]
async fn an_external_payment_is_found_after_a_lost_answer() -> Outcome {
    let shop = Shop::open("lost").await?;
    let ramp = shop.sandbox.ramp();
    let (invoice, price) = (shop.invoice(1050)?, Money::new(1050, Currency::USD)?);
    shop.sandbox.inject(Fault::new(FaultKind::DropReply).on("CreatePayment").times(u32::MAX));
    let way = PaymentType::External { some_data: None };
    let order = NewPayment::new(Reference::new("order-1")?, price, "A thing of the shop")
        .with(&RampOptions::new(shop.user(), &invoice, way))?;
    let key = IdempotencyKey::new("order-1")?;
    let record = shop.orchestrator.create_payment(&key, &order).await?;
    assert!(record.in_doubt());
    let made = ramp.snapshot();
    let made = made["payments"].as_array().ok_or("no list of payments")?;
    assert_eq!(made.len(), 1);
    ramp.settle_external(made[0]["id"].as_str().ok_or("no id")?, None)?;
    for _ in 0..3 {
        shop.clock.advance(Duration::from_secs(3600));
        shop.orchestrator.step().await?;
    }
    let record = shop.orchestrator.fetch_payment(&record.id).await?;
    assert!(record.is_paid() && !record.in_doubt(), "{:?}", record.attempts);
    let asked: Vec<&str> = record.attempts.iter().map(|attempt| attempt.account.as_str()).collect();
    assert_eq!(asked, ["ramp"]);
    assert_eq!(ramp.snapshot()["payments"].as_array().map(Vec::len), Some(1), "no second payment");
    assert!(record.reviews.is_empty(), "{:?}", record.reviews);
    Ok(())
}

/// Two orders for one bill: the payment that is there is the first one's, and pays for nothing else.
#[tokio::test]
async fn a_bill_of_two_orders_pays_for_one() -> Outcome {
    let shop = Shop::open("twice").await?;
    let ramp = shop.sandbox.ramp();
    let (invoice, price) = (shop.invoice(1050)?, Money::new(1050, Currency::USD)?);
    let order = |name: &str| -> Result<NewPayment, Stop> {
        let way = PaymentType::External { some_data: None };
        let order = NewPayment::new(Reference::new(name)?, price, "A thing of the shop");
        Ok(order.with(&RampOptions::new(shop.user(), &invoice, way))?)
    };
    let key = IdempotencyKey::new("order-1")?;
    let first = shop.orchestrator.create_payment(&key, &order("order-1")?).await?;
    let made = ramp.snapshot();
    ramp.settle_external(made["payments"][0]["id"].as_str().ok_or("no id")?, None)?;
    let key = IdempotencyKey::new("order-2")?;
    let second = shop.orchestrator.create_payment(&key, &order("order-2")?).await?;
    for _ in 0..3 {
        shop.clock.advance(Duration::from_secs(3600));
        shop.orchestrator.step().await?;
    }
    let first = shop.orchestrator.fetch_payment(&first.id).await?;
    assert!(first.is_paid());
    let second = shop.orchestrator.fetch_payment(&second.id).await?;
    assert_eq!(second.status, PaymentStatus::Failed, "{:?}", second.attempts);
    let fault = second.attempts[0].fault.as_ref().ok_or("the refusal is kept")?;
    assert_eq!((fault.kind, fault.effect), (ErrorKind::Conflict, Effect::None));
    let asked: Vec<&str> = second.attempts.iter().map(|attempt| attempt.account.as_str()).collect();
    assert_eq!(asked, ["ramp"]);
    assert_eq!(sessions(&shop.sandbox), Some(0));
    assert_eq!(ramp.snapshot()["payments"].as_array().map(Vec::len), Some(1));
    Ok(())
}
