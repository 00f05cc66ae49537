-- +goose NO TRANSACTION
-- +goose Up
-- What was told to the shop, each once. outcome_key: the gateway name of the payment, refund or dispute.
CREATE TABLE IF NOT EXISTS payment_outcomes (
    id           BIGINT NOT NULL PRIMARY KEY,
    payment      BIGINT NOT NULL,
    order_id     BIGINT NOT NULL,
    gateway      VARCHAR(16) NOT NULL,
    kind         VARCHAR(16) NOT NULL,
    outcome_key  VARBINARY(255) NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency     CHAR(3) NOT NULL,
    at           BIGINT NOT NULL COMMENT 'as the gateway has it',
    created_at   BIGINT NOT NULL,
    UNIQUE KEY payment_outcomes_key (gateway, kind, outcome_key),
    KEY payment_outcomes_order (order_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
