-- +goose Up
-- refunded_minor: of a sale, what its refunds took back so far; of a refund, what it took back itself.
-- closed: what is left of a sale or lead to take back: 0 something, 1 it was refunded in full, 2 it was rejected.
CREATE TABLE conversions (
    id             INTEGER NOT NULL PRIMARY KEY,
    program_id     INTEGER NOT NULL,
    type           TEXT    NOT NULL,
    txn_id         TEXT    NOT NULL,
    subject        TEXT    NOT NULL,
    hash           BLOB    NOT NULL,
    click_id       TEXT    NOT NULL,
    amount_minor   INTEGER NOT NULL,
    currency       TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    channel        TEXT    NOT NULL,
    node           INTEGER NOT NULL,
    received_at    INTEGER NOT NULL,
    booked_at      INTEGER NOT NULL,
    state          TEXT    NOT NULL,
    reason         TEXT    NOT NULL,
    affiliate_id   INTEGER NOT NULL,
    link_id        INTEGER NOT NULL,
    attribution    TEXT    NOT NULL,
    explanation    TEXT    NOT NULL,
    no_commission  TEXT    NOT NULL,
    refunded_minor INTEGER NOT NULL CHECK (refunded_minor >= 0),
    refunded_currency TEXT NOT NULL,
    closed         INTEGER NOT NULL,
    UNIQUE (program_id, type, txn_id)
) STRICT;
CREATE INDEX conversions_subject ON conversions (program_id, subject);
CREATE INDEX conversions_program ON conversions (program_id, id);
CREATE INDEX conversions_program_type ON conversions (program_id, type, id);
CREATE INDEX conversions_type ON conversions (type, id);
CREATE INDEX conversions_affiliate ON conversions (affiliate_id, id);
CREATE INDEX conversions_txn ON conversions (txn_id);
CREATE INDEX conversions_state ON conversions (state, id);
