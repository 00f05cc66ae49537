-- +goose NO TRANSACTION
-- +goose Up
-- total_minor and payouts are what the person saw.
CREATE TABLE IF NOT EXISTS payout_approvals (
    batch_id    BIGINT NOT NULL,
    person_id   BIGINT NOT NULL,
    total_minor BIGINT NOT NULL,
    payouts     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    PRIMARY KEY (batch_id, person_id),
    FOREIGN KEY (batch_id) REFERENCES payout_batches (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
