//! A process of a merchant, for the tests of this crate to kill.

use paymux_endurance::Stop;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Stop> {
    paymux_endurance::run().await
}
