-- +goose Up
CREATE TABLE tokens (
    id           INTEGER NOT NULL PRIMARY KEY,
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL, -- separated by spaces
    hash         BLOB    NOT NULL UNIQUE, -- SHA-256 of the secret
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL, -- 0: never; to the minute
    revoked_at   INTEGER NOT NULL  -- 0: valid
) STRICT;
