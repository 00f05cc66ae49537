-- +goose NO TRANSACTION
-- +goose Up
-- up_to is the newest ledger transaction of the payable account that the review has seen.
CREATE TABLE IF NOT EXISTS payout_reviews (
    id           BIGINT       NOT NULL PRIMARY KEY,
    affiliate_id BIGINT       NOT NULL,
    currency     VARCHAR(3)   NOT NULL,
    up_to        BIGINT       NOT NULL,
    person_id    BIGINT       NOT NULL,
    reason       VARCHAR(255) NOT NULL,
    created_at   BIGINT       NOT NULL,
    KEY payout_reviews_affiliate (affiliate_id, currency, up_to)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
