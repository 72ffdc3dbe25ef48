-- What the orchestrator keeps, with the same names in every dialect. The tenant comes first in
-- every key; times are milliseconds since 1970, JSON is text, booleans are 0 and 1.

CREATE TABLE payments (
  tenant_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  version INTEGER NOT NULL CHECK (version > 0),
  reference TEXT NOT NULL,
  status TEXT NOT NULL,
  in_doubt INTEGER NOT NULL CHECK (in_doubt IN (0, 1)),
  review INTEGER NOT NULL CHECK (review IN (0, 1)),
  due_at INTEGER,
  lease_owner TEXT,
  lease_until INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
) STRICT;

CREATE INDEX payments_due ON payments (tenant_id, due_at, payment_id);

CREATE INDEX payments_reference ON payments (tenant_id, reference, payment_id);

-- What a person looks for: few rows of a great many.
CREATE INDEX payments_watched ON payments (tenant_id, in_doubt, review, payment_id);

-- The right to move money: at most one attempt of a payment has it.
CREATE TABLE live_slot (
  tenant_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, payment_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE caller_keys (
  tenant_id TEXT NOT NULL,
  caller_key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  attempt INTEGER,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, caller_key)
) STRICT, WITHOUT ROWID;

CREATE INDEX caller_keys_age ON caller_keys (tenant_id, created_at);

-- One object at a provider belongs to one payment.
CREATE TABLE provider_objects (
  tenant_id TEXT NOT NULL,
  account TEXT NOT NULL,
  kind TEXT NOT NULL,
  object_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  PRIMARY KEY (tenant_id, account, kind, object_id)
) STRICT, WITHOUT ROWID;

-- The audit. Its key is the second guard of a version: two changes cannot both have made it.
CREATE TABLE transitions (
  tenant_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  transition_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  node TEXT NOT NULL,
  cause TEXT NOT NULL,
  evidence TEXT NOT NULL,
  from_status TEXT NOT NULL,
  to_status TEXT NOT NULL,
  previous_digest TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (tenant_id, payment_id, version)
) STRICT;

-- An event without an outcome waits to be applied.
CREATE TABLE inbox (
  tenant_id TEXT NOT NULL,
  account TEXT NOT NULL,
  event_key TEXT NOT NULL,
  trust TEXT NOT NULL,
  event TEXT NOT NULL,
  digest TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  outcome TEXT,
  lease_owner TEXT,
  lease_until INTEGER,
  PRIMARY KEY (tenant_id, account, event_key)
) STRICT;

CREATE INDEX inbox_due ON inbox (tenant_id, outcome, due_at);

CREATE INDEX inbox_digest ON inbox (tenant_id, account, digest, outcome);

CREATE INDEX inbox_age ON inbox (tenant_id, received_at);

-- Positions are given when an event is written: one thread writes, so their order is that of the
-- commits.
CREATE TABLE outbox (
  tenant_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  payment_id TEXT,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, event_id),
  UNIQUE (tenant_id, position)
) STRICT;

CREATE TABLE counters (
  tenant_id TEXT NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, name)
) STRICT, WITHOUT ROWID;
