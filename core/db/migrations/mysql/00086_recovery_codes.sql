-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS recovery_codes (
    hash      BINARY(32) NOT NULL COMMENT 'SHA-256 of the person and the code',
    person_id BIGINT NOT NULL,
    used_at   BIGINT NOT NULL COMMENT '0: not used',
    PRIMARY KEY (hash),
    KEY recovery_codes_person (person_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
