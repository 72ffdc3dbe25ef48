use super::*;

/// What of a payment that was confirmed, in a confirmed transaction, is held or was.
const MOVED: Stage = Stage {
    charged: false,
    confirmed: true,
    frozen: false,
    was_frozen: false,
    may_be_frozen: false,
    was_confirmed: true,
};
const FROZEN: Stage = Stage { frozen: true, was_frozen: true, ..MOVED };
const FREEZE_OVER: Stage = Stage { frozen: false, ..FROZEN };
/// In a list or a callback, which can leave a freeze out.
const UNSURE: Stage = Stage { may_be_frozen: true, ..MOVED };
const OPEN: Stage = Stage {
    charged: false,
    confirmed: false,
    frozen: false,
    was_frozen: false,
    may_be_frozen: false,
    was_confirmed: false,
};
const CHARGED: Stage = Stage { charged: true, ..OPEN };

/// Rows are words of payments. Columns: before its transaction is confirmed, the same under a
/// mandate, confirmed, confirmed and frozen, confirmed and the freeze is over, confirmed and nobody
/// says whether it was ever frozen.
const TABLE: &str = "
    new                  action     commit     processing processing processing processing
    waiting              commit     commit     processing processing processing processing
    reserved             commit     commit     processing authorized processing processing
    confirmed            processing processing succeeded  authorized processing processing
    done                 succeeded  succeeded  succeeded  succeeded  succeeded  succeeded
    canceled             cancelled  cancelled  succeeded  cancelled  cancelled  processing
    failed               failed     failed     failed     failed     failed     failed
    rejected             cancelled  cancelled  cancelled  cancelled  cancelled  cancelled
    revoked              cancelled  cancelled  cancelled  cancelled  cancelled  cancelled
    deleted              cancelled  cancelled  cancelled  cancelled  cancelled  cancelled
    waiting_funds        processing processing processing processing processing processing
    waiting_registration processing processing processing processing processing processing
    waiting_password     action     action     action     action     action     action
    disputed             unknown    unknown    unknown    unknown    unknown    unknown
";

fn cells() -> Vec<(ProviderPaymentStatus, Stage, &'static str)> {
    let mut cells = Vec::new();
    for row in TABLE.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut words = row.split_whitespace();
        let word = ProviderPaymentStatus::from(words.next().expect("a word").to_owned());
        for (stage, wanted) in
            [OPEN, CHARGED, MOVED, FROZEN, FREEZE_OVER, UNSURE].into_iter().zip(words)
        {
            cells.push((word.clone(), stage, wanted));
        }
    }
    cells
}

#[test]
fn every_word_at_every_stage() {
    let cells = cells();
    assert_eq!(cells.len(), 14 * 6);
    for (word, stage, wanted) in cells {
        let wanted = match wanted {
            "action" => "requires_action",
            "commit" => "requires_confirmation",
            other => other,
        };
        assert_eq!(part_status(&word, stage).as_str(), wanted, "{word:?} {stage:?}");
    }
}

/// What the table has to keep to, whatever it says cell by cell.
#[test]
fn success_is_said_only_of_what_moved() {
    for (word, stage, _) in cells() {
        let status = part_status(&word, stage);
        if status == PaymentStatus::Succeeded {
            let moved = matches!(
                word,
                ProviderPaymentStatus::Done
                    | ProviderPaymentStatus::Confirmed
                    | ProviderPaymentStatus::Canceled
            );
            assert!(moved, "{word:?} {stage:?}");
            let may_be_held = stage.frozen || stage.was_frozen || stage.may_be_frozen;
            let held = may_be_held && word != ProviderPaymentStatus::Done;
            assert!(!held, "{word:?} {stage:?}");
        }
    }
}

#[test]
fn words_are_read_exactly() {
    for word in ["Done", "DONE", " done", "cancelled", "success", ""] {
        let payment = ProviderPaymentStatus::from(word.to_owned());
        assert_eq!(payment, ProviderPaymentStatus::Unknown(word.to_owned()));
        assert_eq!(part_status(&payment, MOVED), PaymentStatus::Unknown);
        let transaction = TransactionStatus::from(word.to_owned());
        assert_eq!(transaction, TransactionStatus::Unknown(word.to_owned()));
    }
}

fn part_of(status: PaymentStatus) -> Part {
    Part::new(paymux_core::ProviderPartId::new("1").expect("an id"), status, "word")
}

#[test]
fn the_least_finished_decides() {
    use PaymentStatus::{
        Authorized, Cancelled, Failed, Processing, RequiresAction, Succeeded, Unknown,
    };
    let order = [Authorized, Unknown, RequiresAction, Processing, Succeeded, Failed, Cancelled];
    for (nth, first) in order.iter().enumerate() {
        for second in &order[nth..] {
            let parts = [part_of(*second), part_of(*first)];
            assert_eq!(worst(&parts), *first, "{first} beside {second}");
        }
    }
    assert_eq!(worst(&[]), Processing, "what is not shown is not done");
}

/// Each arithmetic example of the specification, and of the contract's table.
#[test]
fn fees() {
    let eur = |cents: i128| Money::new(cents, paymux_core::Currency::EUR).expect("money");
    for (price, out_fee, in_fee, payable, payout, fees) in [
        (10_000, 500, 0, 10_500, 10_000, 500),
        (10_000, 0, 300, 10_000, 9_700, 300),
        (10_000, 500, 300, 10_500, 9_700, 800),
        (7_497, 250, 0, 7_747, 7_497, 250),
    ] {
        let wire = serde_json::json!({
            "id": 1, "price": price, "currency": "EUR",
            "commission": { "in_commission": in_fee, "out_commission": out_fee },
        });
        let payment = crate::read::payment(serde_json::from_value(wire).expect("a payment"));
        let payment = payment.expect("a payment");
        assert_eq!(payment.payable(), Some(eur(payable)));
        assert_eq!(payment.payout(), Some(eur(payout)));
        assert_eq!(payment.fees(), Some(eur(fees)));
    }
}

#[test]
fn a_sum_with_a_gap_is_none() {
    let eur = |cents: i128| Money::new(cents, paymux_core::Currency::EUR).ok();
    assert_eq!(sum([eur(5_000), eur(3_000), eur(500)].into_iter()), eur(8_500));
    assert_eq!(sum([eur(5_000), None].into_iter()), None);
    assert_eq!(sum([None, eur(5_000)].into_iter()), None);
    assert_eq!(sum(std::iter::empty()), None);
    let usd = Money::new(1, paymux_core::Currency::USD).ok();
    assert_eq!(sum([eur(1), usd].into_iter()), None);
}

/// The arrows of a payment, each with the stages at its two ends: those of the specification, then
/// the older ones. `canceled` after a freeze that was over says when, and so was not held.
#[test]
fn every_arrow_of_a_payment_is_allowed() {
    let arrows: [(&str, Stage, &str, Stage); 31] = [
        ("new", OPEN, "waiting", OPEN),
        ("new", CHARGED, "waiting", CHARGED),
        ("new", OPEN, "failed", OPEN),
        ("new", CHARGED, "failed", CHARGED),
        ("waiting", OPEN, "reserved", MOVED),
        ("waiting", OPEN, "reserved", FROZEN),
        ("waiting", OPEN, "canceled", OPEN),
        ("reserved", MOVED, "done", MOVED),
        ("reserved", FROZEN, "done", FROZEN),
        ("reserved", FROZEN, "reserved", FREEZE_OVER),
        ("reserved", FREEZE_OVER, "done", FREEZE_OVER),
        ("reserved", FROZEN, "canceled", FROZEN),
        ("reserved", MOVED, "canceled", MOVED),
        ("reserved", FREEZE_OVER, "canceled", MOVED),
        ("new", OPEN, "reserved", OPEN),
        ("reserved", OPEN, "confirmed", MOVED),
        ("reserved", OPEN, "confirmed", FROZEN),
        ("confirmed", MOVED, "done", MOVED),
        ("confirmed", FROZEN, "done", FROZEN),
        ("confirmed", FROZEN, "confirmed", FREEZE_OVER),
        ("confirmed", FROZEN, "canceled", FROZEN),
        ("confirmed", MOVED, "canceled", MOVED),
        ("confirmed", FREEZE_OVER, "canceled", MOVED),
        ("confirmed", FREEZE_OVER, "canceled", FREEZE_OVER),
        ("confirmed", FREEZE_OVER, "done", FREEZE_OVER),
        ("confirmed", UNSURE, "confirmed", FROZEN),
        ("confirmed", UNSURE, "confirmed", MOVED),
        ("confirmed", UNSURE, "canceled", FROZEN),
        ("canceled", UNSURE, "canceled", FROZEN),
        ("canceled", UNSURE, "canceled", MOVED),
        ("reserved", MOVED, "reserved", FROZEN),
    ];
    let status =
        |word: &str, stage| part_status(&ProviderPaymentStatus::from(word.to_owned()), stage);
    for (from, before, to, after) in arrows {
        let (first, next) = (status(from, before), status(to, after));
        assert!(first.can_become(next), "{from} to {to}: {first} to {next}");
    }
    for pending in ["waiting_funds", "waiting_registration", "waiting_password"] {
        for stage in [OPEN, CHARGED] {
            for (from, to) in [("new", pending), (pending, "waiting"), (pending, "reserved")] {
                let (first, next) = (status(from, stage), status(to, stage));
                assert!(first.can_become(next), "{from} to {to}: {first} to {next}");
            }
            for end in ["canceled", "rejected", "revoked", "failed"] {
                let (first, next) = (status(pending, stage), status(end, stage));
                assert!(first.can_become(next), "{pending} to {end}: {first} to {next}");
            }
        }
    }
}

fn transaction_of(word: &str) -> Transaction {
    let wire = serde_json::json!({
        "transaction_key": "key", "status": word, "payments": [{ "id": 1 }],
    });
    let wire = serde_json::from_value(wire).expect("a transaction");
    crate::read::transaction(wire).expect("a transaction")
}

/// Rows are words of transactions, and what each can become.
const TRANSACTION_ARROWS: &str = "
    new                  waiting reserved waiting_funds waiting_registration waiting_password
    new                  rejected deleted failed
    waiting              reserved confirmed rejected revoked failed
    waiting_funds        waiting reserved rejected revoked failed
    waiting_registration waiting reserved rejected revoked failed
    waiting_password     waiting reserved rejected revoked failed
    reserved             confirmed revoked failed
";

/// Whatever its payments are once it is confirmed; their own arrows are above.
#[test]
fn every_arrow_of_a_transaction_is_allowed() {
    use PaymentStatus::{Authorized, Cancelled, Failed, Processing, Succeeded};
    let confirmed = [Authorized, Processing, Succeeded, Cancelled, Failed];
    let meanings = |word: &str, charged: bool| -> Vec<PaymentStatus> {
        let transaction = transaction_of(word);
        if transaction.status != TransactionStatus::Confirmed {
            return vec![status(&transaction, &[], charged, true)];
        }
        confirmed
            .iter()
            .map(|part| status(&transaction, &[part_of(*part)], charged, true))
            .collect()
    };
    let mut arrows = 0;
    for row in TRANSACTION_ARROWS.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let mut words = row.split_whitespace();
        let from = words.next().expect("a word");
        for to in words {
            arrows += 1;
            for charged in [false, true] {
                let firsts = meanings(from, charged);
                for first in firsts {
                    for next in meanings(to, charged) {
                        assert!(first.can_become(next), "{from} to {to}: {first} to {next}");
                    }
                }
            }
        }
    }
    assert_eq!(arrows, 31);
    // What is held can be on its way, done or let go; what is on its way can be held.
    for next in [Processing, Succeeded, Cancelled] {
        assert!(Authorized.can_become(next), "{next}");
    }
    assert!(Processing.can_become(Authorized));
}

/// A confirmed transaction that carries an allowance is done by itself only where it says that it
/// holds no payments; one that it holds without a word is never done.
#[test]
fn an_allowance_makes_no_payment_done() {
    let transaction = |payments: serde_json::Value| {
        let mut wire = serde_json::json!({
            "transaction_key": "key", "status": "confirmed", "allowance": { "id": 5478 },
        });
        wire["payments"] = payments;
        let wire = serde_json::from_value(wire).expect("a transaction");
        crate::read::transaction(wire).expect("a transaction")
    };
    let alone = transaction(serde_json::json!([]));
    assert_eq!(status(&alone, &[], false, true), PaymentStatus::Succeeded);
    assert_eq!(status(&alone, &[], false, false), PaymentStatus::Processing);
    let unsaid = transaction(serde_json::Value::Null);
    assert_eq!(status(&unsaid, &[], false, true), PaymentStatus::Processing);
    let sparse = transaction(serde_json::json!([{ "id": 1, "price": 100 }]));
    assert_eq!(sparse_status(&sparse, false), PaymentStatus::Processing);
}

/// A payment that came back without a price must not leave an older answer's money standing.
#[test]
fn what_came_back_without_a_figure_is_said() {
    let price = Money::new(100, paymux_core::Currency::EUR).ok();
    let part = |word: &str, amounts: Amounts| {
        let id = paymux_core::ProviderPartId::new("1").expect("an id");
        let mut part = Part::new(id, PaymentStatus::Succeeded, word);
        part.amounts = amounts;
        part
    };
    let done = part("done", Amounts { captured: price, ..Amounts::default() });
    let mut back = Amounts::default();
    came_back(&mut back, None);
    let sum = amounts(&[done.clone(), part("canceled", back)]);
    assert_eq!((sum.captured, sum.refunded), (None, None));
    assert!(sum.given_back_unstated);
    let mut back = Amounts { captured: price, ..Amounts::default() };
    came_back(&mut back, price);
    let sum = amounts(&[done, part("canceled", back)]);
    assert_eq!(sum.refunded, price);
    assert!(!sum.given_back_unstated);
}
