-- +goose Up
-- viewer_id: who looks at the person with it, read-only; 0: the person.
CREATE TABLE oauth_access_tokens (
    hash       BLOB NOT NULL PRIMARY KEY,
    grant_id   INTEGER NOT NULL, -- 0: a look at a person
    session_id INTEGER NOT NULL,
    person_id  INTEGER NOT NULL,
    viewer_id  INTEGER NOT NULL,
    scopes     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_access_tokens_grant ON oauth_access_tokens (grant_id);
CREATE INDEX oauth_access_tokens_expiry ON oauth_access_tokens (expires_at);
