-- +goose NO TRANSACTION
-- +goose Up
-- payout_id 0: about the batch. person_id and token_id 0: the system.
CREATE TABLE IF NOT EXISTS payout_events (
    id         BIGINT       NOT NULL PRIMARY KEY,
    batch_id   BIGINT       NOT NULL,
    payout_id  BIGINT       NOT NULL,
    from_state VARCHAR(12)  NOT NULL,
    to_state   VARCHAR(12)  NOT NULL,
    reason     VARCHAR(255) NOT NULL,
    person_id  BIGINT       NOT NULL,
    token_id   BIGINT       NOT NULL,
    created_at BIGINT       NOT NULL,
    KEY payout_events_batch (batch_id, id),
    KEY payout_events_payout (payout_id, id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
