//! The endpoint for webhooks: what is kept is acknowledged, and nothing else is.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use paymux::{Clock, ErrorKind, ProviderId, WebhookDelivery};
use paymux_orchestrator::Orchestrator;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::Stop;

#[derive(Clone)]
struct Door {
    orchestrator: Orchestrator,
    clock: Arc<dyn Clock>,
}

/// Takes deliveries at `/webhooks/{account}` and `/webhooks/{account}/{endpoint}` on a free port of loopback. Gives the port.
///
/// # Errors
/// When there is no port.
pub async fn open(
    orchestrator: Orchestrator,
    clock: Arc<dyn Clock>,
) -> Result<(u16, JoinHandle<()>), Stop> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let router = Router::new()
        .route("/webhooks/{account}", post(receive))
        .route("/webhooks/{account}/{endpoint}", post(receive_at))
        .with_state(Door { orchestrator, clock });
    let serving = tokio::spawn(async move {
        // It ends with the process.
        let _ = axum::serve(listener, router).await;
    });
    Ok((port, serving))
}

async fn receive(
    door: State<Door>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let endpoint = account.clone();
    receive_at(door, Path((account, endpoint)), headers, body).await
}

/// At an endpoint with a name of its own: some accounts have several.
async fn receive_at(
    State(door): State<Door>,
    Path((account, endpoint)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let Ok(id) = ProviderId::new(&*account) else { return (StatusCode::NOT_FOUND, "") };
    let received_at = door.clock.now();
    let delivery =
        WebhookDelivery { endpoint: &endpoint, headers: &headers, body: &body, received_at };
    match door.orchestrator.ingest(&id, &delivery).await {
        Ok(acknowledgment) => (StatusCode::OK, acknowledgment),
        Err(error) if error.kind() == ErrorKind::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "")
        }
        Err(error) if error.kind() == ErrorKind::InvalidSignature => (StatusCode::UNAUTHORIZED, ""),
        Err(_) => (StatusCode::BAD_REQUEST, ""),
    }
}
