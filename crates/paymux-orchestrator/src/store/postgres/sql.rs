//! Every statement of the store, but for lists, whose conditions vary. `$1` is the tenant in all.
//!
//! The portable subset: no sequences, no advisory locks, no `LISTEN`, only `DO NOTHING` on a
//! conflict. `SKIP LOCKED` is there to be faster: a claim asks for its condition again when it
//! writes, and would be right without.

// --- a change ---

// `paymux.begun` is zero in a transaction of ours, and no number anywhere else: what adds it fails
// where no transaction was begun.

pub(super) const CLAIM_KEY: &str = "
    INSERT INTO caller_keys
      (tenant_id, caller_key, request_digest, payment_id, attempt, created_at)
    VALUES ($1, $2, $3, $4, $5, $6 + CAST(current_setting('paymux.begun') AS BIGINT))
    ON CONFLICT DO NOTHING RETURNING 1";

pub(super) const FIND_KEY: &str = "
    SELECT caller_key, request_digest, payment_id, attempt, created_at
    FROM caller_keys WHERE tenant_id = $1 AND caller_key = $2";

pub(super) const INSERT_PAYMENT: &str = "
    INSERT INTO payments
      (tenant_id, payment_id, version, reference, status, in_doubt, review, due_at,
       created_at, updated_at, document)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10 + CAST(current_setting('paymux.begun') AS BIGINT),
      $11)
    ON CONFLICT DO NOTHING RETURNING 1";

/// The compare-and-set. It ends the payment's lease.
pub(super) const UPDATE_PAYMENT: &str = "
    UPDATE payments SET version = $3, reference = $4, status = $5, in_doubt = $6, review = $7,
      due_at = $8, created_at = $9, updated_at = $10, document = $11,
      lease_owner = NULL, lease_until = 0
    WHERE tenant_id = $1 AND payment_id = $2
      AND version = $12 + CAST(current_setting('paymux.begun') AS BIGINT) RETURNING 1";

pub(super) const LOCK_PAYMENT: &str = "
    SELECT version FROM payments WHERE tenant_id = $1 AND payment_id = $2 FOR UPDATE";

pub(super) const READ_SLOT: &str = "
    SELECT attempt FROM live_slot WHERE tenant_id = $1 AND payment_id = $2";

pub(super) const TAKE_SLOT: &str =
    "INSERT INTO live_slot (tenant_id, payment_id, attempt) VALUES ($1, $2, $3)";

pub(super) const MOVE_SLOT: &str = "
    UPDATE live_slot SET attempt = $4 WHERE tenant_id = $1 AND payment_id = $2 AND attempt = $3";

pub(super) const RELEASE_SLOT: &str =
    "DELETE FROM live_slot WHERE tenant_id = $1 AND payment_id = $2 AND attempt = $3";

pub(super) const FIND_OBJECT: &str = "
    SELECT payment_id FROM provider_objects
    WHERE tenant_id = $1 AND account = $2 AND kind = $3 AND object_id = $4";

pub(super) const INSERT_OBJECT: &str = "
    INSERT INTO provider_objects (tenant_id, account, kind, object_id, payment_id)
    VALUES ($1, $2, $3, $4, $5)";

pub(super) const INSERT_TRANSITION: &str = "
    INSERT INTO transitions
      (tenant_id, payment_id, version, transition_id, at, node, cause, evidence, from_status,
       to_status, previous_digest, digest)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";

/// A row of this connection's own, so that nobody waits for another one's.
pub(super) const ADD_FLUSH: &str = "
    INSERT INTO counters (tenant_id, name, value)
    VALUES ($1, 'flush ' || pg_backend_pid(), 0) ON CONFLICT DO NOTHING";

pub(super) const REMOVE_FLUSH: &str =
    "DELETE FROM counters WHERE tenant_id = $1 AND name = 'flush ' || pg_backend_pid()";

// --- payments ---

/// What [`super::rows::payment`] reads.
pub(super) const PAYMENT_COLUMNS: &str = "payment_id, version, reference, status, in_doubt, \
     review, due_at, created_at, updated_at, document";

pub(super) const LOAD_PAYMENT: &str = "
    SELECT payment_id, version, reference, status, in_doubt, review, due_at, created_at,
      updated_at, document
    FROM payments WHERE tenant_id = $1 AND payment_id = $2";

pub(super) const HISTORY: &str = "
    SELECT payment_id, version, transition_id, at, node, cause, evidence, from_status, to_status,
      previous_digest, digest
    FROM transitions WHERE tenant_id = $1 AND payment_id = $2 ORDER BY version";

/// `due` and its moment are found once; what another node took meanwhile fails the condition. A
/// lease that has longer to run than two that begin now was made while the database's clock was
/// wrong, and holds nothing.
pub(super) const CLAIM_PAYMENTS: &str = "
    WITH clock AS MATERIALIZED (
      SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT) AS now
    ), due AS MATERIALIZED (
      SELECT p.payment_id, clock.now FROM payments p, clock
      WHERE p.tenant_id = $1 AND p.due_at <= $2
        AND (p.lease_until <= clock.now
        OR p.lease_until > clock.now + 2 * CAST($5 AS BIGINT))
      ORDER BY p.due_at, p.payment_id LIMIT $3 FOR UPDATE OF p SKIP LOCKED
    )
    UPDATE payments SET lease_owner = $4, lease_until = due.now + $5 FROM due
    WHERE payments.tenant_id = $1 AND payments.payment_id = due.payment_id
      AND payments.due_at <= $2
      AND (payments.lease_until <= due.now
        OR payments.lease_until > due.now + 2 * CAST($5 AS BIGINT))
    RETURNING payments.payment_id, payments.due_at";

/// The sum keeps PostgreSQL from walking all events by their age until one waits.
pub(super) const BACKLOG: &str = "
    SELECT
      (SELECT count(*) FROM payments WHERE tenant_id = $1 AND in_doubt = 1) AS in_doubt,
      (SELECT count(*) FROM payments WHERE tenant_id = $1 AND in_doubt IN (0, 1) AND review = 1)
        AS review,
      (SELECT count(*) FROM payments WHERE tenant_id = $1 AND due_at <= $2) AS due,
      (SELECT count(*) FROM inbox WHERE tenant_id = $1 AND outcome IS NULL) AS inbox,
      (SELECT min(received_at + 0) FROM inbox WHERE tenant_id = $1 AND outcome IS NULL)
        AS oldest_event";

/// A portion of what is older than `$2`, so that no statement runs for long, and the rows that it
/// locks are few.
pub(super) const FORGET_KEYS: &str = "
    DELETE FROM caller_keys WHERE tenant_id = $1 AND created_at < $2 AND caller_key IN (
      SELECT caller_key FROM caller_keys WHERE tenant_id = $1 AND created_at < $2
      ORDER BY created_at LIMIT $3)
    RETURNING 1";

pub(super) const FORGET_EVENTS: &str = "
    DELETE FROM inbox
    WHERE tenant_id = $1 AND received_at < $2 AND outcome IS NOT NULL AND (account, event_key) IN (
      SELECT account, event_key FROM inbox
      WHERE tenant_id = $1 AND received_at < $2 AND outcome IS NOT NULL
      ORDER BY received_at LIMIT $3)
    RETURNING 1";

// --- the inbox ---

/// Does one with this content wait that nobody took yet? Whoever took one may have looked already.
pub(super) const FIND_SAME_CONTENT: &str = "
    SELECT 1 FROM inbox
    WHERE tenant_id = $1 AND account = $2 AND digest = $3 AND outcome IS NULL AND lease_until = 0
      AND received_at > $4
    LIMIT 1";

pub(super) const INSERT_INBOX: &str = "
    INSERT INTO inbox
      (tenant_id, account, event_key, trust, event, digest, received_at, tries, due_at, outcome)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING 1";

pub(super) const FIND_INBOX_DIGEST: &str = "
    SELECT digest FROM inbox WHERE tenant_id = $1 AND account = $2 AND event_key = $3";

pub(super) const CLAIM_INBOX: &str = "
    WITH clock AS MATERIALIZED (
      SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT) AS now
    ), due AS MATERIALIZED (
      SELECT i.account, i.event_key, clock.now FROM inbox i, clock
      WHERE i.tenant_id = $1 AND i.outcome IS NULL AND i.due_at <= $2
        AND (i.lease_until <= clock.now
        OR i.lease_until > clock.now + 2 * CAST($5 AS BIGINT))
      ORDER BY i.due_at, i.account, i.event_key LIMIT $3 FOR UPDATE OF i SKIP LOCKED
    )
    UPDATE inbox SET lease_owner = $4, lease_until = due.now + $5, tries = inbox.tries + 1 FROM due
    WHERE inbox.tenant_id = $1 AND inbox.account = due.account AND inbox.event_key = due.event_key
      AND inbox.outcome IS NULL AND inbox.due_at <= $2
      AND (inbox.lease_until <= due.now
        OR inbox.lease_until > due.now + 2 * CAST($5 AS BIGINT))
    RETURNING inbox.account, inbox.event_key, inbox.trust, inbox.event, inbox.digest,
      inbox.received_at, inbox.tries, inbox.due_at";

/// `$4` is the outcome, and `$5` when to try again, where there is none. One that is settled stays
/// so, and one that was claimed again since (`$6` counts the claims) is left to that claim.
pub(super) const SETTLE_INBOX: &str = "
    UPDATE inbox SET outcome = $4, due_at = COALESCE($5, due_at),
      lease_owner = NULL, lease_until = 0
    WHERE tenant_id = $1 AND account = $2 AND event_key = $3 AND outcome IS NULL AND tries = $6
    RETURNING 1";

pub(super) const FIND_INBOX: &str =
    "SELECT 1 FROM inbox WHERE tenant_id = $1 AND account = $2 AND event_key = $3";

// --- the outbox ---

pub(super) const INSERT_EVENT: &str = "
    INSERT INTO outbox
      (tenant_id, event_id, payment_id, version, place, kind, at, document, written_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8,
      CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000) AS BIGINT))
    ON CONFLICT DO NOTHING";

pub(super) const READ_EVENTS: &str = "
    SELECT position, event_id, payment_id, version, kind, at, document
    FROM outbox WHERE tenant_id = $1 AND position > $2 ORDER BY position LIMIT $3";

pub(super) const ANY_UNPLACED: &str =
    "SELECT 1 FROM outbox WHERE tenant_id = $1 AND position IS NULL LIMIT 1";

pub(super) const ENSURE_COUNTER: &str = "
    INSERT INTO counters (tenant_id, name, value) VALUES ($1, 'outbox', 0) ON CONFLICT DO NOTHING";

pub(super) const READ_COUNTER: &str =
    "SELECT value FROM counters WHERE tenant_id = $1 AND name = 'outbox'";

pub(super) const LOCK_COUNTER: &str =
    "SELECT value FROM counters WHERE tenant_id = $1 AND name = 'outbox' FOR UPDATE";

/// A portion of `$3`. Its events are numbered in the order in which they were written, but never
/// against that of versions: an event counts as no earlier than those of its payment before it,
/// even when the clock was set back. Which events are in it is told by an index alone, so that a
/// portion takes as long whatever waits behind it; of each payment it has the earliest, as the
/// index has them. Those of no payment are last there, so some of them are always in it.
pub(super) const PLACE_EVENTS: &str = "
    WITH portion AS MATERIALIZED (
      (SELECT event_id, payment_id, version, place, written_at
      FROM outbox WHERE tenant_id = $1 AND position IS NULL
      ORDER BY position, payment_id, version, place, event_id LIMIT $3)
      UNION
      (SELECT event_id, payment_id, version, place, written_at
      FROM outbox WHERE tenant_id = $1 AND position IS NULL AND payment_id IS NULL
      ORDER BY position, payment_id, version, place, event_id LIMIT $3 / 10)
    ), waiting AS MATERIALIZED (
      SELECT event_id, payment_id, version, place,
        max(written_at) OVER (PARTITION BY COALESCE(payment_id, event_id) ORDER BY version, place)
          AS not_before
      FROM portion
    ), numbered AS MATERIALIZED (
      SELECT event_id,
        row_number() OVER (ORDER BY not_before, payment_id, version, place, event_id) AS nth
      FROM waiting
    )
    UPDATE outbox SET position = $2 + numbered.nth FROM numbered
    WHERE outbox.tenant_id = $1 AND outbox.event_id = numbered.event_id";

pub(super) const ADVANCE_COUNTER: &str =
    "UPDATE counters SET value = value + $2 WHERE tenant_id = $1 AND name = 'outbox'";
