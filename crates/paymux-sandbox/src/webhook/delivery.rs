//! The loop that delivers: first attempts in order, retries on the side.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::queue::{Attempt, Delivery, DeliveryState, Webhooks};
use crate::clock::Clock;
use crate::fault::{Place, Site};
use crate::stopped;

/// A receiver has this long to answer, the 10 seconds of the providers' documentation.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// Delivers until `stop` becomes true or its sender is gone. `first_wait` is the real time
/// before the second attempt; the provider's schedule has the rest.
pub(crate) async fn run(
    webhooks: Arc<Webhooks>,
    clock: Arc<Clock>,
    first_wait: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let client: HttpClient = Client::builder(TokioExecutor::new()).build_http();
    let mut waiting: JoinSet<u64> = JoinSet::new();
    let deliver = async {
        loop {
            while let Some(delivery) = webhooks.next() {
                // Seen from before the attempt, so that no move of time is missed.
                let mut hurry = webhooks.hurry.subscribe();
                if attempt(&client, &webhooks, &clock, &delivery).await {
                    continue;
                }
                let before = delivery.attempts.len();
                let wait = webhooks.schedule.real_wait(before, first_wait);
                let due = webhooks.schedule.due(before, clock.now());
                let (number, clock) = (delivery.number, Arc::clone(&clock));
                waiting.spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = reached(&mut hurry, &clock, due) => {}
                    }
                    number
                });
            }
            tokio::select! {
                () = webhooks.wake.notified() => {}
                Some(Ok(number)) = waiting.join_next() => webhooks.again(number),
            }
        }
    };
    tokio::select! {
        () = deliver => {}
        () = stopped(&mut stop) => {}
    }
}

/// Returns once virtual time was moved and has come to `due`.
async fn reached(moved: &mut watch::Receiver<u64>, clock: &Clock, due: Timestamp) {
    while moved.changed().await.is_ok() {
        if clock.now() >= due {
            return;
        }
    }
    // The sender is gone, and nobody moves time any more.
    std::future::pending::<()>().await;
}

/// Makes one attempt; true when the delivery is finished, for better or worse.
async fn attempt(
    client: &HttpClient,
    webhooks: &Webhooks,
    clock: &Clock,
    delivery: &Delivery,
) -> bool {
    let Some(url) = &delivery.url else {
        webhooks.record(delivery.number, None, DeliveryState::NoUrl);
        return true;
    };
    let place = Place {
        site: Site::Attempt,
        provider: webhooks.provider,
        operation: &delivery.event,
        id: Some(&delivery.entity_id),
    };
    let bad_signature = webhooks.faults.take(&place).is_some();
    let at = clock.now();
    let mut headers = webhooks.schedule.headers(delivery.attempts.len(), at);
    let seconds = clock.signing_time().as_second();
    headers.extend(delivery.signer.headers(&delivery.id, seconds, &delivery.body, bad_signature));
    let body = delivery.signer.body(&delivery.body, bad_signature);
    let outcome = post(client, url.as_str(), headers, body).await;
    let (status, error) = match outcome {
        Ok(status) => (Some(status.as_u16()), None),
        Err(error) => (None, Some(error)),
    };
    let state = if status == Some(200) {
        DeliveryState::Delivered
    } else if delivery.attempts.len() + 1 >= webhooks.schedule.max_attempts() {
        DeliveryState::GaveUp
    } else {
        DeliveryState::Pending
    };
    webhooks.record(delivery.number, Some(Attempt { at, status, error, bad_signature }), state);
    state != DeliveryState::Pending
}

async fn post(
    client: &HttpClient,
    url: &str,
    headers: Vec<(HeaderName, HeaderValue)>,
    (content_type, body): (&'static str, Bytes),
) -> Result<StatusCode, String> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, content_type)
        .body(Full::new(body))
        .map_err(|error| error.to_string())?;
    request.headers_mut().extend(headers);
    match tokio::time::timeout(ANSWER_WITHIN, client.request(request)).await {
        Ok(Ok(response)) => Ok(response.status()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
    }
}
