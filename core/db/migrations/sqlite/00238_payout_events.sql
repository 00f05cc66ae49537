-- +goose Up
-- payout_id 0: about the batch. person_id and token_id 0: the system.
CREATE TABLE payout_events (
    id         INTEGER NOT NULL PRIMARY KEY,
    batch_id   INTEGER NOT NULL,
    payout_id  INTEGER NOT NULL,
    from_state TEXT    NOT NULL,
    to_state   TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    person_id  INTEGER NOT NULL,
    token_id   INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX payout_events_batch ON payout_events (batch_id, id);
CREATE INDEX payout_events_payout ON payout_events (payout_id, id);
