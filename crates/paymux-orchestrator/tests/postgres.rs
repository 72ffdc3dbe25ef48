//! What several nodes on one PostgreSQL can count on, and what the store refuses to work with. What
//! every store promises is in `stores.rs`.
//!
//! Where PostgreSQL is not installed, these trials are shown as ignored, with the reason.

use std::process::ExitCode;

use libtest_mimic::Arguments;

#[cfg(test)]
#[path = "stores/build.rs"]
#[expect(dead_code, reason = "the suite of all stores needs more rows than these trials")]
mod build;
#[cfg(test)]
#[path = "postgres/busy.rs"]
mod busy;
#[cfg(test)]
#[path = "postgres/lost.rs"]
mod lost;
#[cfg(test)]
#[path = "postgres/nodes.rs"]
mod nodes;
#[cfg(test)]
#[path = "postgres/plans.rs"]
mod plans;
#[cfg(test)]
#[path = "postgres/proxy.rs"]
mod proxy;
#[cfg(test)]
#[path = "postgres/races.rs"]
mod races;
#[cfg(test)]
#[path = "postgres/refused.rs"]
mod refused;
#[cfg(test)]
#[path = "postgres/retries.rs"]
mod retries;
#[cfg(test)]
#[path = "postgres/schema.rs"]
mod schema;
#[cfg(test)]
#[path = "postgres/server.rs"]
mod server;
#[cfg(test)]
#[path = "postgres/silent.rs"]
mod silent;
#[cfg(test)]
#[path = "postgres/tls.rs"]
mod tls;
#[cfg(test)]
#[path = "postgres/trial.rs"]
mod trial;

fn main() -> ExitCode {
    let mut trials = nodes::trials();
    trials.extend(races::trials());
    trials.extend(lost::trials());
    trials.extend(refused::trials());
    trials.extend(retries::trials());
    trials.extend(schema::trials());
    trials.extend(tls::trials());
    trials.extend(plans::trials());
    trials.extend(busy::trials());
    trials.extend(silent::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
