-- +goose NO TRANSACTION
-- +goose Up
-- Events that were not booked and have no row of their own in conversions: the key is taken by other input, or the
-- event is not valid. Each distinct one is kept once, whole.
CREATE TABLE IF NOT EXISTS conversion_conflicts (
    id         BIGINT         NOT NULL PRIMARY KEY,
    program_id BIGINT         NOT NULL,
    type       VARBINARY(8)   NOT NULL,
    txn_id     VARBINARY(128) NOT NULL,
    hash       BINARY(32)     NOT NULL,
    event      MEDIUMTEXT     NOT NULL,
    detail     TEXT           NOT NULL,
    created_at BIGINT         NOT NULL,
    UNIQUE KEY conversion_conflicts_key (program_id, type, txn_id, hash)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
