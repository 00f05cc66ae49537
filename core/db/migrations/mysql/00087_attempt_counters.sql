-- +goose NO TRANSACTION
-- +goose Up
-- Failed attempts by what they have in common, which is hashed. blocked_until: no further attempt before.
CREATE TABLE IF NOT EXISTS attempt_counters (
    hash          BINARY(32) NOT NULL PRIMARY KEY,
    failures      BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    KEY attempt_counters_age (updated_at)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
