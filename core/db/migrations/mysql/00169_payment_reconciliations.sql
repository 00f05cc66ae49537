-- +goose NO TRANSACTION
-- +goose Up
-- Comparisons of our payments with the list of a gateway. differences: JSON.
CREATE TABLE IF NOT EXISTS payment_reconciliations (
    id               BIGINT NOT NULL PRIMARY KEY,
    gateway          VARCHAR(16) NOT NULL,
    from_at          BIGINT NOT NULL,
    to_at            BIGINT NOT NULL,
    payments         BIGINT NOT NULL COMMENT 'of the gateway, in the period',
    refunds          BIGINT NOT NULL,
    difference_count BIGINT NOT NULL,
    differences      MEDIUMTEXT NOT NULL,
    created_at       BIGINT NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
