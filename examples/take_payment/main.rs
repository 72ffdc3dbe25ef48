use paymux::{milkypay::*, orchestrator::*, ramp::*, toffeepay::*, transport::*, wallet::*, *};
use std::{error::Error, fs, sync::Arc};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let http = HttpClient::new(HttpSettings::default())?;
    let shop = Orchestrator::builder(Arc::new(store::sqlite::SqliteStore::open("shop.sqlite")?))
        .account(ToffeePay::new(ToffeePayConfig::from_env()?, http.clone())?)
        .account(MilkyPay::new(MilkyPayConfig::from_env()?, http.clone())?)
        .account(Wallet::new(WalletConfig::from_env()?, http.clone())?)
        .account(Ramp::new(RampConfig::from_env()?, http)?)
        .routes(routing::Routes::from_toml(&fs::read_to_string("routes.toml")?)?)
        .build()?;
    let price = Money::parse("4.99", Currency::USD)?;
    let order = NewPayment::new(Reference::new("order-1001")?, price, "50 Gold Coins")
        .customer(Customer::new("player_42"))
        .return_url("mygame://payment-complete".parse()?);
    let made = shop.create_payment(&IdempotencyKey::new("order-1001")?, &order).await?;
    println!("{:?}, {}", made.next_action(), shop.fetch_payment(&made.id).await?.status);
    Ok(())
}
