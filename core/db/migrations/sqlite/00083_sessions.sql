-- +goose Up
-- One sign-in of one person. second_factor_at 0: not proved. revoked_at 0: valid.
CREATE TABLE sessions (
    id               INTEGER NOT NULL PRIMARY KEY,
    person_id        INTEGER NOT NULL,
    hash             BLOB NOT NULL, -- SHA-256 of the secret in the cookie
    state            TEXT NOT NULL CHECK (state IN ('pending', 'active')),
    device           TEXT NOT NULL, -- as people name it: Firefox on Android
    address          TEXT NOT NULL,
    created_at       INTEGER NOT NULL,
    last_used_at     INTEGER NOT NULL, -- to the minute
    authenticated_at INTEGER NOT NULL,
    second_factor_at INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    revoked_at       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX sessions_hash ON sessions (hash);
CREATE INDEX sessions_person ON sessions (person_id, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);
