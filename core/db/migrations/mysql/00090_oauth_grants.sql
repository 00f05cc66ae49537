-- +goose NO TRANSACTION
-- +goose Up
-- What a person granted a client in one sign-in: the family of its refresh tokens. Ends with the session.
CREATE TABLE IF NOT EXISTS oauth_grants (
    id           BIGINT NOT NULL PRIMARY KEY,
    session_id   BIGINT NOT NULL,
    person_id    BIGINT NOT NULL,
    client_id    VARBINARY(64) NOT NULL,
    scopes       VARCHAR(1024) NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    revoked_at   BIGINT NOT NULL COMMENT '0: valid',
    reason       VARCHAR(32) NOT NULL COMMENT 'why it was revoked',
    KEY oauth_grants_session (session_id),
    KEY oauth_grants_person (person_id),
    KEY oauth_grants_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
