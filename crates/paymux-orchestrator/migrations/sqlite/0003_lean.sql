-- A payment that is over and well is in no index of what waits: it is found by its id, its
-- reference and its objects.

DROP INDEX payments_due;

CREATE INDEX payments_due ON payments (tenant_id, due_at, payment_id) WHERE due_at IS NOT NULL;

DROP INDEX payments_watched;

CREATE INDEX payments_watched ON payments (tenant_id, payment_id) WHERE in_doubt = 1 OR review = 1;

-- An event of a payment is written once because its version is. Only those that are about no
-- payment are told from each other by their id. The next position is the one after the last that is
-- there; what the counter says is the least that was given, should the last have been deleted.

ALTER TABLE outbox RENAME TO outbox_before;

CREATE TABLE outbox (
  tenant_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  event_id TEXT NOT NULL,
  payment_id TEXT,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant_id, position)
) STRICT;

CREATE UNIQUE INDEX outbox_alone ON outbox (tenant_id, event_id) WHERE payment_id IS NULL;

INSERT INTO outbox (tenant_id, position, event_id, payment_id, version, kind, at, document)
  SELECT tenant_id, position, event_id, payment_id, version, kind, at, document
  FROM outbox_before ORDER BY tenant_id, position;

DROP TABLE outbox_before;
