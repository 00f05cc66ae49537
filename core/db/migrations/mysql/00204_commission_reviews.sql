-- +goose NO TRANSACTION
-- +goose Up
-- Reversals that took an affiliate's payable balance below the floor of the program. resolved_at 0: nobody has looked yet.
CREATE TABLE IF NOT EXISTS commission_reviews (
    id            BIGINT        NOT NULL PRIMARY KEY,
    program_id    BIGINT        NOT NULL,
    affiliate_id  BIGINT        NOT NULL,
    commission_id BIGINT        NOT NULL,
    conversion_id BIGINT        NOT NULL,
    currency      VARCHAR(3)    NOT NULL,
    balance_minor BIGINT        NOT NULL,
    floor_minor   BIGINT        NOT NULL,
    created_at    BIGINT        NOT NULL,
    resolved_at   BIGINT        NOT NULL,
    resolution    VARCHAR(1000) NOT NULL,
    KEY commission_reviews_resolved (resolved_at, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
