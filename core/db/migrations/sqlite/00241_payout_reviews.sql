-- +goose Up
-- up_to is the newest ledger transaction of the payable account that the review has seen.
CREATE TABLE payout_reviews (
    id           INTEGER NOT NULL PRIMARY KEY,
    affiliate_id INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    up_to        INTEGER NOT NULL,
    person_id    INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX payout_reviews_affiliate ON payout_reviews (affiliate_id, currency, up_to);
