//! A trial each: somewhere to keep payments, and a run there.

use std::{env, fs, path::PathBuf};

use libtest_mimic::{Failed, Trial};
use paymux_endurance::Place;
use tokio::runtime::Runtime;

use crate::{
    run::{Plan, run},
    server::{Server, missing},
    storm::storm,
};

/// Three processes or more on one server.
pub(crate) fn on_postgres(name: &str, plan: Plan, only_when_asked: bool) -> Trial {
    with_server(name, only_when_asked, move |place| survive(plan, place))
}

/// Two nodes on one server, and many who ask for the same.
pub(crate) fn storm_on_postgres(name: &str, keys: u32, only_when_asked: bool) -> Trial {
    with_server(name, only_when_asked, move |place| {
        let seed = seed();
        println!("{}", runtime().block_on(storm(keys, place, seed))?);
        Ok(())
    })
}

fn with_server(
    name: &str,
    only_when_asked: bool,
    work: impl FnOnce(Place) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let missing = missing();
    let ignored = only_when_asked || missing.is_some();
    let name = match missing {
        None => name.to_owned(),
        Some(why) => format!("{name} ({why})"),
    };
    let trial = Trial::test(name, move || {
        let server = Server::start(&[]);
        work(Place::Postgres {
            socket: server.socket.clone(),
            port: server.port,
            tenant: "endurance".to_owned(),
        })
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
    let report = runtime().block_on(run(plan, place, seed()))?;
    println!("{report}");
    Ok(())
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap()
}

fn seed() -> u64 {
    let seed = match env::var("PAYMUX_SEED") {
        Ok(seed) => seed.parse().expect("PAYMUX_SEED is a number"),
        Err(_) => fresh_seed(),
    };
    println!("seed {seed} (PAYMUX_SEED={seed} repeats its dice)");
    seed
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
