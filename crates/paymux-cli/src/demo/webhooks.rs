//! The shop's webhook endpoint: hands the raw bytes to the orchestrator, which proves and keeps
//! them, and only then answers.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use paymux::{Clock, ErrorKind, ProviderId, WebhookDelivery, orchestrator::Orchestrator};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use url::Url;

use crate::Stop;

/// What came in, delivery by delivery.
pub(super) type Deliveries = mpsc::UnboundedReceiver<Delivery>;

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It was proved, and is kept.
    Kept,
    /// It must not be believed, or cannot be read.
    Refused,
}

struct Door {
    orchestrator: Orchestrator,
    clock: Arc<dyn Clock>,
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
        orchestrator: Orchestrator,
        clock: Arc<dyn Clock>,
    ) -> (JoinHandle<()>, Deliveries) {
        let (sender, deliveries) = mpsc::unbounded_channel();
        let door = Arc::new(Door { orchestrator, clock, deliveries: sender });
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
    take_in(&door, &account, &account, &headers, &body).await
}

/// For providers whose deliveries differ only by where they arrive.
async fn receive_labelled(
    State(door): State<Arc<Door>>,
    Path((account, label)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    take_in(&door, &account, &label, &headers, &body).await
}

async fn take_in(
    door: &Door,
    account: &str,
    endpoint: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> (StatusCode, &'static str) {
    let Ok(account) = ProviderId::new(account) else { return (StatusCode::NOT_FOUND, "") };
    let received_at = door.clock.now();
    let delivery = WebhookDelivery { endpoint, headers, body, received_at };
    let (delivered, status, text) = match door.orchestrator.ingest(&account, &delivery).await {
        Ok(text) => (Some(Delivery::Kept), StatusCode::OK, text),
        Err(error) => refuse(error.kind()),
    };
    if let Some(delivery) = delivered {
        // The shop may have ended; what was kept is kept.
        let _ = door.deliveries.send(delivery);
    }
    (status, text)
}

fn refuse(kind: ErrorKind) -> (Option<Delivery>, StatusCode, &'static str) {
    let (delivered, status) = if kind == ErrorKind::InvalidSignature {
        (Some(Delivery::Refused), StatusCode::UNAUTHORIZED)
    } else if kind == ErrorKind::InvalidResponse {
        (Some(Delivery::Refused), StatusCode::BAD_REQUEST)
    } else if kind == ErrorKind::Unavailable {
        // Not kept: the provider sends it again.
        (None, StatusCode::SERVICE_UNAVAILABLE)
    } else {
        (None, StatusCode::NOT_FOUND)
    };
    (delivered, status, "")
}
