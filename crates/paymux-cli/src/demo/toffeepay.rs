//! How the demo plays ToffeePay: two games of one merchant, one that takes money at once and one
//! that holds it first.

use std::sync::Arc;

use paymux::{
    CaptureMethod, CreatePayment, Payment, ProviderId, SecretString,
    toffeepay::{ToffeePay, ToffeePayConfig, ToffeePayOptions},
    transport::HttpClient,
};
use paymux_sandbox::{
    Sandbox,
    toffeepay::{Decline, Method, Payer, ToffeePaySandbox},
};

use super::{
    order::{Move, Order},
    stage::{Account, Joined, Player},
    webhooks::Endpoint,
};
use crate::Stop;

/// The account that takes money at once; its webhooks tell of both games.
const AUTOMATIC: &str = "toffeepay";
const MANUAL: &str = "toffeepay-manual";

/// The games that every sandbox has.
const GAMES: [(&str, &str, CaptureMethod); 2] = [
    (AUTOMATIC, "space_shooter", CaptureMethod::Automatic),
    (MANUAL, "space_shooter_manual", CaptureMethod::Manual),
];

/// Opens both accounts; see [`super::stage::Join`].
pub(super) fn join<'a>(
    sandbox: &'a Sandbox,
    http: &'a HttpClient,
    endpoint: &'a Endpoint,
) -> Joined<'a> {
    Box::pin(async move {
        let toffeepay = sandbox.toffeepay();
        toffeepay.set_webhook_url(Some(endpoint.url_of(AUTOMATIC)?))?;
        GAMES.into_iter().map(|game| open(&toffeepay, http, game)).collect()
    })
}

fn open(
    toffeepay: &ToffeePaySandbox,
    http: &HttpClient,
    (name, game, capture): (&str, &str, CaptureMethod),
) -> Result<Account, Stop> {
    let key = SecretString::from(toffeepay.api_key());
    let config = ToffeePayConfig::new(ProviderId::new(name)?, key, game)
        .base_url(toffeepay.base_url())
        .capture(capture)
        .webhook_secret_legacy(SecretString::from(toffeepay.webhook_secret()));
    let provider = Arc::new(ToffeePay::new(config, http.clone())?);
    let player = Box::new(Gamer { sandbox: toffeepay.clone(), capture });
    Ok(Account { provider, player })
}

struct Gamer {
    sandbox: ToffeePaySandbox,
    capture: CaptureMethod,
}

impl Player for Gamer {
    fn complete(&self, request: CreatePayment, order: &Order) -> paymux::Result<CreatePayment> {
        let options =
            ToffeePayOptions { item_image: order.image.clone(), ..ToffeePayOptions::default() };
        request.capture(self.capture).with(&options)
    }

    fn play(&self, payment: &Payment, payer: Move) -> Result<(), Stop> {
        let session = payment.id.as_str();
        match payer {
            Move::Pay => self.sandbox.pay(session, Payer::new(Method::ApplePay))?,
            Move::PayTooLittle => return Err("a game's item is paid whole or not at all".into()),
            Move::BeDeclined => self.sandbox.decline(session, Decline::InsufficientFunds)?,
        };
        Ok(())
    }
}
