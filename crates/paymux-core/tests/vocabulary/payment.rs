//! Payments and requests: the question before shipping, and what a store gives back.

use std::fmt::Debug;

use paymux_core::*;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

fn usd(minor: i128) -> Money {
    Money::new(minor, Currency::USD).unwrap()
}

fn payment(status: PaymentStatus) -> Payment {
    let provider = ProviderId::new("toffeepay").unwrap();
    Payment::new(provider, ProviderPaymentId::new("sess_1").unwrap(), status, "word")
}

fn key() -> IdempotencyKey {
    IdempotencyKey::new("k1").unwrap()
}

fn reference() -> Reference {
    Reference::new("order-1").unwrap()
}

fn handle() -> PaymentHandle {
    let part = ProviderPartId::new("pay_1").unwrap();
    PaymentHandle::new(ProviderPaymentId::new("sess_1").unwrap()).with_part(part)
}

#[test]
fn only_success_with_enough_money_is_paid() {
    for status in PaymentStatus::ALL {
        let mut payment = payment(status);
        assert!(!payment.is_paid(usd(499)), "{status}: no figure, no goods");
        payment.amounts.captured = Some(usd(499));
        let succeeded = status == PaymentStatus::Succeeded;
        assert_eq!(payment.is_paid(usd(499)), succeeded, "{status}");
        assert_eq!(payment.is_paid(usd(498)), succeeded, "{status}");
        assert!(!payment.is_paid(usd(500)), "{status}");
        let euros = Money::new(1, Currency::EUR).unwrap();
        assert!(!payment.is_paid(euros), "{status}: another currency is not paid");
    }
    let mut asked = payment(PaymentStatus::Succeeded);
    asked.amounts.requested = Some(usd(499));
    asked.amounts.authorized = Some(usd(499));
    asked.amounts.payable = Some(usd(499));
    assert!(!asked.is_paid(usd(499)), "asked for, or held, is not taken");
}

#[test]
fn what_was_given_back_is_not_paid() {
    let mut payment = payment(PaymentStatus::Succeeded);
    payment.amounts.captured = Some(usd(499));
    // Refunded, charged back, and how much is still there.
    let rows = [(0, 0, 499), (100, 0, 399), (0, 100, 399), (100, 99, 300), (499, 0, 0)];
    for (refunded, charged_back, kept) in rows {
        payment.amounts.refunded = Some(usd(refunded));
        payment.amounts.charged_back = Some(usd(charged_back));
        let something = kept > 0;
        assert_eq!(
            payment.is_paid(usd(kept)),
            something,
            "{refunded} and {charged_back} leave {kept}"
        );
        assert!(!payment.is_paid(usd(kept + 1)), "{refunded} and {charged_back} leave {kept}");
    }
    payment.amounts.captured = Some(usd(0));
    payment.amounts.refunded = None;
    payment.amounts.charged_back = None;
    assert!(!payment.is_paid(usd(0)), "nothing was taken");
    payment.amounts.captured = Some(usd(499));
    payment.amounts.refunded = Some(usd(500));
    assert!(!payment.is_paid(usd(0)), "more given back than was taken is for a person to see");
    payment.amounts.refunded = Some(Money::new(1, Currency::EUR).unwrap());
    assert!(!payment.is_paid(usd(0)), "given back in another currency");
}

#[test]
fn amounts_complete_each_other_and_the_newer_wins() {
    let older = Amounts {
        requested: Some(usd(1)),
        payable: Some(usd(2)),
        authorized: Some(usd(3)),
        captured: Some(usd(4)),
        refunded: Some(usd(5)),
        charged_back: Some(usd(6)),
        given_back_unstated: false,
    };
    // A hold is of the moment: an answer that does not speak of it may be the one that ended it.
    let released = Amounts { authorized: None, ..older.clone() };
    assert_eq!(Amounts::default().or(&older), released);
    assert_eq!(older.clone().or(&Amounts::default()), older);
    let taken = Amounts { captured: Some(usd(3)), ..Amounts::default() };
    let held = Amounts { authorized: Some(usd(3)), ..Amounts::default() };
    assert_eq!(taken.clone().or(&held), taken, "what was taken is no longer held");
    let newer = Amounts { charged_back: Some(usd(0)), ..Amounts::default() };
    let merged = newer.or(&older);
    assert_eq!(merged.charged_back, Some(usd(0)), "zero is something said");
    assert_eq!(merged.captured, Some(usd(4)));
}

/// A provider that says "partly refunded" and no figure must not leave the older answer's money
/// standing.
#[test]
fn what_went_back_unstated_is_not_forgotten_until_a_figure_comes() {
    let taken = Amounts { captured: Some(usd(1050)), ..Amounts::default() };
    let partly = Amounts { given_back_unstated: true, ..Amounts::default() };
    let is_paid = |amounts: &Amounts| {
        let mut payment = payment(PaymentStatus::Succeeded);
        payment.amounts = amounts.clone();
        payment.is_paid(usd(1))
    };
    assert!(is_paid(&taken));
    let merged = partly.or(&taken);
    assert_eq!(merged.captured, Some(usd(1050)));
    assert!(!is_paid(&merged), "some went back, nobody says how much");
    let later = taken.clone().or(&merged);
    assert!(!is_paid(&later), "an answer that does not speak of it takes nothing back");
    let zero = Amounts { refunded: Some(usd(0)), ..taken.clone() };
    assert!(!is_paid(&zero.or(&later)), "zero says as little as nothing");
    for (refunded, charged_back) in [(Some(usd(50)), None), (None, Some(usd(50)))] {
        let figure = Amounts { refunded, charged_back, ..Amounts::default() };
        let settled = figure.or(&later);
        assert!(!settled.given_back_unstated);
        assert!(is_paid(&settled), "the figure says what is left");
    }
    let again = Amounts { refunded: Some(usd(50)), given_back_unstated: true, ..taken };
    assert!(!is_paid(&again.or(&later)), "a figure beside the mark is not all of it");
}

/// Amounts that were stored before the mark was known are read, and are written as they were.
#[test]
fn the_mark_is_written_only_where_it_is_set() {
    let text = serde_json::to_string(&Amounts::default()).unwrap();
    assert!(!text.contains("unstated"), "{text}");
    let read: Amounts = serde_json::from_str(&text).unwrap();
    assert_eq!(read, Amounts::default());
    stored(&Amounts { given_back_unstated: true, ..Amounts::default() });
}

#[test]
fn a_handle_holds_what_finds_the_payment_again() {
    let mut found = payment(PaymentStatus::Processing);
    for id in ["pay_1", "pay_2"] {
        let id = ProviderPartId::new(id).unwrap();
        found.parts.push(Part::new(id, PaymentStatus::Failed, "failed"));
    }
    found.reference = Some(reference());
    let handle = found.handle(&Options::default());
    let parts: Vec<&str> = handle.parts.iter().map(ProviderPartId::as_str).collect();
    assert_eq!(parts, ["pay_1", "pay_2"], "oldest first");
    assert_eq!(handle.reference, Some(reference()));
    let again = handle.clone().with_part(ProviderPartId::new("pay_1").unwrap());
    assert_eq!(again, handle, "a part is known once");
}

#[test]
fn a_handle_says_what_was_confirmed_only_if_it_was_told() {
    let found = payment(PaymentStatus::Processing).handle(&Options::default());
    assert_eq!(found.confirmed, None, "an answer of the provider's does not know");
    let nothing = found.clone().with_nothing_confirmed();
    assert_eq!(nothing.confirmed, Some(vec![]));
    let begun = found.with_confirmed(ConfirmStep::Authorize).with_confirmed(ConfirmStep::Commit);
    assert_eq!(begun.confirmed, Some(vec![ConfirmStep::Authorize, ConfirmStep::Commit]));
    let again = begun.clone().with_confirmed(ConfirmStep::Commit);
    assert_eq!(again, begun, "a step is begun once");
    assert_eq!(begun.clone().with_nothing_confirmed(), begun, "what was begun is not forgotten");
    assert_ne!(nothing.with_confirmed(ConfirmStep::Commit).confirmed, Some(vec![]));
}

/// Handles that were stored before they could say so still find their payment.
#[test]
fn a_handle_without_the_word_does_not_say_what_was_confirmed() {
    let rows = [
        (r#"{"id":"sess_1"}"#, None),
        (r#"{"id":"sess_1","confirmed":null}"#, None),
        (r#"{"id":"sess_1","confirmed":[]}"#, Some(vec![])),
        (r#"{"id":"sess_1","confirmed":["commit"]}"#, Some(vec![ConfirmStep::Commit])),
    ];
    for (text, confirmed) in rows {
        let handle: PaymentHandle = serde_json::from_str(text).unwrap();
        assert_eq!(handle.confirmed, confirmed, "{text}");
        stored(&handle);
    }
    assert!(serde_json::from_str::<PaymentHandle>(r#"{"id":"x","confirmed":["pay"]}"#).is_err());
}

/// What is written is read, and what is read is written the same.
fn stored<T: Serialize + DeserializeOwned + Debug>(value: &T) -> String {
    let text = serde_json::to_string(value).unwrap();
    let reloaded: T = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&reloaded).unwrap(), text);
    // As a value, too: enums with a tag buffer what they hold.
    let value = serde_json::to_value(value).unwrap();
    assert_eq!(
        serde_json::to_value(serde_json::from_value::<T>(value.clone()).unwrap()).unwrap(),
        value
    );
    text
}

#[test]
fn requests_are_stored_whole() {
    let url = Url::parse("mygame://return?a=1").unwrap();
    let mut customer = Customer::new("player-1");
    customer.email = Some("canary@example.com".to_owned());
    let largest = Money::new(i128::MAX, Currency::registered("ETH", 18).unwrap()).unwrap();
    let create = CreatePayment::new(key(), reference(), largest, "A sword")
        .capture(CaptureMethod::Manual)
        .customer(customer)
        .method(ProviderMethodId::new("card").unwrap())
        .mandate(ProviderMandateId::new("m1").unwrap())
        .return_url(url)
        .expires_at(Timestamp::from_millis(1));
    let reloaded: CreatePayment = serde_json::from_str(&stored(&create)).unwrap();
    assert_eq!(reloaded, create);
    stored(&ConfirmPayment { key: key(), payment: handle(), step: ConfirmStep::Commit });
    let part = ProviderPartId::new("pay_1").unwrap();
    stored(&CapturePayment {
        key: key(),
        payment: handle(),
        part: Some(part.clone()),
        amount: Some(usd(1)),
    });
    stored(&CancelPayment { key: key(), payment: handle(), part: Some(part.clone()) });
    stored(&CreateRefund::new(key(), reference(), handle()));
    stored(&ListPayments::new(10));
    stored(&PaymentLookup::Payment(handle()));
    let options = Options::default();
    stored(&PaymentLookup::Part { id: part, options: options.clone() });
    stored(&PaymentLookup::Reference { reference: reference(), options });
    stored(&RefundLookup { id: ProviderRefundId::new("r1").unwrap(), payment: Some(handle()) });
    stored(&CreateMandate::new(key(), reference(), "Monthly", usd(1)));
    let mandate = MandateHandle::new(ProviderMandateId::new("m1").unwrap());
    stored(&ConfirmMandate { key: key(), mandate: mandate.clone() });
    stored(&CancelMandate { key: key(), mandate });
    stored(&ListPaymentMethods::new(Currency::EUR));
}

#[test]
fn answers_are_stored_whole_but_for_what_is_sensitive() {
    let url = Url::parse("https://pay.example/s/1").unwrap();
    let actions = [
        NextAction::Redirect { url: url.clone() },
        NextAction::SubmitForm {
            url,
            method: "POST".to_owned(),
            fields: Sensitive::new(vec![("jwt".to_owned(), "canary".to_owned())]),
        },
        NextAction::RunClient { session: Sensitive::new(serde_json::json!("canary")) },
        NextAction::Confirm { step: ConfirmStep::Authorize },
    ];
    for action in actions {
        let mut answer = payment(PaymentStatus::RequiresAction);
        answer.next_action = Some(action);
        answer.failure = Some(Failure::new(FailureKind::Fraud));
        answer.amounts.captured = Some(usd(1));
        answer.live = Some(false);
        answer.updated_at = Some(Timestamp::from_millis(5));
        let text = stored(&answer);
        assert!(!text.contains("canary"), "{text}");
        assert!(!format!("{answer:?}").contains("canary"), "{answer:?}");
    }
    stored(&Refund::new(RefundStatus::Processing, "created"));
    let id = ProviderMandateId::new("m1").unwrap();
    stored(&Mandate::new(id, MandateStatus::Active, "active"));
    let subject = Subject::Other { kind: "topup".to_owned(), id: None };
    let event = EventKey::new("evt_1").unwrap();
    let mut event = WebhookEvent::new(event, "topup.succeeded", Trust::Signed, subject);
    event.payment = Some(Box::new(payment(PaymentStatus::Unknown)));
    stored(&event);
}

/// Logs are read by more people than may know the payer.
#[test]
fn a_payer_is_not_shown() {
    let mut customer = Customer::new("player-1");
    for field in [&mut customer.name, &mut customer.email, &mut customer.phone] {
        *field = Some("canary".to_owned());
    }
    let create = CreatePayment::new(key(), reference(), usd(1), "A sword").customer(customer);
    let shown = format!("{create:?}");
    assert!(shown.contains("player-1") && !shown.contains("canary"), "{shown}");
}

#[test]
fn a_delivery_is_not_shown() {
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", http::HeaderValue::from_static("canary"));
    let received_at = Timestamp::from_millis(0);
    let delivery =
        WebhookDelivery { endpoint: "main", headers: &headers, body: b"canary", received_at };
    let shown = format!("{delivery:?}");
    assert!(shown.contains("body_bytes: 6") && !shown.contains("canary"), "{shown}");
}

#[test]
fn trust_has_an_order() {
    assert!(Trust::Unsigned < Trust::Signed && Trust::Signed < Trust::SignedFresh);
}

#[test]
fn an_account_has_what_it_states() {
    let mut capabilities = Capabilities::new("toffeepay", false);
    for operation in Operation::ALL {
        let least = matches!(operation, Operation::CreatePayment | Operation::FetchPayment);
        assert_eq!(capabilities.has(operation), least, "{operation}");
        assert_eq!(capabilities.replay(operation), Replay::Never, "nothing protects unless stated");
    }
    capabilities.replay.insert(Operation::CancelPayment, Replay::LookupFirst);
    assert!(capabilities.has(Operation::CancelPayment));
    assert_eq!(capabilities.replay(Operation::CancelPayment), Replay::LookupFirst);
    let only = Currencies::Only([Currency::EUR].into());
    assert!(only.contains(Currency::EUR) && !only.contains(Currency::USD));
    assert!(Currencies::Any.contains(Currency::USD));
}
