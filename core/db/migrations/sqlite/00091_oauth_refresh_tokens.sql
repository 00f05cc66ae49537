-- +goose Up
-- parent_id 0: the first of its grant. Of the successors of one token only the first used stays good.
CREATE TABLE oauth_refresh_tokens (
    id         INTEGER NOT NULL PRIMARY KEY,
    grant_id   INTEGER NOT NULL,
    parent_id  INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL -- 0: not used
) STRICT;
CREATE UNIQUE INDEX oauth_refresh_tokens_hash ON oauth_refresh_tokens (hash);
CREATE INDEX oauth_refresh_tokens_grant ON oauth_refresh_tokens (grant_id, parent_id);
