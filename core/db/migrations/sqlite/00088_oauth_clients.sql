-- +goose Up
-- redirect_uris and post_logout_uris: separated by line feeds. secret_hash empty: a public client.
CREATE TABLE oauth_clients (
    id               INTEGER NOT NULL PRIMARY KEY,
    name             TEXT NOT NULL,
    redirect_uris    TEXT NOT NULL,
    post_logout_uris TEXT NOT NULL,
    scopes           TEXT NOT NULL, -- separated by spaces; the most that it is granted
    secret_hash      TEXT NOT NULL, -- hexadecimal SHA-256; empty: a public client
    created_at       INTEGER NOT NULL,
    disabled_at      INTEGER NOT NULL -- 0: enabled
) STRICT;
