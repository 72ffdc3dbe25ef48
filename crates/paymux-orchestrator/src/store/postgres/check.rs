//! What a server must be like before a payment is trusted to it.

use deadpool_postgres::ClientWrapper;
use tokio_postgres::{Error, Row};

use super::fault::Fault;
use crate::store::StoreErrorKind;

/// The oldest server that PostgreSQL's makers still looked after in 2026.
const OLDEST: i64 = 140_000;

/// As this connection has it: a setting can differ by user and by database.
const SETTINGS: &str = "
    SELECT CAST(current_setting('server_version_num') AS BIGINT) AS version,
      current_setting('fsync', true) AS fsync,
      current_setting('full_page_writes', true) AS full_page_writes,
      current_setting('synchronous_commit', true) AS synchronous_commit,
      current_setting('server_encoding', true) AS server_encoding";

/// A row as long as the server keeps what it says is written. Both can be turned off while it runs,
/// for all sessions at once.
pub(super) const STILL_SAFE: &str = "
    SELECT 1 WHERE current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'";

/// What is wrong when there is no such row.
pub(super) fn unsafe_now() -> Fault {
    let message = "the PostgreSQL server has turned fsync or full_page_writes off: a power cut \
                   could lose payments that were already sent to a provider; nothing was written";
    Fault::new(StoreErrorKind::Configuration, message)
}

/// What the server says of itself; a setting that it does not know is missing.
#[derive(Clone, Debug)]
struct Server {
    version: i64,
    fsync: Option<String>,
    full_page_writes: Option<String>,
    synchronous_commit: Option<String>,
    encoding: Option<String>,
}

/// Gives the `synchronous_commit` of the server behind this connection, or says what is wrong.
pub(super) async fn server(client: &ClientWrapper) -> Result<Result<&'static str, String>, Error> {
    let row: Row = client.query_one(SETTINGS, &[]).await?;
    let server = Server {
        version: row.try_get("version")?,
        fsync: row.try_get("fsync")?,
        full_page_writes: row.try_get("full_page_writes")?,
        synchronous_commit: row.try_get("synchronous_commit")?,
        encoding: row.try_get("server_encoding")?,
    };
    Ok(server.check())
}

impl Server {
    fn check(&self) -> Result<&'static str, String> {
        if self.version < OLDEST {
            return Err(format!(
                "the PostgreSQL server is of version {}, and the store needs {} or newer",
                self.version / 10_000,
                OLDEST / 10_000
            ));
        }
        let told = |value: &Option<String>| value.clone().unwrap_or_else(|| "unknown".to_owned());
        let fsync = told(&self.fsync);
        if fsync != "on" {
            return Err(format!(
                "the PostgreSQL server has fsync = {fsync}: a power cut could lose payments that \
                 were already sent to a provider"
            ));
        }
        let full_page_writes = told(&self.full_page_writes);
        if full_page_writes != "on" {
            return Err(format!(
                "the PostgreSQL server has full_page_writes = {full_page_writes}: a power cut \
                 could leave torn pages, and payments that cannot be read"
            ));
        }
        // All three wait for the own disk. `local` does, too, and is refused: it does not wait for
        // a standby, and one that takes over would not know what was sent.
        let commit = told(&self.synchronous_commit);
        let good = ["on", "remote_apply", "remote_write"].into_iter().find(|good| *good == commit);
        let Some(good) = good else {
            return Err(format!(
                "the PostgreSQL server has synchronous_commit = {commit} for this user and \
                 database: a crash or a failover could forget payments that were already sent to \
                 a provider; it must be on, remote_write or remote_apply"
            ));
        };
        let encoding = told(&self.encoding);
        if encoding != "UTF8" {
            return Err(format!(
                "the database has the encoding {encoding}, which cannot keep every text; it must \
                 be UTF8"
            ));
        }
        Ok(good)
    }
}

#[cfg(test)]
mod tests {
    use super::Server;

    fn good() -> Server {
        let on = || Some("on".to_owned());
        Server {
            version: 150_018,
            fsync: on(),
            full_page_writes: on(),
            synchronous_commit: on(),
            encoding: Some("UTF8".to_owned()),
        }
    }

    fn refusal(server: &Server) -> String {
        server.check().unwrap_err()
    }

    #[test]
    fn an_ordinary_server_is_good() {
        assert_eq!(good().check(), Ok("on"));
        assert_eq!(Server { version: 140_000, ..good() }.check(), Ok("on"));
    }

    #[test]
    fn an_old_server_is_refused() {
        let old = refusal(&Server { version: 130_022, ..good() });
        assert!(old.contains("version 13") && old.contains("14 or newer"), "{old}");
    }

    /// Something that speaks the protocol and does not know the setting may not keep the promise.
    #[test]
    fn what_a_server_does_not_say_is_not_believed() {
        assert!(refusal(&Server { fsync: None, ..good() }).contains("fsync = unknown"));
        let server = Server { full_page_writes: None, ..good() };
        assert!(refusal(&server).contains("full_page_writes = unknown"));
        let server = Server { synchronous_commit: None, ..good() };
        assert!(refusal(&server).contains("synchronous_commit = unknown"));
        assert!(refusal(&Server { encoding: None, ..good() }).contains("encoding unknown"));
    }
}
