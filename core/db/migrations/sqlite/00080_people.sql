-- +goose Up
-- roles: separated by spaces. Who signs up becomes a person when the address is verified, so every address here was.
-- An erased person keeps the row, for what points at it, with an address that names nobody.
CREATE TABLE people (
    id                  INTEGER NOT NULL PRIMARY KEY,
    email               TEXT NOT NULL, -- normalised; the key of the person
    name                TEXT NOT NULL,
    roles               TEXT NOT NULL, -- separated by spaces
    affiliate_id        INTEGER NOT NULL, -- 0: no affiliate
    status              TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'erased')),
    password            TEXT NOT NULL, -- PHC string; empty: none, nobody can sign in
    password_changed_at INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    erased_at           INTEGER NOT NULL -- 0: not erased
) STRICT;
CREATE UNIQUE INDEX people_email ON people (email);
CREATE INDEX people_affiliate ON people (affiliate_id);
