-- +goose Up
-- snapshot: JSON, all that the document shows. ref_id: of a credit note the refund, of an invoice 0.
CREATE TABLE invoices (
    id          INTEGER NOT NULL PRIMARY KEY,
    kind        TEXT NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    number      TEXT NOT NULL,
    series      TEXT NOT NULL,
    year        INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    order_id    INTEGER NOT NULL,
    ref_id      INTEGER NOT NULL,
    currency    TEXT NOT NULL,
    total_minor INTEGER NOT NULL,
    snapshot    TEXT NOT NULL,
    issued_at   INTEGER NOT NULL,
    UNIQUE (number),
    UNIQUE (series, year, seq),
    UNIQUE (order_id, kind, ref_id)
) STRICT;
