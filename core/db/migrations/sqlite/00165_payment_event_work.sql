-- +goose Up
-- How far each event is. review: somebody has to look. dead: given up; it can be replayed.
CREATE TABLE payment_event_work (
    event      INTEGER NOT NULL PRIMARY KEY, -- payment_events.id
    gateway    TEXT NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('pending', 'done', 'ignored', 'review', 'dead')),
    reason     TEXT NOT NULL,
    order_id   INTEGER NOT NULL, -- 0: not known
    attempts   INTEGER NOT NULL,
    started_at INTEGER NOT NULL, -- from when retries count
    next_at    INTEGER NOT NULL,
    claim      INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX payment_event_work_due ON payment_event_work (state, next_at, event);
CREATE INDEX payment_event_work_order ON payment_event_work (order_id, event);
