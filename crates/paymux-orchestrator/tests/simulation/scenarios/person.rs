//! What a person decides: the table of the crate's documentation, cell by cell.

use paymux_core::{Effect, ErrorKind, Money, ProviderPaymentId};
use paymux_orchestrator::{Evidence, PaymentRecord, Resolution, ReviewReason, Said};

use super::{Scene, money};

mod back;
mod disproved;
mod rows;
mod scenes;
mod stories;

/// A payment that waits for a person, and what a decision about it names.
struct Waiting {
    scene: Scene,
    record: PaymentRecord,
    attempt: u32,
    object: ProviderPaymentId,
    amount: Option<Money>,
    reason: ReviewReason,
}

impl Waiting {
    fn new(scene: Scene, record: PaymentRecord, object: &str) -> Self {
        let review = record.reviews.last().expect("it waits for a person").clone();
        let object = ProviderPaymentId::new(object).unwrap();
        let attempt = review.attempt.expect("it is about an attempt");
        Self { scene, record, attempt, object, amount: None, reason: review.reason }
    }

    async fn decide(&self, resolution: Resolution) -> paymux_core::Result<PaymentRecord> {
        let orchestrator = &self.scene.orchestrator;
        orchestrator.resolve_review(&self.record.id, resolution, "ann", "they said so").await
    }

    /// The last line of a person's, and whether the provider was asked for it.
    async fn written(&self) -> Option<(String, Option<Said>)> {
        let history = self.scene.orchestrator.history(&self.record.id).await.unwrap();
        history.iter().rev().find_map(|line| {
            let evidence: Evidence = serde_json::from_str(&line.evidence).unwrap();
            let Evidence::Person { decision, said, .. } = evidence else { return None };
            Some((decision, said))
        })
    }
}

/// A word that the table has for a resolution, and the resolution.
type Word = (&'static str, fn(&Waiting) -> Resolution);

const WORDS: [Word; 9] = [
    ("did nothing", |waiting| Resolution::DidNothing { attempt: waiting.attempt }),
    ("was done", |waiting| Resolution::WasDone { attempt: waiting.attempt }),
    ("it is", |waiting| Resolution::ItIs {
        attempt: waiting.attempt,
        object: waiting.object.clone(),
    }),
    ("it counts", |waiting| Resolution::ItCounts {
        attempt: waiting.attempt,
        object: waiting.object.clone(),
    }),
    ("provider is right", |waiting| Resolution::ProviderIsRight { attempt: waiting.attempt }),
    ("accept amount", |waiting| Resolution::AcceptAmount {
        attempt: waiting.attempt,
        amount: waiting.amount,
    }),
    ("give back", |waiting| Resolution::GiveBack {
        attempt: waiting.attempt,
        object: waiting.object.clone(),
    }),
    ("dismiss", |waiting| Resolution::Dismiss { attempt: waiting.attempt, reason: waiting.reason }),
    ("try again", |waiting| Resolution::TryAgain { attempt: waiting.attempt }),
];

/// Each cell: the decision is taken, or refused with nothing written. One that is taken takes the
/// review off, unless it only has things tried again, and says what the provider said where it was
/// to be asked.
#[tokio::test(start_paused = true)]
async fn every_reason_meets_every_resolution() {
    let mut wrong = Vec::new();
    for row in rows::ALL {
        for (word, resolution) in WORDS {
            let waiting = row.set().await;
            let cell = format!("{} × {word}", row.name);
            let before = waiting.scene.now(&waiting.record).await;
            let others = waiting.scene.b.truth().objects.len();
            assert_eq!((cell.as_str(), waiting.reason), (cell.as_str(), row.reason));
            let answer = waiting.decide(resolution(&waiting)).await;
            let after = waiting.scene.now(&waiting.record).await;
            match (answer, row.allows(word)) {
                (Err(error), false) => {
                    let kinds =
                        [ErrorKind::Conflict, ErrorKind::InvalidRequest, ErrorKind::NotFound];
                    let is_said = kinds.contains(&error.kind()) && error.effect() == Effect::None;
                    if !is_said || after.version != before.version {
                        wrong.push(format!("{cell}: {error:?}, {} changes", after.version));
                    }
                }
                (Ok(_), true) => {
                    let still = after.reviews.iter().any(|review| {
                        (review.reason, review.attempt) == (row.reason, Some(waiting.attempt))
                    });
                    if still && word != "try again" {
                        wrong.push(format!("{cell}: it still waits: {:?}", after.reviews));
                    }
                    let (_, said) = waiting.written().await.expect("who decided is written");
                    if said.is_some() != row.asks(word) {
                        wrong.push(format!("{cell}: the provider said {said:?}"));
                    }
                    if word != "did nothing" && waiting.scene.b.truth().objects.len() != others {
                        wrong.push(format!("{cell}: another account was asked"));
                    }
                }
                (Ok(_), false) => wrong.push(format!("{cell}: it was taken: {after:#?}")),
                (Err(error), true) => wrong.push(format!("{cell}: it was refused: {error}")),
            }
            if let Some(what) = waiting.scene.broken.first() {
                wrong.push(format!("{cell}: {what}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every reason has a truthful way out, and every reason is in the table.
#[test]
fn no_reason_is_without_a_way_out() {
    for row in rows::ALL {
        let ways = WORDS.iter().filter(|(word, _)| row.allows(word)).count();
        assert!(ways > 0, "{}", row.name);
    }
}

/// Whoever waits is told the truth in the documentation, too.
#[test]
fn the_table_is_the_one_of_the_documentation() {
    let documentation = include_str!("../../../README.md");
    for row in rows::ALL {
        let mut line = format!("| {} |", row.name);
        for (word, _) in WORDS {
            line += match (row.allows(word), row.asks(word)) {
                (false, _) => "  |",
                (true, true) => " asks |",
                (true, false) => " yes |",
            };
        }
        assert!(documentation.contains(&line), "the documentation lacks\n{line}");
    }
}
