//! What the SQLite store promises beyond the others: about its file, its process and its groups.

use std::{
    fs,
    future::Future,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitCode, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use libtest_mimic::Trial;
use paymux_orchestrator::store::{
    Change, Committed, InboxRow, PaymentRow, Received, Slot, Store, StoreErrorKind, StoreResult,
    sqlite::{SqliteSettings, SqliteStore},
};
use rusqlite::Connection;

mod groups;
mod growth;
mod names;

use super::{
    Fresh, Work,
    build::{at, caller_key, change, claim, creation, event, id, next, object, row, told},
    good, runtime,
};

/// A fresh store, in a directory that goes with it. In the file there is another tenant, who has
/// much that the promises are tried with, under the same names.
pub(crate) fn fresh() -> Work<Fresh> {
    Box::pin(async {
        let directory = Directory::new();
        let another = SqliteSettings { tenant: "another".into(), ..SqliteSettings::default() };
        let neighbor = good(SqliteStore::open_with(directory.database(), another));
        for n in 1..=3 {
            let names = ["a", "b", "k", "e"];
            let full = Change {
                caller_key: Some(caller_key(&format!("k{n}"), n)),
                slot: Slot::Take(7),
                objects: names.map(|name| object(&format!("{name}{n}"))).to_vec(),
                events: vec![told(&format!("t{n}"), n, 1)],
                ..change(
                    0,
                    PaymentRow { due_at: Some(at(-9)), in_doubt: true, review: true, ..row(n) },
                )
            };
            assert_eq!(good(neighbor.commit(full).await), Committed::Done);
        }
        let first = Change {
            caller_key: Some(caller_key("k", 4)),
            objects: ["a", "b", "o", "free"].map(object).to_vec(),
            ..creation(4)
        };
        assert_eq!(good(neighbor.commit(first).await), Committed::Done);
        let waiting = ["a", "b", "c", "e", "e1", "e2", "f"].map(event).to_vec();
        good(neighbor.receive(waiting).await);
        drop(neighbor);
        let store = good(SqliteStore::open(directory.database()));
        Fresh { store: Arc::new(store), keep: Box::new(directory) }
    })
}

/// The trials of this store alone.
pub(crate) fn trials() -> Vec<Trial> {
    let mut all = vec![
        trial("survives_being_opened_again", survives_being_opened_again),
        trial("owner_that_is_gone_holds_nothing", owner_that_is_gone_holds_nothing),
        trial("survives_the_end_of_its_process", survives_the_end_of_its_process),
        trial("second_process_is_refused", second_process_is_refused),
        trial("second_handle_is_refused", second_handle_is_refused),
        trial("refused_handle_leaves_the_locks", refused_handle_leaves_the_locks),
        trial("link_to_nothing_is_refused", names::link_to_nothing_is_refused),
        trial("second_name_is_refused", names::second_name_is_refused),
        trial("grows_from_the_first_version", growth::grows_from_the_first_version),
        trial("positions_go_on", growth::positions_go_on_where_all_was_deleted),
        trial("newer_schema_is_refused", newer_schema_is_refused),
        trial("changed_migration_is_refused", changed_migration_is_refused),
        trial("strange_files_are_refused", strange_files_are_refused),
        trial("senseless_settings_are_refused", senseless_settings_are_refused),
        trial("file_is_its_owners", file_is_its_owners),
        trial("tables_are_strict", tables_are_strict),
        trial("tenants_are_apart", tenants_are_apart),
        trial("corrupt_row_is_said_so", corrupt_row_is_said_so),
        trial("closed_is_closed", closed_is_closed),
    ];
    all.extend(groups::trials());
    all
}

fn trial<F>(name: &str, check: fn(Directory) -> F) -> Trial
where
    F: Future<Output = ()> + 'static,
{
    Trial::test(format!("sqlite_alone::{name}"), move || {
        runtime().block_on(check(Directory::new()));
        Ok(())
    })
}

/// A directory of the trial's own, removed in the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("stores-{}-{number}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn database(&self) -> PathBuf {
        self.0.join("payments.db")
    }

    /// Somebody else's hand on the file.
    fn other_hand(&self) -> Connection {
        Connection::open(self.database()).unwrap()
    }

    fn open(&self) -> StoreResult<SqliteStore> {
        SqliteStore::open(self.database())
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

#[track_caller]
fn refusal(answer: StoreResult<SqliteStore>) -> String {
    let error = answer.expect_err("it must not be opened");
    assert_eq!(error.kind(), StoreErrorKind::Configuration, "{error}");
    error.to_string()
}

async fn survives_being_opened_again(directory: Directory) {
    let store = good(directory.open());
    good(store.receive(vec![event("e")]).await);
    let full = Change {
        caller_key: Some(caller_key("k", 1)),
        slot: Slot::Take(1),
        objects: vec![object("o")],
        events: vec![told("t", 1, 1)],
        ..change(0, PaymentRow { due_at: Some(at(0)), ..row(1) })
    };
    good(store.commit(full.clone()).await);
    drop(store);

    let store = good(directory.open());
    assert_eq!(good(store.load(&id(1)).await), Some(full.payment.clone()));
    assert_eq!(good(store.history(&id(1)).await), [full.transition]);
    assert_eq!(good(store.find_caller_key("k").await), full.caller_key);
    assert_eq!(good(store.find_object(&object("o")).await), Some(id(1)));
    assert_eq!(good(store.backlog(at(0)).await).inbox, 1);
    let second = Change { slot: Slot::Take(2), ..next(&full.payment) };
    assert_eq!(good(store.commit(second).await), Committed::SlotRefused);
    let more = Change { events: vec![told("t2", 1, 2)], ..next(&full.payment) };
    good(store.commit(more).await);
    let positions: Vec<u64> =
        good(store.events(0, 10).await).iter().map(|line| line.position).collect();
    assert_eq!(positions, [1, 2]);
}

/// By whatever clock it claimed: the lock proves that it is gone.
async fn owner_that_is_gone_holds_nothing(directory: Directory) {
    let store = good(directory.open());
    good(store.receive(vec![event("e")]).await);
    good(store.commit(change(0, PaymentRow { due_at: Some(at(0)), ..row(1) })).await);
    let year = 365 * 24 * 3_600_000;
    assert_eq!(good(store.claim_payments(&claim("a", year)).await), [id(1)]);
    assert_eq!(good(store.claim_inbox(&claim("a", year)).await).len(), 1);
    drop(store);
    let store = good(directory.open());
    let same = InboxRow { digest: event("e").digest, ..event("f") };
    assert_eq!(good(store.receive(vec![same]).await), [Received::New], "a look may be over");
    assert_eq!(good(store.claim_payments(&claim("b", 0)).await), [id(1)]);
    assert_eq!(good(store.claim_inbox(&claim("b", 0)).await).len(), 2);
    assert!(good(store.claim_payments(&claim("c", 0)).await).is_empty(), "the lease holds");
}

/// The name of the file that the other process opens.
const OTHER: &str = "PAYMUX_TEST_OTHER_PROCESS";

/// When this is the other process of a trial: writes a payment, says so, and waits for its end.
pub(crate) fn play_the_other_process() -> Option<ExitCode> {
    let path = std::env::var_os(OTHER)?;
    runtime().block_on(async {
        let store = good(SqliteStore::open(path));
        good(store.commit(creation(1)).await);
        println!("{READY}");
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
    });
    Some(ExitCode::SUCCESS)
}

const READY: &str = "the payment is written";

/// Starts this program as another process that has the file open.
fn other_process(directory: &Directory) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .env(OTHER, directory.database())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    assert_eq!(said.trim(), READY);
    child
}

async fn second_process_is_refused(directory: Directory) {
    let mut child = other_process(&directory);
    let message = refusal(directory.open());
    assert!(message.contains("another process"), "{message}");
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    good(directory.open());
}

/// Killed without warning, after it was told that the payment is written.
async fn survives_the_end_of_its_process(directory: Directory) {
    let mut child = other_process(&directory);
    child.kill().unwrap();
    child.wait().unwrap();
    let store = good(directory.open());
    assert_eq!(good(store.load(&id(1)).await), Some(row(1)));
    assert_eq!(good(store.commit(next(&row(1))).await), Committed::Done);
}

async fn second_handle_is_refused(directory: Directory) {
    let store = good(directory.open());
    assert!(refusal(directory.open()).contains("one process at a time"));
    #[cfg(unix)]
    {
        let other_name = directory.0.join("other_name.db");
        std::os::unix::fs::symlink(directory.database(), &other_name).unwrap();
        assert!(refusal(SqliteStore::open(other_name)).contains("one process at a time"));
    }
    drop(store);
    good(directory.open());
}

/// When a file is closed, the locks that its process has on it go, whoever took them: whoever is
/// refused must not have opened it, or another program can take the file away from the store.
async fn refused_handle_leaves_the_locks(directory: Directory) {
    let store = good(directory.open());
    good(store.commit(creation(1)).await);
    #[cfg(target_os = "linux")]
    {
        let metadata = fs::metadata(directory.database()).unwrap();
        let inode = format!(":{} ", std::os::unix::fs::MetadataExt::ino(&metadata));
        let locks = || {
            let all = fs::read_to_string("/proc/locks").unwrap();
            all.lines().filter(|line| line.contains("POSIX") && line.contains(&inode)).count()
        };
        let held = locks();
        assert!(held > 0, "SQLite holds the file as long as it is open");
        refusal(directory.open());
        assert_eq!(locks(), held);
    }
    assert_eq!(good(store.commit(next(&row(1))).await), Committed::Done);
}

async fn newer_schema_is_refused(directory: Directory) {
    drop(good(directory.open()));
    let newer = "INSERT INTO schema_migrations VALUES (99, 'of_tomorrow', 'unknown', 0)";
    directory.other_hand().execute_batch(newer).unwrap();
    let message = refusal(directory.open());
    assert!(message.contains("99 (of_tomorrow)") && message.contains("newer"), "{message}");
}

async fn changed_migration_is_refused(directory: Directory) {
    drop(good(directory.open()));
    let changed = "UPDATE schema_migrations SET checksum = 'another' WHERE version = 1";
    directory.other_hand().execute_batch(changed).unwrap();
    let message = refusal(directory.open());
    assert!(message.contains("migration 1") && message.contains("other text"), "{message}");
}

async fn strange_files_are_refused(directory: Directory) {
    fs::write(
        directory.database(),
        "this is no database, and it is long enough to be read".repeat(99),
    )
    .unwrap();
    assert!(refusal(directory.open()).contains("no SQLite database"));
    fs::remove_file(directory.database()).unwrap();

    directory.other_hand().execute_batch("CREATE TABLE recipes (name)").unwrap();
    assert!(refusal(directory.open()).contains("another program"));

    assert!(refusal(SqliteStore::open(&directory.0)).contains("cannot be opened"));
    let nowhere = directory.0.join("no").join("such").join("directory.db");
    assert!(refusal(SqliteStore::open(nowhere)).contains("cannot be opened"));
    for name in ["", ":memory:"] {
        assert!(refusal(SqliteStore::open(name)).contains("must have a name"));
    }
}

async fn senseless_settings_are_refused(directory: Directory) {
    let mute = SqliteSettings { readers: 0, ..SqliteSettings::default() };
    assert!(refusal(SqliteStore::open_with(directory.database(), mute)).contains("reader"));
    let nobody = SqliteSettings { tenant: String::new(), ..SqliteSettings::default() };
    assert!(refusal(SqliteStore::open_with(directory.database(), nobody)).contains("tenant"));
}

async fn file_is_its_owners(directory: Directory) {
    let store = good(directory.open());
    good(store.commit(creation(1)).await);
    #[cfg(unix)]
    for name in ["payments.db", "payments.db-wal", "payments.db-shm", "payments.db.lock"] {
        let metadata = fs::metadata(directory.0.join(name)).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

async fn tables_are_strict(directory: Directory) {
    drop(good(directory.open()));
    let lax = "SELECT group_concat(name) FROM pragma_table_list
               WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0";
    let lax: Option<String> = directory.other_hand().query_row(lax, [], |row| row.get(0)).unwrap();
    assert_eq!(lax, None);
}

async fn tenants_are_apart(directory: Directory) {
    let open = |tenant: &str| {
        let settings = SqliteSettings { tenant: tenant.into(), ..SqliteSettings::default() };
        good(SqliteStore::open_with(directory.database(), settings))
    };
    let full = |document: &str| Change {
        caller_key: Some(caller_key("k", 1)),
        slot: Slot::Take(1),
        objects: vec![object("o")],
        events: vec![told("t", 1, 1)],
        ..change(0, PaymentRow { document: document.into(), due_at: Some(at(0)), ..row(1) })
    };
    for tenant in ["one", "two"] {
        let store = open(tenant);
        assert_eq!(good(store.load(&id(1)).await), None);
        assert!(good(store.claim_payments(&claim("a", 0)).await).is_empty());
        assert_eq!(good(store.commit(full(tenant)).await), Committed::Done);
        good(store.receive(vec![event("e")]).await);
        assert_eq!(good(store.claim_inbox(&claim("a", 0)).await).len(), 1);
        assert_eq!(good(store.events(0, 10).await).len(), 1);
    }
    let store = open("one");
    assert_eq!(good(store.load(&id(1)).await).unwrap().document, "one");
    assert_eq!(good(store.forget(at(9), at(9)).await), 1);
    drop(store);
    assert!(good(open("two").find_caller_key("k").await).is_some());
}

async fn corrupt_row_is_said_so(directory: Directory) {
    let store = good(directory.open());
    good(store.commit(creation(1)).await);
    good(store.commit(creation(2)).await);
    let other = directory.other_hand();
    other
        .execute_batch("UPDATE payments SET status = 'paid-ish' WHERE reference = 'order-1'")
        .unwrap();
    let error = store.load(&id(1)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert!(!error.to_string().contains("paid-ish"), "no row is shown");
    assert_eq!(good(store.load(&id(2)).await), Some(row(2)));
}

async fn closed_is_closed(directory: Directory) {
    let store = good(directory.open());
    good(store.commit(creation(1)).await);
    store.close().await;
    store.close().await;
    let write = store.commit(creation(2)).await.unwrap_err();
    let read = store.load(&id(1)).await.unwrap_err();
    for error in [write, read] {
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(error.to_string().contains("closed"), "{error}");
    }
    assert!(!directory.0.join("payments.db-wal").exists(), "the file is whole by itself");
    let again = good(directory.open());
    assert_eq!(good(again.load(&id(1)).await), Some(row(1)));
    assert_eq!(good(again.load(&id(2)).await), None);
}
