//! A subscription, charged twice under an allowance, without an orchestrator.
//!
//! Each charge is a chain of calls, and each call sends at most one request that changes something.
//! Before each, what is about to be done is written to a file, so that the program can be ended at
//! any moment, and run again, without charging twice:
//!
//! - Before the transaction's key is stored, nothing can be charged: a transaction nobody has the
//!   key of is an orphan that deletes itself, so creating is simply done again.
//! - From then on, each step begins with a look. The provider names the step that is next; a step
//!   that happened while its answer was lost is not named again.
//!
//! Run it with the account in `WALLET_…` (see `WalletConfig::from_variables`), the allowance in
//! `WALLET_ALLOWANCE`, and a folder for its notes:
//! `cargo run -p paymux-wallet --example subscription -- /var/lib/subscription`

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use paymux_core::{
    ConfirmPayment, CreatePayment, Currency, IdempotencyKey, Money, NextAction, OsRandom, Payment,
    PaymentHandle, PaymentLookup, PaymentProvider, PaymentStatus, ProviderMandateId, Reference,
    transport::{HttpClient, HttpSettings},
};
use paymux_wallet::{Wallet, WalletConfig};
use serde::{Deserialize, Serialize};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Authorize, commit, and a look between them; more would mean that it does not go on.
const MAX_STEPS: usize = 6;

/// What is known of one charge, as it is written down.
#[derive(Serialize, Deserialize)]
struct Charge {
    /// What is asked for, with its key; the same over all repetitions.
    create: CreatePayment,
    /// Where it stands at the provider, as soon as that is known.
    handle: Option<PaymentHandle>,
}

/// Where the charges of this subscription are written down.
struct Notes {
    folder: PathBuf,
}

impl Notes {
    fn path(&self, month: &str) -> PathBuf {
        self.folder.join(format!("{month}.json"))
    }

    fn read(&self, month: &str) -> Outcome<Option<Charge>> {
        match fs::read(self.path(month)) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Whole or not at all: written beside it, made durable, then put in its place.
    fn write(&self, month: &str, charge: &Charge) -> Outcome<()> {
        let draft = self.path(month).with_extension("draft");
        fs::write(&draft, serde_json::to_vec_pretty(charge)?)?;
        fs::File::open(&draft)?.sync_all()?;
        fs::rename(&draft, self.path(month))?;
        Ok(fs::File::open(&self.folder)?.sync_all()?)
    }
}

/// Charges for one month; run again after anything, it goes on where it was.
async fn charge(
    wallet: &dyn PaymentProvider,
    notes: &Notes,
    month: &str,
    price: Money,
    mandate: &ProviderMandateId,
) -> Outcome<Payment> {
    let mut charge = match notes.read(month)? {
        Some(charge) => charge,
        None => {
            let key = IdempotencyKey::generate(&OsRandom);
            let reference = Reference::new(format!("premium-{month}"))?;
            let create = CreatePayment::new(key, reference, price, format!("Premium, {month}"))
                .mandate(mandate.clone());
            let charge = Charge { create, handle: None };
            notes.write(month, &charge)?;
            charge
        }
    };
    let handle = match charge.handle.clone() {
        Some(handle) => handle,
        None => {
            let opened = wallet.create_payment(&charge.create).await?;
            let handle = opened.handle(&charge.create.options);
            charge.handle = Some(handle.clone());
            notes.write(month, &charge)?;
            handle
        }
    };
    for _ in 0..MAX_STEPS {
        // The look comes first, always: it alone says which step is next.
        let seen = wallet.fetch_payment(&PaymentLookup::Payment(handle.clone())).await?;
        let Some(NextAction::Confirm { step }) = seen.next_action else { return Ok(seen) };
        let key = IdempotencyKey::generate(&OsRandom);
        let confirm = ConfirmPayment { key, payment: handle.clone(), step };
        // A failure ends the run, whatever it proves. The next one begins with a look.
        wallet.confirm_payment(&confirm).await?;
    }
    Err(format!("the charge of {month} does not go on").into())
}

/// Charges a reduced first month and a second one.
async fn subscribe(
    wallet: &dyn PaymentProvider,
    folder: &Path,
    mandate: &ProviderMandateId,
) -> Outcome<Vec<(String, Payment)>> {
    fs::create_dir_all(folder)?;
    let notes = Notes { folder: folder.to_owned() };
    let mut charged = Vec::new();
    for (month, price) in [("2026-01", "0.99"), ("2026-02", "9.99")] {
        let price = Money::parse(price, Currency::EUR)?;
        let payment = charge(wallet, &notes, month, price, mandate).await?;
        if payment.status != PaymentStatus::Succeeded {
            return Err(format!("the charge of {month} is {}", payment.status).into());
        }
        charged.push((month.to_owned(), payment));
    }
    Ok(charged)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let folder = std::env::args().nth(1).ok_or("name a folder for the notes")?;
    let mandate = std::env::var("WALLET_ALLOWANCE").map_err(|_| "WALLET_ALLOWANCE is missing")?;
    let mandate = ProviderMandateId::new(mandate)?;
    let http = HttpClient::new(HttpSettings::default())?;
    let wallet = Wallet::new(WalletConfig::from_env()?, http)?;
    for (month, payment) in subscribe(&wallet, Path::new(&folder), &mandate).await? {
        report(&month, &payment);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what the example shows")]
fn report(month: &str, payment: &Payment) {
    println!("{month}: {} {}", payment.id, payment.status);
}

#[cfg(test)]
#[path = "subscription/tests.rs"]
mod tests;
