//! Which migrations a database still needs, and when to leave it alone. Pure: the stores run what
//! this says.
//!
//! A migration that has run anywhere is never edited: its checksum is in `schema_migrations`, and
//! a database that was made by other text is refused rather than guessed at.

use sha2::{Digest, Sha256};

use super::{StoreError, StoreErrorKind, StoreResult};

/// One step of a schema, as it is built in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Migration {
    /// Counts from 1 without gaps; the same step has the same number in every dialect.
    pub(crate) version: i64,
    /// What it does, in a word or two.
    pub(crate) name: &'static str,
    /// The statements.
    pub(crate) sql: &'static str,
}

impl Migration {
    /// The SHA-256 of the statements, in hexadecimal. Line ends do not count, since a checkout may
    /// change them.
    pub(crate) fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.sql.replace("\r\n", "\n")))
    }
}

/// A line of `schema_migrations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Which step.
    pub(crate) version: i64,
    /// Its name at the time.
    pub(crate) name: String,
    /// Its checksum at the time.
    pub(crate) checksum: String,
}

/// The steps that are still to be run, in order. `applied` is ordered by version.
///
/// # Errors
/// `Configuration` when the database went through a step that is unknown here, or that reads
/// differently here.
pub(crate) fn pending<'a>(
    known: &'a [Migration],
    applied: &[Applied],
) -> StoreResult<&'a [Migration]> {
    for (place, line) in applied.iter().enumerate() {
        let Some(step) = known.get(place) else {
            return Err(refused(format!(
                "the database has migration {} ({}), which this version of paymux does not know: \
                 a newer one made it",
                line.version, line.name
            )));
        };
        if step.version != line.version {
            return Err(refused(format!(
                "the database has migration {} ({}) where migration {} ({}) belongs",
                line.version, line.name, step.version, step.name
            )));
        }
        if step.checksum() != line.checksum {
            return Err(refused(format!(
                "migration {} ({}) was run with other text than it has in this version of paymux",
                line.version, line.name
            )));
        }
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

fn refused(message: String) -> StoreError {
    StoreError::new(StoreErrorKind::Configuration, message)
}

#[cfg(test)]
mod tests {
    use super::{Applied, Migration, pending};
    use crate::store::StoreErrorKind;

    const KNOWN: [Migration; 2] = [
        Migration { version: 1, name: "first", sql: "CREATE TABLE a;\nCREATE TABLE b;" },
        Migration { version: 2, name: "second", sql: "CREATE TABLE c;" },
    ];

    fn applied(step: &Migration) -> Applied {
        Applied { version: step.version, name: step.name.into(), checksum: step.checksum() }
    }

    fn versions(lines: &[Applied]) -> Vec<i64> {
        pending(&KNOWN, lines).unwrap().iter().map(|step| step.version).collect()
    }

    fn refusal(lines: &[Applied]) -> String {
        let error = pending(&KNOWN, lines).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Configuration);
        error.to_string()
    }

    #[test]
    fn what_was_not_run_is_pending() {
        assert_eq!(versions(&[]), [1, 2]);
        assert_eq!(versions(&[applied(&KNOWN[0])]), [2]);
        assert!(versions(&[applied(&KNOWN[0]), applied(&KNOWN[1])]).is_empty());
    }

    #[test]
    fn a_newer_database_is_refused() {
        let newer = Applied { version: 3, name: "third".into(), checksum: "00".into() };
        let lines = [applied(&KNOWN[0]), applied(&KNOWN[1]), newer];
        assert!(refusal(&lines).contains("migration 3 (third)"));
    }

    #[test]
    fn changed_text_is_refused() {
        let changed = Applied { checksum: "00".into(), ..applied(&KNOWN[0]) };
        assert!(refusal(&[changed]).contains("other text"));
    }

    #[test]
    fn a_gap_is_refused() {
        assert!(refusal(&[applied(&KNOWN[1])]).contains("where migration 1 (first) belongs"));
    }

    #[test]
    fn line_ends_do_not_change_a_checksum() {
        let windows = Migration { sql: "CREATE TABLE a;\r\nCREATE TABLE b;", ..KNOWN[0] };
        assert_eq!(windows.checksum(), KNOWN[0].checksum());
    }
}
