#![doc = include_str!("../README.md")]

mod apply;
mod calls;
mod create;
mod draft;
mod drive;
mod engine;
mod events;
mod evidence;
mod explain;
mod give_back;
pub mod health;
mod hints;
mod house;
mod ids;
mod ingest;
mod ladder;
mod look;
mod observe;
mod operate;
mod orchestrator;
mod outbox;
mod plan;
mod read;
mod reconcile;
mod record;
mod request;
mod resolve;
mod returns;
pub mod routing;
mod send;
mod settle;
mod step;
pub mod store;
mod telemetry;
#[cfg(test)]
mod testing;
mod watch;

pub use events::Event;
pub use evidence::{Evidence, Said};
pub use explain::Explanation;
pub use house::{Comparison, Housekeeping};
pub use ids::PaymentId;
pub use orchestrator::{AccountPolicy, Builder, Orchestrator};
pub use reconcile::{Difference, DifferenceKind, Reconciliation};
pub use record::{
    Attempt, AttemptState, Fault, Intent, PaymentRecord, Review, ReviewReason, RouteStep, SentAs,
};
pub use request::{ConfirmBy, NewCapture, NewPayment, NewRefund};
pub use resolve::Resolution;
pub use returns::ReturnToken;
pub use step::Stepped;
