//! A PostgreSQL server of the tests' own: made in a folder of its own, on a Unix socket alone, with
//! `fsync` on as in earnest, and ended with the process that started it, however that ends.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use paymux_orchestrator::store::postgres::PostgresSettings;

/// Set to 1, it makes a missing PostgreSQL a failure.
const REQUIRE: &str = "PAYMUX_REQUIRE_POSTGRES";
/// The user and the database of the server.
const NAME: &str = "paymux";

/// Makes a server, says where its socket is, and waits until nobody is at the other end of its
/// input any more. A keyboard's interrupt is left to that, too.
const SCRIPT: &str = r#"
set -eu
trap '' INT HUP
bin=$1; shift
home=$(mktemp -d "${TMPDIR:-/tmp}/paymux-postgres.XXXXXX")
trap 'rm -rf "$home"' EXIT
"$bin/initdb" --pgdata="$home/data" --username=paymux --auth=trust --encoding=UTF8 \
  --locale=C.UTF-8 --no-sync >"$home/log" 2>&1 || { cat "$home/log" >&2; exit 1; }
{
  echo "listen_addresses = ''"
  echo "unix_socket_directories = '$home'"
  echo "max_connections = 200"
  for setting; do echo "$setting"; done
} >>"$home/data/postgresql.conf"
"$bin/pg_ctl" --pgdata="$home/data" --log="$home/log" --wait --silent start \
  || { cat "$home/log" >&2; exit 1; }
export PGPORT=$(sed -n 4p "$home/data/postmaster.pid")
"$bin/psql" --host="$home" --username=paymux --dbname=postgres --quiet --no-psqlrc \
  --command='CREATE DATABASE paymux'
echo "$home" "$PGPORT"
read -r _ || :
"$bin/pg_ctl" --pgdata="$home/data" --mode=immediate --silent stop
"#;

/// A running server.
pub(crate) struct Server {
    /// The folder of its socket.
    pub(crate) socket: String,
    /// What its socket is named by.
    pub(crate) port: u16,
    shell: Child,
    /// Open as long as the server is wanted.
    wanted: Option<ChildStdin>,
    names: AtomicU32,
}

impl Server {
    /// Starts one with these lines in its configuration.
    pub(crate) fn start(configuration: &[&str]) -> Self {
        let bin = programs().expect("PostgreSQL's server programs are needed");
        let mut command = as_ordinary_user();
        let child = command
            .args(["sh", "-c", SCRIPT, "sh"])
            .arg(bin)
            .args(configuration)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut shell = child.expect("a shell can be started");
        let wanted = shell.stdin.take();
        let mut line = String::new();
        let output = shell.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut line).expect("its output can be read");
        let mut words = line.split_whitespace();
        let (socket, port) = (words.next(), words.next().and_then(|port| port.parse().ok()));
        let socket = socket.expect("the server did not start").to_owned();
        let port = port.expect("the server says its port");
        Self { socket, port, shell, wanted, names: AtomicU32::new(0) }
    }

    /// The one that the trials of a process share.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// How a store gets to its database.
    pub(crate) fn settings(&self) -> PostgresSettings {
        PostgresSettings::new(&self.socket, NAME, NAME).port(self.port)
    }

    /// A name that nothing on the server has yet.
    pub(crate) fn name(&self) -> String {
        format!("fresh_{}", self.names.fetch_add(1, Ordering::Relaxed))
    }

    /// How a store gets to a place where there is nothing yet: a tenant of its own, which is
    /// quicker than tables of its own.
    pub(crate) fn fresh(&self) -> PostgresSettings {
        self.settings().tenant(self.name())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.wanted.take());
        // It went away with its folder, or there is nothing more to be done.
        let _ = self.shell.wait();
    }
}

/// Why there can be no server here; nothing when there can, or when one is required.
pub(crate) fn missing() -> Option<String> {
    let required = env::var_os(REQUIRE).is_some_and(|value| value == "1");
    (!required && programs().is_none())
        .then(|| format!("PostgreSQL is not installed; {REQUIRE}=1 makes that a failure"))
}

/// The newest server programs that are installed: where Debian puts them, or on the path.
fn programs() -> Option<PathBuf> {
    let version = |bin: &Path| -> Option<u32> { bin.parent()?.file_name()?.to_str()?.parse().ok() };
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    found.sort_by_key(|bin| version(bin));
    let path = env::var_os("PATH").unwrap_or_default();
    let places = found.into_iter().rev().chain(env::split_paths(&path));
    places.into_iter().find(|bin| bin.join("initdb").exists() && bin.join("pg_ctl").exists())
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package made, or as nobody.
fn as_ordinary_user() -> Command {
    let says = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    if says("id", &["-u"]).as_deref() != Some("0") {
        return Command::new("env");
    }
    let user = if says("id", &["-u", "postgres"]).is_some() { "postgres" } else { "nobody" };
    let group = says("id", &["-g", user]).expect("the user has a group");
    let mut command = Command::new("setpriv");
    // The folder for temporary files may be root's alone.
    command.env_remove("TMPDIR");
    command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
    command
}
