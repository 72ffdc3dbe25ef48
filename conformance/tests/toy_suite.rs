//! The sound toy under the test harness, as an adapter's own suite would be run.

mod toy;

fn main() -> std::process::ExitCode {
    toy::suite(None).run()
}
