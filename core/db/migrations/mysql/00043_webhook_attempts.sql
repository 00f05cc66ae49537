-- +goose NO TRANSACTION
-- +goose Up
-- The log of everything that was sent. response: the beginning of the answer's body.
CREATE TABLE IF NOT EXISTS webhook_attempts (
    id          BIGINT        NOT NULL PRIMARY KEY,
    delivery_id BIGINT        NOT NULL,
    attempt     BIGINT        NOT NULL,
    duration_ms BIGINT        NOT NULL,
    status      BIGINT        NOT NULL COMMENT '0: no answer',
    error       VARCHAR(255)  NOT NULL,
    response    VARCHAR(1024) NOT NULL,
    created_at  BIGINT        NOT NULL,
    KEY webhook_attempts_delivery (delivery_id, id),
    KEY webhook_attempts_created (created_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
