-- +goose NO TRANSACTION
-- +goose Up
-- Versions are added, never changed: a commission names the one it was made with. Currency '' means percent_bp counts.
CREATE TABLE IF NOT EXISTS commission_rule_versions (
    rule_id       BIGINT  NOT NULL,
    version       BIGINT  NOT NULL,
    percent_bp    INT     NOT NULL CHECK (percent_bp BETWEEN 0 AND 10000),
    flat_minor    BIGINT  NOT NULL CHECK (flat_minor >= 0),
    flat_currency VARCHAR(3) NOT NULL,
    valid_from    BIGINT  NOT NULL,
    PRIMARY KEY (rule_id, version),
    FOREIGN KEY (rule_id) REFERENCES commission_rules (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
