-- +goose NO TRANSACTION
-- +goose Up
-- How far each event is. review: somebody has to look. dead: given up; it can be replayed.
CREATE TABLE IF NOT EXISTS payment_event_work (
    event      BIGINT NOT NULL PRIMARY KEY COMMENT 'payment_events.id',
    gateway    VARCHAR(16) NOT NULL,
    state      VARCHAR(8) NOT NULL CHECK (state IN ('pending', 'done', 'ignored', 'review', 'dead')),
    reason     VARCHAR(255) NOT NULL,
    order_id   BIGINT NOT NULL COMMENT '0: not known',
    attempts   BIGINT NOT NULL,
    started_at BIGINT NOT NULL COMMENT 'from when retries count',
    next_at    BIGINT NOT NULL,
    claim      BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    KEY payment_event_work_due (state, next_at, event),
    KEY payment_event_work_order (order_id, event)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
