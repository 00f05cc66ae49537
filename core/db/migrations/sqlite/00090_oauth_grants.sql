-- +goose Up
-- What a person granted a client in one sign-in: the family of its refresh tokens. Ends with the session.
CREATE TABLE oauth_grants (
    id           INTEGER NOT NULL PRIMARY KEY,
    session_id   INTEGER NOT NULL,
    person_id    INTEGER NOT NULL,
    client_id    TEXT NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    revoked_at   INTEGER NOT NULL, -- 0: valid
    reason       TEXT NOT NULL -- why it was revoked
) STRICT;
CREATE INDEX oauth_grants_session ON oauth_grants (session_id);
CREATE INDEX oauth_grants_person ON oauth_grants (person_id);
CREATE INDEX oauth_grants_expiry ON oauth_grants (expires_at);
