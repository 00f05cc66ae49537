-- +goose Up
-- An authorization request, from its arrival to the exchange of its code. browser: hash of the cookie that began it.
CREATE TABLE oauth_requests (
    id           TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    browser      BLOB NOT NULL,
    redirect_uri TEXT NOT NULL,
    state        TEXT NOT NULL,
    nonce        TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    challenge    TEXT NOT NULL, -- S256
    prompt       TEXT NOT NULL,
    max_age      INTEGER NOT NULL, -- seconds; -1: not asked for
    login_hint   TEXT NOT NULL,
    session_id   INTEGER NOT NULL, -- 0: not signed in yet
    code_hash    BLOB, -- SHA-256 of the code
    code_at      INTEGER NOT NULL, -- 0: no code yet
    grant_id     INTEGER NOT NULL, -- 0: the code was not exchanged
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX oauth_requests_code ON oauth_requests (code_hash);
CREATE INDEX oauth_requests_expiry ON oauth_requests (expires_at);
