-- +goose Up
-- One event for one endpoint. next_at: when it is due; while it is being sent, when the lease of claim ends.
-- started_at: from when the time for retries counts; a replay sets it anew, and attempts to 0.
CREATE TABLE webhook_deliveries (
    id           INTEGER NOT NULL PRIMARY KEY,
    endpoint_id  INTEGER NOT NULL,
    event_id     INTEGER NOT NULL,
    state        TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts     INTEGER NOT NULL,
    next_at      INTEGER NOT NULL,
    claim        INTEGER NOT NULL, -- 0: nobody is sending it
    started_at   INTEGER NOT NULL,
    last_status  INTEGER NOT NULL, -- 0: no answer
    last_error   TEXT    NOT NULL,
    delivered_at INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    UNIQUE (event_id, endpoint_id)
) STRICT;
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (state, next_at, id);
CREATE INDEX webhook_deliveries_endpoint ON webhook_deliveries (endpoint_id, state, id);
CREATE INDEX webhook_deliveries_updated ON webhook_deliveries (state, updated_at);
