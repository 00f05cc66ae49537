-- +goose NO TRANSACTION
-- +goose Up
-- owner_id is the affiliate, or 0 for the business itself.
CREATE TABLE IF NOT EXISTS ledger_accounts (
    id         BIGINT      NOT NULL PRIMARY KEY,
    owner_id   BIGINT      NOT NULL,
    kind       VARCHAR(24) NOT NULL,
    currency   VARCHAR(3)  NOT NULL,
    created_at BIGINT      NOT NULL,
    UNIQUE KEY ledger_accounts_key (owner_id, kind, currency)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
