-- +goose Up
-- Links that were sent by mail and open one page once: to set a password (first or new) or to confirm an address.
CREATE TABLE account_links (
    id         INTEGER NOT NULL PRIMARY KEY,
    hash       BLOB NOT NULL, -- SHA-256 of the secret in the link
    kind       TEXT NOT NULL CHECK (kind IN ('sign_up', 'invite', 'reset', 'email')),
    person_id  INTEGER NOT NULL, -- 0: nobody yet
    email      TEXT NOT NULL,
    name       TEXT NOT NULL,
    roles      TEXT NOT NULL, -- of the person to be
    sponsor_id INTEGER NOT NULL, -- affiliate who brought the affiliate to be; 0: nobody
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL -- 0: not used
) STRICT;
CREATE UNIQUE INDEX account_links_hash ON account_links (hash);
CREATE INDEX account_links_person ON account_links (person_id, kind);
CREATE INDEX account_links_email ON account_links (email, created_at);
CREATE INDEX account_links_expiry ON account_links (expires_at);
