-- +goose NO TRANSACTION
-- +goose Up
-- What was given back of reversals, because a dispute was won.
CREATE TABLE IF NOT EXISTS commission_restorals (
    commission_id BIGINT NOT NULL,
    conversion_id BIGINT NOT NULL,
    amount_minor  BIGINT NOT NULL CHECK (amount_minor >= 0),
    explanation   TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (commission_id, conversion_id),
    KEY commission_restorals_conversion (conversion_id),
    FOREIGN KEY (commission_id) REFERENCES commissions (id),
    FOREIGN KEY (conversion_id) REFERENCES conversions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
