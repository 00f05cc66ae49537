-- +goose Up
-- Never changed: of those of a country and currency, the one with the latest valid_from counts. confirmed_by: the accountant; empty: nobody has.
CREATE TABLE tax_rules (
    id              INTEGER NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    country         TEXT    NOT NULL,
    currency        TEXT    NOT NULL,
    rate_bp         INTEGER NOT NULL,
    no_id_rate_bp   INTEGER NOT NULL,
    threshold_minor INTEGER NOT NULL,
    threshold_mode  TEXT    NOT NULL,
    begin_month     INTEGER NOT NULL,
    begin_day       INTEGER NOT NULL,
    utc_offset_min  INTEGER NOT NULL,
    round_minor     INTEGER NOT NULL,
    valid_from      INTEGER NOT NULL,
    confirmed_by    TEXT    NOT NULL,
    note            TEXT    NOT NULL,
    created_at      INTEGER NOT NULL,
    UNIQUE (country, currency, valid_from),
    CHECK (threshold_mode IN ('whole', 'excess')),
    CHECK (rate_bp BETWEEN 0 AND 10000),
    CHECK (no_id_rate_bp BETWEEN 0 AND 10000)
) STRICT;
