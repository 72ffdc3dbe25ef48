-- What the orchestrator keeps. Each statement is one step of its own transaction and can be run
-- again, so that a start that broke off in the middle is simply repeated.
--
-- The portable subset: no sequences, triggers, partial or expression indexes, no foreign keys; the
-- tenant comes first in every key; times are milliseconds since 1970, JSON is text, booleans are 0
-- and 1. Columns that are sorted by say "C", so that the order is that of the bytes in every
-- database, and in SQLite.

CREATE TABLE IF NOT EXISTS payments (
  tenant_id TEXT NOT NULL,
  payment_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL CHECK (version > 0),
  reference TEXT COLLATE "C" NOT NULL,
  status TEXT NOT NULL,
  in_doubt BIGINT NOT NULL CHECK (in_doubt IN (0, 1)),
  review BIGINT NOT NULL CHECK (review IN (0, 1)),
  due_at BIGINT,
  lease_owner TEXT,
  lease_until BIGINT NOT NULL DEFAULT 0,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
);

CREATE INDEX IF NOT EXISTS payments_due ON payments (tenant_id, due_at);

CREATE INDEX IF NOT EXISTS payments_reference ON payments (tenant_id, reference, payment_id);

-- What a person looks for: few rows of a great many.
CREATE INDEX IF NOT EXISTS payments_watched ON payments (tenant_id, in_doubt, review, payment_id);

-- The right to move money: at most one attempt of a payment has it.
CREATE TABLE IF NOT EXISTS live_slot (
  tenant_id TEXT NOT NULL,
  payment_id TEXT COLLATE "C" NOT NULL,
  attempt BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
);

CREATE TABLE IF NOT EXISTS caller_keys (
  tenant_id TEXT NOT NULL,
  caller_key TEXT COLLATE "C" NOT NULL,
  request_digest TEXT NOT NULL,
  payment_id TEXT COLLATE "C" NOT NULL,
  attempt BIGINT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, caller_key)
);

-- One object at a provider belongs to one payment.
CREATE TABLE IF NOT EXISTS provider_objects (
  tenant_id TEXT NOT NULL,
  account TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  object_id TEXT COLLATE "C" NOT NULL,
  payment_id TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, account, kind, object_id)
);

-- The audit. Its key is the second guard of a version: two changes cannot both have made it.
CREATE TABLE IF NOT EXISTS transitions (
  tenant_id TEXT NOT NULL,
  payment_id TEXT COLLATE "C" NOT NULL,
  version BIGINT NOT NULL,
  transition_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  node TEXT NOT NULL,
  cause TEXT NOT NULL,
  evidence TEXT NOT NULL,
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  previous_digest TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (tenant_id, payment_id, version)
);

-- An event without an outcome waits to be applied.
CREATE TABLE IF NOT EXISTS inbox (
  tenant_id TEXT NOT NULL,
  account TEXT COLLATE "C" NOT NULL,
  event_key TEXT COLLATE "C" NOT NULL,
  trust TEXT NOT NULL,
  event TEXT NOT NULL,
  digest TEXT COLLATE "C" NOT NULL,
  received_at BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  due_at BIGINT NOT NULL,
  outcome TEXT COLLATE "C",
  lease_owner TEXT,
  lease_until BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, account, event_key)
);

CREATE INDEX IF NOT EXISTS inbox_due ON inbox (tenant_id, outcome, due_at);

CREATE INDEX IF NOT EXISTS inbox_digest ON inbox (tenant_id, account, digest, outcome);

-- An event gets its position when it is first read; until then it has none. When it was written is
-- told by this database's clock, in microseconds.
CREATE TABLE IF NOT EXISTS outbox (
  tenant_id TEXT NOT NULL,
  event_id TEXT COLLATE "C" NOT NULL,
  payment_id TEXT COLLATE "C",
  version BIGINT NOT NULL,
  place BIGINT NOT NULL,
  kind TEXT NOT NULL,
  at BIGINT NOT NULL,
  document TEXT NOT NULL,
  written_at BIGINT NOT NULL,
  position BIGINT,
  PRIMARY KEY (tenant_id, event_id),
  UNIQUE (tenant_id, position)
);

CREATE TABLE IF NOT EXISTS counters (
  tenant_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, name)
);
