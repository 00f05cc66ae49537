-- +goose Up
-- What a person agreed to give a client of others.
CREATE TABLE oauth_consents (
    person_id  INTEGER NOT NULL,
    client_id  TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (person_id, client_id)
) STRICT, WITHOUT ROWID;
