-- +goose NO TRANSACTION
-- +goose Up
-- affiliate_id 0: a webhook of the business, otherwise a postback of that affiliate. program_id 0: all programs.
-- A deleted endpoint stays as a name for its deliveries, without URL and secrets.
CREATE TABLE IF NOT EXISTS webhook_endpoints (
    id              BIGINT       NOT NULL PRIMARY KEY,
    program_id      BIGINT       NOT NULL,
    affiliate_id    BIGINT       NOT NULL,
    url             TEXT         NOT NULL,
    method          VARCHAR(4)   NOT NULL CHECK (method IN ('GET', 'POST')),
    events          VARCHAR(255) NOT NULL COMMENT 'separated by spaces',
    description     VARCHAR(255) NOT NULL,
    secret          VARCHAR(64)  NOT NULL,
    previous_secret VARCHAR(64)  NOT NULL,
    previous_until  BIGINT       NOT NULL COMMENT 'until when the previous secret signs too',
    state           VARCHAR(8)   NOT NULL CHECK (state IN ('active', 'disabled', 'deleted')),
    disabled_reason VARCHAR(255) NOT NULL,
    failing_since   BIGINT       NOT NULL COMMENT '0: the last attempt succeeded',
    created_at      BIGINT       NOT NULL,
    updated_at      BIGINT       NOT NULL,
    KEY webhook_endpoints_state (state, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
