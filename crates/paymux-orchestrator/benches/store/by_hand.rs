//! What SQLite does without a store around it.

use std::path::Path;

use rusqlite::{Connection, config::DbConfig, params};
use tokio::sync::{mpsc, oneshot};

use crate::block::{self, Block, LENGTH, now};

/// What is written of a payment.
#[derive(Clone, Copy)]
pub(crate) enum Rows {
    /// One row: an insert, an update.
    Bare,
    /// The rows of the store, and no guard around them.
    Same,
}

/// The bare least: an id, a key that is unique, what was asked and what was answered.
const BARE: &str = "CREATE TABLE payments (
    id TEXT PRIMARY KEY, key TEXT NOT NULL UNIQUE, request TEXT NOT NULL, response TEXT) STRICT";

/// The tables of the store.
const SAME: [&str; 2] = [
    include_str!("../../migrations/sqlite/0001_payments.sql"),
    include_str!("../../migrations/sqlite/0003_lean.sql"),
];

fn open(file: &Path, rows: Rows) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
    connection.execute_batch("PRAGMA synchronous = FULL").unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    match rows {
        Rows::Bare => connection.execute_batch(BARE).unwrap(),
        Rows::Same => {
            for step in SAME {
                connection.execute_batch(step).unwrap();
            }
            // As the store does, or some of the statements would be planned anew each time.
            let stable = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
            connection.set_db_config(stable, true).unwrap();
        }
    }
    connection
}

fn execute(connection: &Connection, sql: &str, params: impl rusqlite::Params) {
    connection.prepare_cached(sql).unwrap().execute(params).unwrap();
}

/// One step of a payment: the intent, or what was answered.
struct Step {
    n: u64,
    answer: Option<String>,
}

impl Step {
    fn write(&self, connection: &Connection, rows: Rows) {
        match (rows, &self.answer) {
            (Rows::Bare, None) => {
                let sql = "INSERT INTO payments (id, key, request) VALUES (?1, ?2, ?3)";
                let id = format!("pay_{:026}", self.n);
                execute(connection, sql, params![id, format!("key-{}", self.n), "p".repeat(300)]);
            }
            (Rows::Bare, Some(answer)) => {
                let sql = "UPDATE payments SET response = ?2 WHERE id = ?1 AND response IS NULL";
                execute(connection, sql, params![format!("pay_{:026}", self.n), answer]);
            }
            (Rows::Same, None) => self.write_intent(connection),
            (Rows::Same, Some(answer)) => self.write_outcome(connection, answer),
        }
    }

    fn write_intent(&self, connection: &Connection) {
        let id = format!("pay_{:026}", self.n);
        let sql = "INSERT INTO caller_keys VALUES ('main', ?1, ?2, ?3, NULL, 0)";
        let key = format!("create:order-{}", self.n);
        execute(connection, sql, params![key, "d".repeat(64), id]);
        let sql = "INSERT INTO payments VALUES
            ('main', ?1, 1, ?2, 'processing', 0, 0, 0, NULL, NULL, 0, 0, ?3)";
        execute(connection, sql, params![id, format!("order-{}", self.n), "p".repeat(300)]);
        execute(connection, "INSERT INTO live_slot VALUES ('main', ?1, 1)", [&id]);
        Self::write_transition(connection, &id, 1);
    }

    fn write_outcome(&self, connection: &Connection, answer: &str) {
        let id = format!("pay_{:026}", self.n);
        let sql = "UPDATE payments SET version = 2, status = 'succeeded', in_doubt = 0, review = 0,
              due_at = NULL, updated_at = 0, document = ?2
            WHERE tenant_id = 'main' AND payment_id = ?1 AND version = 1";
        execute(connection, sql, params![id, answer]);
        let sql = "DELETE FROM live_slot WHERE tenant_id = 'main' AND payment_id = ?1";
        execute(connection, sql, [&id]);
        let sql = "INSERT INTO provider_objects VALUES ('main', 'one', 'payment', ?1, ?2)";
        execute(connection, sql, params![format!("sess_{}", self.n), id]);
        Self::write_transition(connection, &id, 2);
        let sql = "INSERT INTO outbox VALUES ('main',
            (SELECT coalesce(max(position), 0) + 1 FROM outbox WHERE tenant_id = 'main'),
            ?1, ?2, 2, 'payment_changed', 0, ?3)";
        execute(connection, sql, params![format!("evt_{}", self.n), id, "e".repeat(200)]);
    }

    fn write_transition(connection: &Connection, id: &str, version: i64) {
        let sql = "INSERT INTO transitions VALUES ('main', ?1, ?2, ?3, 0, 'node-1', 'reply', ?4,
            'processing', 'succeeded', ?5, ?5)";
        let name = format!("{id}/{version}");
        let digest = "d".repeat(64);
        execute(connection, sql, params![id, version, name, "v".repeat(200), digest]);
    }
}

/// Each statement a commit, one after the other, and the call between them.
pub(crate) async fn single<F: Future<Output = String>>(
    file: &Path,
    call: impl Fn(u64) -> F,
) -> Block {
    let connection = open(file, Rows::Bare);
    let start = now();
    let mut payments = 0;
    while now() - start < LENGTH {
        Step { n: payments, answer: None }.write(&connection, Rows::Bare);
        let answer = Some(call(payments).await);
        Step { n: payments, answer }.write(&connection, Rows::Bare);
        payments += 1;
    }
    Block { payments, elapsed: now() - start }
}

/// A step, and whom to tell that it is on the disk.
type Asked = (Step, oneshot::Sender<()>);

/// A thread that takes what waits, and commits it together; the call between the two steps.
pub(crate) async fn group<F: Future<Output = String> + Send + 'static>(
    file: &Path,
    rows: Rows,
    tasks: usize,
    call: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) -> Block {
    let connection = open(file, rows);
    let (sender, receiver) = mpsc::channel::<Asked>(1024);
    let writer = std::thread::spawn(move || write_groups(&connection, rows, receiver));
    let block = block::run(tasks, move |n| {
        let (sender, call) = (sender.clone(), call.clone());
        async move {
            write(&sender, Step { n, answer: None }).await;
            let answer = Some(call(n).await);
            write(&sender, Step { n, answer }).await;
        }
    });
    let block = block.await;
    writer.join().unwrap();
    block
}

async fn write(writer: &mpsc::Sender<Asked>, step: Step) {
    let (answer, answered) = oneshot::channel();
    writer.send((step, answer)).await.unwrap();
    answered.await.unwrap();
}

fn write_groups(connection: &Connection, rows: Rows, mut queue: mpsc::Receiver<Asked>) {
    while let Some((step, answer)) = queue.blocking_recv() {
        execute(connection, "BEGIN IMMEDIATE", []);
        step.write(connection, rows);
        let mut answers = vec![answer];
        while answers.len() < 256 {
            let Ok((step, answer)) = queue.try_recv() else { break };
            step.write(connection, rows);
            answers.push(answer);
        }
        execute(connection, "COMMIT", []);
        for answer in answers {
            answer.send(()).unwrap();
        }
    }
}
