//! The shop's webhook endpoint: takes the raw bytes, proves them, and only then answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use paymux::{Clock, PaymentProvider, SystemClock, WebhookDelivery, WebhookEvent};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use url::Url;

use crate::Stop;

/// What came in, delivery by delivery.
pub(super) type Deliveries = mpsc::UnboundedReceiver<Delivery>;

/// A delivery that was proved, or refused.
pub(super) enum Delivery {
    Proved { account: String, events: Vec<WebhookEvent> },
    Refused,
}

type Providers = BTreeMap<String, Arc<dyn PaymentProvider>>;

struct Door {
    providers: Providers,
    deliveries: mpsc::UnboundedSender<Delivery>,
}

/// An address of this machine, known before anybody is told of it.
pub(super) struct Endpoint {
    listener: TcpListener,
    root: Url,
}

impl Endpoint {
    pub(super) async fn bind() -> Result<Self, Stop> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let root = format!("http://{}/", listener.local_addr()?).parse()?;
        Ok(Self { listener, root })
    }

    /// Where the deliveries of this account are to go.
    pub(super) fn url_of(&self, account: &str) -> Result<Url, Stop> {
        Ok(self.root.join("webhooks/")?.join(account)?)
    }

    /// Where payers return to.
    pub(super) fn return_url(&self) -> Result<Url, Stop> {
        Ok(self.root.join("thanks")?)
    }

    /// Where those deliveries of this account go that are told from others by this label alone.
    pub(super) fn labelled_url_of(&self, account: &str, label: &str) -> Result<Url, Stop> {
        Ok(self.root.join(&format!("webhooks/{account}/{label}"))?)
    }

    /// Takes deliveries for these accounts from now on.
    pub(super) fn serve(
        self,
        providers: Vec<Arc<dyn PaymentProvider>>,
    ) -> (JoinHandle<()>, Deliveries) {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let providers = providers.into_iter().map(|one| (one.id().to_string(), one)).collect();
        let door = Arc::new(Door { providers, deliveries: sender });
        let router = Router::new()
            .route("/webhooks/{account}", post(receive))
            .route("/webhooks/{account}/{label}", post(receive_labelled))
            .route("/thanks", get(async || "Thank you. You can close this page."))
            .with_state(door);
        let server = tokio::spawn(async move {
            // It ends with the demo; until then there is nobody to tell.
            let _ = axum::serve(self.listener, router).await;
        });
        (server, deliveries)
    }
}

async fn receive(
    State(door): State<Arc<Door>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    take_in(&door, account.clone(), &account, &headers, &body)
}

/// For providers whose deliveries differ only by where they arrive.
async fn receive_labelled(
    State(door): State<Arc<Door>>,
    Path((account, label)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    take_in(&door, account, &label, &headers, &body)
}

fn take_in(
    door: &Door,
    account: String,
    endpoint: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> (StatusCode, &'static str) {
    let Some(provider) = door.providers.get(&account) else {
        return (StatusCode::NOT_FOUND, "");
    };
    let received_at = SystemClock.now();
    let delivery = WebhookDelivery { endpoint, headers, body, received_at };
    match provider.verify_webhook(&delivery) {
        Ok(events) => {
            // A shop stores the events before it answers; the demo's store is this channel.
            let sent = door.deliveries.send(Delivery::Proved { account, events });
            match sent {
                Ok(()) => (StatusCode::OK, provider.capabilities().webhook_ack),
                Err(_) => (StatusCode::SERVICE_UNAVAILABLE, ""),
            }
        }
        Err(_) => {
            let _ = door.deliveries.send(Delivery::Refused);
            (StatusCode::UNAUTHORIZED, "")
        }
    }
}
