//! The deliveries of one provider: waiting, held back, done.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::{Notify, watch};
use url::Url;

use super::{Schedule, Signer, check_url};
use crate::fault::{FaultKind, Faults, Place, Site};
use crate::lock;

/// Finished deliveries beyond this number are forgotten, oldest first.
const LOG_LENGTH: usize = 10_000;

/// An event ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) entity_id: String,
    /// Virtual time at which it happened.
    pub(crate) at: Timestamp,
    pub(crate) body: Bytes,
    pub(crate) signer: Signer,
    /// Where this event goes instead of the provider's usual URL.
    pub(crate) own_url: Option<Url>,
}

/// What has become of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryState {
    /// Waiting for its first or next attempt.
    Pending,
    /// Held by a fault until released.
    Held,
    /// Acknowledged with 200.
    Delivered,
    /// Withheld by a fault, never to be sent.
    Dropped,
    /// There was no URL to send it to.
    NoUrl,
    /// Its own URL is not on loopback, and nothing leaves this machine.
    NotLocal,
    /// Refused too often.
    GaveUp,
}

/// One attempt to deliver.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attempt {
    /// Virtual time of the attempt.
    pub(crate) at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    pub(crate) bad_signature: bool,
}

/// One delivery as the log shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    pub(crate) number: u64,
    pub(crate) provider: &'static str,
    pub(crate) id: String,
    pub(crate) event: String,
    pub(crate) entity_id: String,
    pub(crate) at: Timestamp,
    pub(crate) state: DeliveryState,
    pub(crate) url: Option<Url>,
    #[serde(skip)]
    has_own_url: bool,
    pub(crate) attempts: Vec<Attempt>,
    #[serde(serialize_with = "as_text")]
    pub(crate) body: Bytes,
    #[serde(skip)]
    pub(crate) signer: Signer,
}

fn as_text<S: serde::Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

#[derive(Debug)]
struct Queue {
    url: Option<Url>,
    next_number: u64,
    log: BTreeMap<u64, Delivery>,
    ready: VecDeque<u64>,
    /// Deliveries that wait for the next one to pass them.
    overtaken: Vec<u64>,
    /// How many deliveries of the log are pending.
    pending: usize,
}

/// The webhooks of one provider.
#[derive(Debug)]
pub(crate) struct Webhooks {
    pub(crate) provider: &'static str,
    pub(crate) schedule: Schedule,
    pub(crate) faults: Arc<Faults>,
    queue: Mutex<Queue>,
    pub(crate) wake: Notify,
    /// Changes when waits between attempts end early.
    pub(crate) hurry: watch::Sender<u64>,
    /// How many deliveries are pending.
    pending: watch::Sender<usize>,
}

impl Webhooks {
    pub(crate) fn new(
        provider: &'static str,
        schedule: Schedule,
        faults: Arc<Faults>,
        url: Option<Url>,
    ) -> Self {
        let queue = Queue {
            url,
            next_number: 1,
            log: BTreeMap::new(),
            ready: VecDeque::new(),
            overtaken: Vec::new(),
            pending: 0,
        };
        Webhooks {
            provider,
            schedule,
            faults,
            queue: Mutex::new(queue),
            wake: Notify::new(),
            hurry: watch::Sender::new(0),
            pending: watch::Sender::new(0),
        }
    }

    pub(crate) fn url(&self) -> Option<Url> {
        lock(&self.queue).url.clone()
    }

    /// Changes the URL for new deliveries and for those not finished, except for those with a
    /// URL of their own.
    pub(crate) fn set_url(&self, url: Option<Url>) {
        self.change(|queue| {
            for delivery in queue.log.values_mut() {
                let open = matches!(delivery.state, DeliveryState::Pending | DeliveryState::Held);
                if open && !delivery.has_own_url {
                    delivery.url.clone_from(&url);
                }
            }
            queue.url = url;
        });
    }

    /// Puts an event into the queue, as the faults that apply allow.
    pub(crate) fn send(&self, outgoing: &Outgoing) {
        let place = Place {
            site: Site::Queue,
            provider: self.provider,
            operation: &outgoing.event,
            id: Some(&outgoing.entity_id),
        };
        let fault = self.faults.take(&place);
        self.change(|queue| {
            let state = match (&fault, outgoing.own_url.as_ref().or(queue.url.as_ref())) {
                (Some(FaultKind::DropWebhook), _) => DeliveryState::Dropped,
                (_, None) => DeliveryState::NoUrl,
                (_, Some(url)) if check_url(url).is_err() => DeliveryState::NotLocal,
                (Some(FaultKind::DelayWebhook | FaultKind::ReorderWebhook), _) => {
                    DeliveryState::Held
                }
                _ => DeliveryState::Pending,
            };
            let copies = if fault == Some(FaultKind::DuplicateWebhook) { 2 } else { 1 };
            let mut sent = false;
            for _ in 0..copies {
                let number = queue.add(self.provider, outgoing, state);
                if state == DeliveryState::Pending {
                    queue.ready.push_back(number);
                    sent = true;
                } else if state == DeliveryState::Held && fault == Some(FaultKind::ReorderWebhook) {
                    queue.overtaken.push(number);
                }
            }
            if sent {
                let overtaken = std::mem::take(&mut queue.overtaken);
                queue.release(&overtaken);
            }
        });
    }

    /// Sends what faults hold back; returns how many deliveries that are.
    pub(crate) fn release(&self) -> usize {
        self.change(|queue| {
            queue.overtaken.clear();
            let held = |delivery: &&Delivery| delivery.state == DeliveryState::Held;
            let held: Vec<u64> = queue.log.values().filter(held).map(|held| held.number).collect();
            queue.release(&held);
            held.len()
        })
    }

    /// Ends the waits between attempts, since virtual time has moved.
    pub(crate) fn hurry(&self) {
        self.hurry.send_modify(|version| *version += 1);
    }

    /// Forgets everything queued and logged, and goes back to this URL.
    pub(crate) fn reset(&self, url: Option<Url>) {
        self.change(|queue| {
            queue.url = url;
            queue.log.clear();
            queue.ready.clear();
            queue.overtaken.clear();
            queue.pending = 0;
        });
    }

    pub(crate) fn log(&self) -> Vec<Delivery> {
        lock(&self.queue).log.values().cloned().collect()
    }

    /// Looks at the deliveries about one object, oldest first.
    pub(crate) fn about<T>(&self, entity_id: &str, look: impl Fn(&Delivery) -> T) -> Vec<T> {
        let queue = lock(&self.queue);
        queue.log.values().filter(|it| it.entity_id == entity_id).map(look).collect()
    }

    /// Returns when nothing waits for an attempt. What faults hold back does not count.
    pub(crate) async fn settled(&self) {
        let mut pending = self.pending.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _closed = pending.wait_for(|pending| *pending == 0).await;
    }

    /// Takes the next delivery that is ready.
    pub(super) fn next(&self) -> Option<Delivery> {
        let mut queue = lock(&self.queue);
        while let Some(number) = queue.ready.pop_front() {
            // A reset may have forgotten it.
            if let Some(delivery) = queue.log.get(&number) {
                return Some(delivery.clone());
            }
        }
        None
    }

    pub(super) fn again(&self, number: u64) {
        lock(&self.queue).ready.push_back(number);
    }

    /// Writes down an attempt and what it led to.
    pub(super) fn record(&self, number: u64, attempt: Option<Attempt>, state: DeliveryState) {
        self.change(|queue| {
            if let Some(delivery) = queue.log.get_mut(&number) {
                delivery.attempts.extend(attempt);
            }
            queue.set_state(number, state);
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut Queue) -> T) -> T {
        let mut queue = lock(&self.queue);
        let result = change(&mut queue);
        self.pending.send_replace(queue.pending);
        drop(queue);
        self.wake.notify_one();
        result
    }
}

impl Queue {
    fn add(&mut self, provider: &'static str, outgoing: &Outgoing, state: DeliveryState) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let delivery = Delivery {
            number,
            provider,
            id: outgoing.id.clone(),
            event: outgoing.event.clone(),
            entity_id: outgoing.entity_id.clone(),
            at: outgoing.at,
            state,
            url: outgoing.own_url.clone().or_else(|| self.url.clone()),
            has_own_url: outgoing.own_url.is_some(),
            attempts: Vec::new(),
            body: outgoing.body.clone(),
            signer: outgoing.signer.clone(),
        };
        self.log.insert(number, delivery);
        self.pending += usize::from(state == DeliveryState::Pending);
        if self.log.len() > LOG_LENGTH {
            let finished = |delivery: &&Delivery| {
                !matches!(delivery.state, DeliveryState::Pending | DeliveryState::Held)
            };
            let oldest = self.log.values().find(finished).map(|delivery| delivery.number);
            oldest.and_then(|number| self.log.remove(&number));
        }
        number
    }

    fn release(&mut self, numbers: &[u64]) {
        for number in numbers {
            self.set_state(*number, DeliveryState::Pending);
            self.ready.push_back(*number);
        }
    }

    fn set_state(&mut self, number: u64, state: DeliveryState) {
        if let Some(delivery) = self.log.get_mut(&number) {
            self.pending -= usize::from(delivery.state == DeliveryState::Pending);
            self.pending += usize::from(state == DeliveryState::Pending);
            delivery.state = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::webhook::WebhookScheme;

    fn webhooks(url: Option<&str>) -> Webhooks {
        let url = url.map(|url| Url::parse(url).unwrap());
        Webhooks::new("toffeepay", Schedule::Doubling, Arc::new(Faults::default()), url)
    }

    fn event(name: &str) -> Outgoing {
        Outgoing {
            id: format!("id of {name}"),
            event: name.to_owned(),
            entity_id: "pay_1".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            body: Bytes::from_static(b"{}"),
            signer: Signer::toffeepay(WebhookScheme::Legacy, "secret").unwrap(),
            own_url: None,
        }
    }

    fn ready(webhooks: &Webhooks) -> Vec<String> {
        std::iter::from_fn(|| webhooks.next()).map(|delivery| delivery.event).collect()
    }

    #[test]
    fn faults_change_what_is_sent_and_when() {
        let cases = [
            (FaultKind::DropWebhook, vec!["b", "c"], vec![]),
            (FaultKind::DuplicateWebhook, vec!["a", "a", "b", "c"], vec![]),
            (FaultKind::DelayWebhook, vec!["b", "c"], vec!["a"]),
            (FaultKind::ReorderWebhook, vec!["b", "a", "c"], vec![]),
        ];
        for (kind, at_once, released) in cases {
            let webhooks = webhooks(Some("http://127.0.0.1:9/"));
            webhooks.faults.inject(Fault::new(kind.clone()).on("a"));
            for name in ["a", "b", "c"] {
                webhooks.send(&event(name));
            }
            assert_eq!(ready(&webhooks), at_once, "{kind:?}");
            assert_eq!(webhooks.release(), released.len(), "{kind:?}");
            assert_eq!(ready(&webhooks), released, "{kind:?}");
        }
    }

    #[test]
    fn a_reordered_webhook_that_nothing_follows_waits_for_its_release() {
        let webhooks = webhooks(Some("http://127.0.0.1:9/"));
        webhooks.faults.inject(Fault::new(FaultKind::ReorderWebhook));
        webhooks.send(&event("a"));
        assert!(ready(&webhooks).is_empty());
        assert_eq!(webhooks.release(), 1);
        assert_eq!(ready(&webhooks), ["a"]);
    }

    #[test]
    fn without_a_url_nothing_is_queued_but_all_is_logged() {
        let webhooks = webhooks(None);
        webhooks.send(&event("a"));
        assert!(ready(&webhooks).is_empty());
        assert_eq!(webhooks.log()[0].state, DeliveryState::NoUrl);
    }

    #[test]
    fn an_event_with_its_own_url_goes_there_or_nowhere() {
        let webhooks = webhooks(Some("http://127.0.0.1:9/"));
        for own in ["http://127.0.0.1:8/own", "https://example.com/hook"] {
            webhooks.send(&Outgoing { own_url: Some(Url::parse(own).unwrap()), ..event("a") });
        }
        webhooks.set_url(Some(Url::parse("http://127.0.0.1:7/").unwrap()));
        let log = webhooks.log();
        assert_eq!(log[0].url.as_ref().unwrap().as_str(), "http://127.0.0.1:8/own");
        assert_eq!(log[0].state, DeliveryState::Pending);
        assert_eq!(log[1].state, DeliveryState::NotLocal);
        assert_eq!(ready(&webhooks).len(), 1);
    }
}
