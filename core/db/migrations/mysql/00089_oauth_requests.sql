-- +goose NO TRANSACTION
-- +goose Up
-- An authorization request, from its arrival to the exchange of its code. browser: hash of the cookie that began it.
CREATE TABLE IF NOT EXISTS oauth_requests (
    id           VARBINARY(43) NOT NULL,
    client_id    VARBINARY(64) NOT NULL,
    browser      BINARY(32) NOT NULL,
    redirect_uri TEXT NOT NULL,
    state        TEXT NOT NULL,
    nonce        VARCHAR(255) NOT NULL,
    scopes       VARCHAR(1024) NOT NULL,
    challenge    VARBINARY(43) NOT NULL COMMENT 'S256',
    prompt       VARCHAR(64) NOT NULL,
    max_age      BIGINT NOT NULL COMMENT 'seconds; -1: not asked for',
    login_hint   VARCHAR(254) NOT NULL,
    session_id   BIGINT NOT NULL COMMENT '0: not signed in yet',
    code_hash    BINARY(32) NULL COMMENT 'SHA-256 of the code',
    code_at      BIGINT NOT NULL COMMENT '0: no code yet',
    grant_id     BIGINT NOT NULL COMMENT '0: the code was not exchanged',
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE KEY oauth_requests_code (code_hash),
    KEY oauth_requests_expiry (expires_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
