-- +goose Up
CREATE TABLE idempotency_keys (
    id         BLOB    NOT NULL PRIMARY KEY, -- hash of token and key
    request    BLOB    NOT NULL, -- hash of method, path and body
    owner      BLOB    NOT NULL, -- of the run that holds the key
    claimed_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    status     INTEGER NOT NULL, -- HTTP status of the response; 0: under way
    response   BLOB    NOT NULL  -- sealed with the token and key
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
