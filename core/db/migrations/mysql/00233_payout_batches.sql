-- +goose NO TRANSACTION
-- +goose Up
-- created_by is a person, created_token a machine. Totals are summed up from payouts and stored nowhere.
CREATE TABLE IF NOT EXISTS payout_batches (
    id               BIGINT       NOT NULL PRIMARY KEY,
    currency         VARCHAR(3)   NOT NULL,
    executor         VARCHAR(16)  NOT NULL,
    state            VARCHAR(12)  NOT NULL,
    note             VARCHAR(255) NOT NULL,
    created_by       BIGINT       NOT NULL,
    created_token    BIGINT       NOT NULL,
    approvals_needed BIGINT       NOT NULL,
    file_sha256      VARCHAR(64)  NOT NULL,
    file_at          BIGINT       NOT NULL,
    file_downloads   BIGINT       NOT NULL,
    created_at       BIGINT       NOT NULL,
    updated_at       BIGINT       NOT NULL,
    KEY payout_batches_state (state, id),
    CHECK (state IN ('created', 'approved', 'executing', 'completed', 'cancelled'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
