-- +goose Up
-- Keys that sign ID tokens; the newest signs.
CREATE TABLE oauth_keys (
    id          INTEGER NOT NULL PRIMARY KEY,
    private_key TEXT NOT NULL, -- PKCS 8, sealed
    created_at  INTEGER NOT NULL
) STRICT;
