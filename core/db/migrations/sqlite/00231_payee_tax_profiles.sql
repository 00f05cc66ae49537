-- +goose Up
-- sealed holds the tax identity (PAN in India), fingerprint a keyed hash of it; both empty: none was given.
CREATE TABLE payee_tax_profiles (
    affiliate_id INTEGER NOT NULL PRIMARY KEY,
    country      TEXT    NOT NULL,
    sealed       TEXT    NOT NULL,
    masked       TEXT    NOT NULL,
    fingerprint  TEXT    NOT NULL,
    updated_at   INTEGER NOT NULL,
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) STRICT;
