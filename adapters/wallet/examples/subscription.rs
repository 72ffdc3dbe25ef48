//! A subscription, charged twice under an allowance, without an orchestrator.
//!
//! Each charge is a chain of calls, and each call sends at most one request that changes something.
//! Before each, what is about to be done is written to a file, so that the program can be ended at
//! any moment, and run again, without charging twice:
//!
//! - Before the transaction's key is stored, nothing can be charged: a transaction that nobody has
//!   the key of is an orphan, and nobody confirms it. Should the provider have reserved its money,
//!   that would stay held until its time is over, so an orphan with our reference is looked for and
//!   revoked before creating is done again.
//! - Only one run is about at a time: the folder is locked for the whole of it, by a lock that the
//!   system lets go when the program ends, however it ends.
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
    CancelPayment, ConfirmPayment, CreatePayment, Currency, IdempotencyKey, ListPayments, Money,
    NextAction, Options, OsRandom, Payment, PaymentHandle, PaymentLookup, PaymentProvider,
    PaymentStatus, ProviderMandateId, Reference,
    transport::{HttpClient, HttpSettings},
};
use paymux_wallet::{Wallet, WalletConfig, WalletOptions};
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

/// Where the charges of this subscription are written down, for this run alone.
struct Notes {
    folder: PathBuf,
    /// Locked as long as it is open.
    _lock: fs::File,
}

impl Notes {
    /// Opens the folder, unless another run has it: two that both find no note would both charge.
    fn open(folder: &Path) -> Outcome<Self> {
        fs::create_dir_all(folder)?;
        let lock = fs::File::create(folder.join("lock"))?;
        lock.try_lock().map_err(|error| format!("another run may be about: {error}"))?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

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

    /// The first note of a month; there can be one only, whoever else writes.
    fn begin(&self, month: &str, charge: &Charge) -> Outcome<()> {
        let draft = self.draft(month, charge)?;
        fs::hard_link(&draft, self.path(month))?;
        fs::remove_file(&draft)?;
        Ok(fs::File::open(&self.folder)?.sync_all()?)
    }

    /// Written beside its place and made durable, so that a note is there whole or not at all.
    fn draft(&self, month: &str, charge: &Charge) -> Outcome<PathBuf> {
        let draft = self.path(month).with_extension("draft");
        // One that a run left behind can be a second name of the note: it is not written over.
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        fs::write(&draft, serde_json::to_vec_pretty(charge)?)?;
        fs::File::open(&draft)?.sync_all()?;
        Ok(draft)
    }

    /// Puts a later note in the place of the one before.
    fn write(&self, month: &str, charge: &Charge) -> Outcome<()> {
        let draft = self.draft(month, charge)?;
        fs::rename(&draft, self.path(month))?;
        Ok(fs::File::open(&self.folder)?.sync_all()?)
    }
}

/// Lets go of what an earlier run had reserved without learning its key. The provider's largest
/// page is asked for; its pages are all read before anything is revoked, since that moves rows.
async fn revoke_orphans(wallet: &dyn PaymentProvider, reference: &Reference) -> Outcome<()> {
    let mut query = ListPayments::new(200);
    query.status = Some(PaymentStatus::RequiresConfirmation);
    let mut orphans = Vec::new();
    loop {
        let page = wallet.list_payments(&query).await?;
        let ours = page.items.into_iter().filter(|row| row.reference.as_ref() == Some(reference));
        orphans.extend(ours.map(|row| row.handle(&Options::default())));
        query.cursor = match page.next {
            Some(cursor) => Some(cursor),
            None => break,
        };
    }
    for payment in orphans {
        let key = IdempotencyKey::generate(&OsRandom);
        wallet.cancel_payment(&CancelPayment { key, payment, part: None }).await?;
    }
    Ok(())
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
        Some(charge) => {
            if charge.handle.is_none() {
                revoke_orphans(wallet, &charge.create.reference).await?;
            }
            charge
        }
        None => {
            let key = IdempotencyKey::generate(&OsRandom);
            let reference = Reference::new(format!("premium-{month}"))?;
            let create = CreatePayment::new(key, reference, price, format!("Premium, {month}"))
                .mandate(mandate.clone())
                // Nothing is asked for, and the handle is to know that no hold was.
                .with(&WalletOptions::default())?;
            let charge = Charge { create, handle: None };
            notes.begin(month, &charge)?;
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
    let notes = Notes::open(folder)?;
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
