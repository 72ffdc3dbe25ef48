//! How the demo plays ToffeePay: two games of one merchant, one that takes money at once and one
//! that holds it first, and a third whose host is down.

use std::net::SocketAddr;

use paymux::{
    CaptureMethod, Payment, ProviderId, orchestrator::NewPayment, toffeepay::ToffeePayOptions,
    transport::HttpClient,
};
use paymux_sandbox::{
    Sandbox,
    toffeepay::{Decline, Method, Payer, ToffeePaySandbox},
};
use tokio::net::TcpSocket;
use url::Url;

use super::{
    order::{Move, Order},
    stage::{Account, Joined, Player},
    webhooks::Endpoint,
};
use crate::{Stop, accounts::SandboxAccount};

/// The account that takes money at once; its webhooks tell of all games.
const AUTOMATIC: &str = "toffeepay";
const MANUAL: &str = "toffeepay-manual";
const DOWN: &str = "toffeepay-down";

const GAME: &str = "space_shooter";
const GAME_MANUAL: &str = "space_shooter_manual";

/// Opens the accounts; see [`super::stage::Join`].
pub(super) fn join<'a>(
    sandbox: &'a Sandbox,
    http: &'a HttpClient,
    endpoint: &'a Endpoint,
) -> Joined<'a> {
    Box::pin(async move {
        let toffeepay = sandbox.toffeepay();
        toffeepay.set_webhook_url(Some(endpoint.url_of(AUTOMATIC)?))?;
        let nobody = Nobody::new()?;
        let there = toffeepay.base_url();
        let automatic = CaptureMethod::Automatic;
        let games = [
            (AUTOMATIC, there.clone(), GAME, automatic, None),
            (MANUAL, there, GAME_MANUAL, CaptureMethod::Manual, None),
            (DOWN, nobody.url.clone(), GAME, automatic, Some(nobody)),
        ];
        let open = |(name, base_url, game, capture, nobody): (&str, Url, &str, _, _)| {
            let account = SandboxAccount::Toffeepay {
                name: ProviderId::new(name)?,
                base_url,
                api_key: toffeepay.api_key().to_owned(),
                game: game.to_owned(),
                capture,
                webhook_secret: toffeepay.webhook_secret().to_owned(),
            };
            let provider = account.open(http)?;
            let player = Box::new(Gamer { sandbox: toffeepay.clone(), capture, _nobody: nobody });
            Ok(Account { provider, player, account: Some(account) })
        };
        games.into_iter().map(open).collect()
    })
}

/// An address that is taken, so that nobody else gets it, and that nobody listens at.
struct Nobody {
    url: Url,
    _socket: TcpSocket,
}

impl Nobody {
    fn new() -> Result<Self, Stop> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let url = format!("http://{}/toffeepay", socket.local_addr()?).parse()?;
        Ok(Self { url, _socket: socket })
    }
}

struct Gamer {
    sandbox: ToffeePaySandbox,
    capture: CaptureMethod,
    /// Kept so that the address stays nobody's.
    _nobody: Option<Nobody>,
}

impl Player for Gamer {
    fn complete(&self, request: NewPayment, order: &Order) -> paymux::Result<NewPayment> {
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
