//! The loop that delivers: first attempts in order, retries on the side.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::queue::{Attempt, Delivery, DeliveryState, Webhooks};
use crate::clock::Clock;
use crate::fault::{Place, Site};
use crate::stopped;

/// A receiver has this long to answer, the 10 seconds of the provider's documentation.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The number of attempts is unpublished; this many outlast a restart of the receiver.
const MAX_ATTEMPTS: usize = 40;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

type HttpClient = Client<HttpConnector, Full<bytes::Bytes>>;

/// Delivers until `stop` becomes true or its sender is gone. `first_wait` is the real time
/// before the second attempt; it doubles from attempt to attempt.
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
                let wait = wait_after(delivery.attempts.len(), first_wait);
                let number = delivery.number;
                waiting.spawn(async move {
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        _ = hurry.changed() => {}
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

fn wait_after(attempts_before: usize, first: Duration) -> Duration {
    let doublings = u32::try_from(attempts_before).unwrap_or(u32::MAX).min(16);
    first.saturating_mul(1 << doublings).min(first.max(LONGEST_WAIT))
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
    let outcome = post(client, clock, delivery, url.as_str(), bad_signature).await;
    let (status, error) = match outcome {
        Ok(status) => (Some(status.as_u16()), None),
        Err(error) => (None, Some(error)),
    };
    let state = if status == Some(200) {
        DeliveryState::Delivered
    } else if delivery.attempts.len() + 1 >= MAX_ATTEMPTS {
        DeliveryState::GaveUp
    } else {
        DeliveryState::Pending
    };
    webhooks.record(delivery.number, Some(Attempt { at, status, error, bad_signature }), state);
    state != DeliveryState::Pending
}

async fn post(
    client: &HttpClient,
    clock: &Clock,
    delivery: &Delivery,
    url: &str,
    bad_signature: bool,
) -> Result<StatusCode, String> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(delivery.body.clone()))
        .map_err(|error| error.to_string())?;
    let seconds = clock.signing_time().as_second();
    let signature = delivery.signer.headers(&delivery.id, seconds, &delivery.body, bad_signature);
    request.headers_mut().extend(signature);
    match tokio::time::timeout(ANSWER_WITHIN, client.request(request)).await {
        Ok(Ok(response)) => Ok(response.status()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_elapsed) => Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let first = Duration::from_millis(50);
        assert_eq!(wait_after(0, first), Duration::from_millis(50));
        assert_eq!(wait_after(1, first), Duration::from_millis(100));
        assert_eq!(wait_after(5, first), Duration::from_millis(1600));
        assert_eq!(wait_after(1_000_000, first), LONGEST_WAIT);
    }
}
