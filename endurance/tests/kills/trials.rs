//! A trial each: somewhere to keep payments, and a run there.

use std::{env, fs, path::PathBuf};

use libtest_mimic::{Failed, Trial};
use paymux_endurance::Place;

use crate::{
    run::{Plan, run},
    server::{Server, missing},
};

/// Three processes or more on one server.
pub(crate) fn on_postgres(name: &str, plan: Plan, only_when_asked: bool) -> Trial {
    let missing = missing();
    let ignored = only_when_asked || missing.is_some();
    let name = match missing {
        None => name.to_owned(),
        Some(why) => format!("{name} ({why})"),
    };
    let trial = Trial::test(name, move || {
        let server = Server::start(&[]);
        let place = Place::Postgres {
            socket: server.socket.clone(),
            port: server.port,
            tenant: "endurance".to_owned(),
        };
        survive(plan, place)
    });
    trial.with_ignored_flag(ignored)
}

/// One process on a file.
pub(crate) fn on_sqlite(name: &str, plan: Plan, only_when_asked: bool) -> Trial {
    let trial = Trial::test(name, move || {
        let folder = Folder::new();
        survive(plan, Place::Sqlite(folder.0.join("payments.db")))
    });
    trial.with_ignored_flag(only_when_asked)
}

fn survive(plan: Plan, place: Place) -> Result<(), Failed> {
    let seed = match env::var("PAYMUX_SEED") {
        Ok(seed) => seed.parse().expect("PAYMUX_SEED is a number"),
        Err(_) => fresh_seed(),
    };
    println!("seed {seed} (PAYMUX_SEED={seed} repeats its dice)");
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let report = runtime.block_on(run(plan, place, seed))?;
    println!("{report}");
    Ok(())
}

/// From the randomness of the operating system, through the door.
fn fresh_seed() -> u64 {
    let mut bytes = [0_u8; 4];
    paymux::Random::fill(&paymux::OsRandom, &mut bytes);
    u32::from_le_bytes(bytes).into()
}

/// A folder of this trial's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("paymux-endurance.{}.{}", std::process::id(), fresh_seed());
        let folder = env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder can be made");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
