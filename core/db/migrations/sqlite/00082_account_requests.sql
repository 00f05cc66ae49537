-- +goose Up
-- What strangers asked for. A worker looks later whether the address is known, so that the answer cannot tell.
CREATE TABLE account_requests (
    id         INTEGER NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL CHECK (kind IN ('sign_up', 'reset', 'email')),
    email      TEXT NOT NULL,
    name       TEXT NOT NULL,
    roles      TEXT NOT NULL,
    sponsor_id INTEGER NOT NULL,
    person_id  INTEGER NOT NULL, -- who asks for another address; 0: a stranger
    created_at INTEGER NOT NULL
) STRICT;
