-- +goose NO TRANSACTION
-- +goose Up
-- tax_year is when the tax year began in which the payout was made (Unix ms), taxable_minor what of it and of earlier payouts was taxed
-- with it. next_at is when a worker looks at it again, and a lease while one does.
CREATE TABLE IF NOT EXISTS payouts (
    id            BIGINT       NOT NULL PRIMARY KEY,
    batch_id      BIGINT       NOT NULL,
    affiliate_id  BIGINT       NOT NULL,
    method_id     BIGINT       NOT NULL,
    currency      VARCHAR(3)   NOT NULL,
    gross_minor   BIGINT       NOT NULL,
    tax_minor     BIGINT       NOT NULL,
    net_minor     BIGINT       NOT NULL,
    taxable_minor BIGINT       NOT NULL,
    tax_rule_id   BIGINT       NOT NULL,
    tax_year      BIGINT       NOT NULL,
    tax_note      TEXT         NOT NULL,
    state         VARCHAR(12)  NOT NULL,
    reference     VARCHAR(128) NOT NULL,
    reason        VARCHAR(255) NOT NULL,
    next_at       BIGINT       NOT NULL,
    claim         BIGINT       NOT NULL,
    created_at    BIGINT       NOT NULL,
    updated_at    BIGINT       NOT NULL,
    paid_at       BIGINT       NOT NULL,
    KEY payouts_batch (batch_id, id),
    KEY payouts_affiliate (affiliate_id, id),
    KEY payouts_due (state, next_at, id),
    KEY payouts_year (affiliate_id, currency, tax_year),
    CHECK (state IN ('reserved', 'sending', 'sent', 'paid', 'failed', 'returned', 'cancelled')),
    CHECK (net_minor > 0 AND tax_minor >= 0 AND gross_minor = net_minor + tax_minor),
    FOREIGN KEY (batch_id) REFERENCES payout_batches (id),
    FOREIGN KEY (method_id) REFERENCES payout_methods (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
