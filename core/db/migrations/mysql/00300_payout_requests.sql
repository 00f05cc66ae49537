-- +goose NO TRANSACTION
-- +goose Up
-- slot is 0 while the request waits and its own id afterwards: one that waits for each affiliate and currency. Amounts are what a payout
-- would have been when it was asked for. decided_by is a person, decided_token a machine; both 0: the system.
CREATE TABLE IF NOT EXISTS payout_requests (
    id            BIGINT       NOT NULL PRIMARY KEY,
    affiliate_id  BIGINT       NOT NULL,
    currency      VARCHAR(3)   NOT NULL,
    state         VARCHAR(12)  NOT NULL,
    slot          BIGINT       NOT NULL,
    gross_minor   BIGINT       NOT NULL,
    net_minor     BIGINT       NOT NULL,
    batch_id      BIGINT       NOT NULL,
    payout_id     BIGINT       NOT NULL,
    reason        VARCHAR(255) NOT NULL,
    decided_by    BIGINT       NOT NULL,
    decided_token BIGINT       NOT NULL,
    created_at    BIGINT       NOT NULL,
    updated_at    BIGINT       NOT NULL,
    UNIQUE KEY payout_requests_slot (affiliate_id, currency, slot),
    KEY payout_requests_state (state, id),
    KEY payout_requests_affiliate (affiliate_id, id),
    KEY payout_requests_payout (payout_id),
    CHECK (state IN ('waiting', 'taken', 'withdrawn', 'declined')),
    CHECK ((state = 'waiting') = (slot = 0)),
    CHECK ((state = 'taken') = (payout_id <> 0)),
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
