-- +goose Up
-- Reversals that took an affiliate's payable balance below the floor of the program. resolved_at 0: nobody has looked yet.
CREATE TABLE commission_reviews (
    id            INTEGER NOT NULL PRIMARY KEY,
    program_id    INTEGER NOT NULL,
    affiliate_id  INTEGER NOT NULL,
    commission_id INTEGER NOT NULL,
    conversion_id INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    balance_minor INTEGER NOT NULL,
    floor_minor   INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    resolved_at   INTEGER NOT NULL,
    resolution    TEXT    NOT NULL
) STRICT;
CREATE INDEX commission_reviews_resolved ON commission_reviews (resolved_at, id);
