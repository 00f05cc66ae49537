-- +goose Up
CREATE TABLE programs (
    id                      INTEGER NOT NULL PRIMARY KEY,
    name                    TEXT    NOT NULL,
    status                  TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    currency                TEXT    NOT NULL, -- ISO 4217, or empty
    attribution_window_days INTEGER NOT NULL,
    attribution_model       TEXT    NOT NULL,
    hold_days               INTEGER NOT NULL,
    allowed_hosts           TEXT    NOT NULL, -- JSON array
    fallback_url            TEXT    NOT NULL,
    click_param             TEXT    NOT NULL,
    browser_conversions     TEXT    NOT NULL,
    secret                  TEXT    NOT NULL,
    previous_secret         TEXT    NOT NULL, -- empty: none
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    rev                     INTEGER NOT NULL
) STRICT;
CREATE INDEX programs_rev ON programs (rev);
