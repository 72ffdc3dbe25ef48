-- What is old is forgotten in portions, and what has no position yet gets one in portions: each is
-- found by an index.

CREATE INDEX IF NOT EXISTS caller_keys_age ON caller_keys (tenant_id, created_at);

CREATE INDEX IF NOT EXISTS inbox_age ON inbox (tenant_id, received_at);

CREATE INDEX IF NOT EXISTS outbox_unplaced
  ON outbox (tenant_id, position, payment_id, version, place, event_id);
