//! Lists as a stream, over a provider that only lists.

use std::{collections::BTreeMap, pin::pin, sync::Mutex};

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use paymux_core::*;

/// Pages by cursor; the first stands under the empty text. Counts what is asked for.
#[derive(Debug)]
struct Pages {
    id: ProviderId,
    capabilities: Capabilities,
    pages: BTreeMap<&'static str, (Vec<&'static str>, Option<&'static str>)>,
    asked: Mutex<Vec<ListPayments>>,
}

impl Pages {
    fn new(pages: &[(&'static str, &[&'static str], Option<&'static str>)]) -> Self {
        let pages = pages.iter().map(|(at, items, next)| (*at, (items.to_vec(), *next))).collect();
        Self {
            id: ProviderId::new("lister").unwrap(),
            capabilities: Capabilities::new("lister", false),
            pages,
            asked: Mutex::default(),
        }
    }

    fn cursors_asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        let text = |query: &ListPayments| query.cursor.clone().map_or(String::new(), String::from);
        asked.iter().map(text).collect()
    }

    /// What the stream gives: ids, and the error it ends with.
    async fn drain(&self, query: ListPayments) -> (Vec<String>, Option<Error>) {
        let mut stream = pin!(list_all_payments(self, query));
        let mut ids = Vec::new();
        let mut failed = None;
        while let Some(next) = stream.next().await {
            assert!(failed.is_none(), "something came after an error");
            match next {
                Ok(payment) => ids.push(payment.id.to_string()),
                Err(error) => failed = Some(error),
            }
        }
        (ids, failed)
    }
}

fn no<T>(operation: Operation) -> Result<T> {
    Err(Error::unsupported(operation))
}

#[async_trait]
impl PaymentProvider for Pages {
    fn id(&self) -> &ProviderId {
        &self.id
    }
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    async fn list_payments(&self, query: &ListPayments) -> Result<Page<Payment>> {
        self.asked.lock().unwrap().push(query.clone());
        let at = query.cursor.as_ref().map_or("", Cursor::as_str);
        let (items, next) = self.pages.get(at).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, Effect::None, "the page cannot be had")
        })?;
        let payment = |id: &&str| {
            let id = ProviderPaymentId::new(*id)?;
            Ok(Payment::new(self.id.clone(), id, PaymentStatus::Processing, "open"))
        };
        Ok(Page {
            items: items.iter().map(payment).collect::<Result<_>>()?,
            next: next.map(Cursor::new).transpose()?,
        })
    }
    async fn create_payment(&self, _: &CreatePayment) -> Result<Payment> {
        no(Operation::CreatePayment)
    }
    async fn fetch_payment(&self, _: &PaymentLookup) -> Result<Payment> {
        no(Operation::FetchPayment)
    }
    async fn confirm_payment(&self, _: &ConfirmPayment) -> Result<Payment> {
        no(Operation::ConfirmPayment)
    }
    async fn capture_payment(&self, _: &CapturePayment) -> Result<Payment> {
        no(Operation::CapturePayment)
    }
    async fn cancel_payment(&self, _: &CancelPayment) -> Result<Payment> {
        no(Operation::CancelPayment)
    }
    async fn create_refund(&self, _: &CreateRefund) -> Result<Refund> {
        no(Operation::CreateRefund)
    }
    async fn fetch_refund(&self, _: &RefundLookup) -> Result<Refund> {
        no(Operation::FetchRefund)
    }
    async fn list_payment_methods(&self, _: &ListPaymentMethods) -> Result<Vec<PaymentMethod>> {
        no(Operation::ListPaymentMethods)
    }
    async fn create_mandate(&self, _: &CreateMandate) -> Result<Mandate> {
        no(Operation::CreateMandate)
    }
    async fn fetch_mandate(&self, _: &MandateHandle) -> Result<Mandate> {
        no(Operation::FetchMandate)
    }
    async fn confirm_mandate(&self, _: &ConfirmMandate) -> Result<Mandate> {
        no(Operation::ConfirmMandate)
    }
    async fn cancel_mandate(&self, _: &CancelMandate) -> Result<Mandate> {
        no(Operation::CancelMandate)
    }
    fn verify_webhook(&self, _: &WebhookDelivery<'_>) -> Result<Vec<WebhookEvent>> {
        Err(Error::invalid_signature("this account has no webhooks"))
    }
}

#[tokio::test]
async fn every_page_in_order_an_empty_one_included() {
    let provider =
        Pages::new(&[("", &["a", "b"], Some("2")), ("2", &[], Some("3")), ("3", &["c"], None)]);
    let (ids, failed) = provider.drain(ListPayments::new(2)).await;
    assert_eq!(ids, ["a", "b", "c"]);
    assert!(failed.is_none());
    assert_eq!(provider.cursors_asked(), ["", "2", "3"]);
}

#[tokio::test]
async fn the_query_stays_the_same_but_for_its_cursor() {
    let provider = Pages::new(&[("2", &["b"], Some("3")), ("3", &["c"], None)]);
    let mut query = ListPayments::new(7);
    query.status = Some(PaymentStatus::Processing);
    query.customer = Some("player".to_owned());
    query.cursor = Some(Cursor::new("2").unwrap());
    let (ids, failed) = provider.drain(query.clone()).await;
    assert_eq!((ids, failed.is_none()), (vec!["b".to_owned(), "c".to_owned()], true));
    for asked in provider.asked.lock().unwrap().iter() {
        query.cursor.clone_from(&asked.cursor);
        assert_eq!(*asked, query);
    }
}

#[tokio::test]
async fn a_page_is_asked_for_when_the_one_before_is_used_up() {
    let provider = Pages::new(&[("", &["a", "b"], Some("2")), ("2", &["c"], None)]);
    let mut stream = pin!(list_all_payments(&provider, ListPayments::new(2)));
    assert!(provider.cursors_asked().is_empty(), "nothing is asked for before it is wanted");
    for _ in 0..2 {
        stream.try_next().await.unwrap().unwrap();
        assert_eq!(provider.cursors_asked(), [""]);
    }
    stream.try_next().await.unwrap().unwrap();
    assert_eq!(provider.cursors_asked(), ["", "2"]);
}

#[tokio::test]
async fn an_empty_list_ends_at_once() {
    let provider = Pages::new(&[("", &[], None)]);
    let (ids, failed) = provider.drain(ListPayments::new(1)).await;
    assert!(ids.is_empty() && failed.is_none());
}

#[tokio::test]
async fn an_error_ends_the_stream() {
    let provider = Pages::new(&[("", &["a"], Some("lost"))]);
    let (ids, failed) = provider.drain(ListPayments::new(1)).await;
    assert_eq!(ids, ["a"]);
    assert_eq!(failed.unwrap().kind(), ErrorKind::Unavailable);
    assert_eq!(provider.cursors_asked(), ["", "lost"]);
}

/// Whichever page it leads back to, no payment is given twice, and what was read is given first.
#[tokio::test]
async fn a_list_in_a_circle_is_an_error() {
    let circle = |back| Pages::new(&[("1", &["a"], Some("2")), ("2", &["b"], Some(back))]);
    for back in ["1", "2"] {
        let provider = circle(back);
        let mut query = ListPayments::new(1);
        query.cursor = Some(Cursor::new("1").unwrap());
        let (ids, failed) = provider.drain(query).await;
        assert_eq!(ids, ["a", "b"], "back to {back}");
        let error = failed.unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(error.operation(), Some(Operation::ListPayments));
        assert_eq!(error.provider(), Some(&provider.id));
        assert_eq!(provider.cursors_asked(), ["1", "2"], "back to {back}");
    }
}

/// The stream can be driven in a task of its own.
#[test]
fn the_stream_can_travel() {
    fn travels<T: Send>(_: &T) {}
    let provider = Pages::new(&[]);
    travels(&list_all_payments(&provider, ListPayments::new(1)));
}
