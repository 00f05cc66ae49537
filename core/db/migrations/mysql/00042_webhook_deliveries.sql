-- +goose NO TRANSACTION
-- +goose Up
-- One event for one endpoint. next_at: when it is due; while it is being sent, when the lease of claim ends.
-- started_at: from when the time for retries counts; a replay sets it anew, and attempts to 0.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    id           BIGINT      NOT NULL PRIMARY KEY,
    endpoint_id  BIGINT      NOT NULL,
    event_id     BIGINT      NOT NULL,
    state        VARCHAR(9)  NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
    attempts     BIGINT      NOT NULL,
    next_at      BIGINT      NOT NULL,
    claim        BIGINT      NOT NULL COMMENT '0: nobody is sending it',
    started_at   BIGINT      NOT NULL,
    last_status  BIGINT      NOT NULL COMMENT '0: no answer',
    last_error   VARCHAR(255) NOT NULL,
    delivered_at BIGINT      NOT NULL,
    created_at   BIGINT      NOT NULL,
    updated_at   BIGINT      NOT NULL,
    UNIQUE KEY webhook_deliveries_event (event_id, endpoint_id),
    KEY webhook_deliveries_due (state, next_at, id),
    KEY webhook_deliveries_endpoint (endpoint_id, state, id),
    KEY webhook_deliveries_updated (state, updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
