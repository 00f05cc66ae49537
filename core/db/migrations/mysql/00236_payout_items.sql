-- +goose NO TRANSACTION
-- +goose Up
-- What a payout pays of which commission; negative: what a refund took back after an earlier payout. No foreign key to commissions:
-- it would lock a commission behind its account, the other way round than bookings do.
CREATE TABLE IF NOT EXISTS payout_items (
    payout_id     BIGINT NOT NULL,
    commission_id BIGINT NOT NULL,
    amount_minor  BIGINT NOT NULL,
    PRIMARY KEY (payout_id, commission_id),
    KEY payout_items_commission (commission_id, payout_id, amount_minor),
    CHECK (amount_minor <> 0),
    FOREIGN KEY (payout_id) REFERENCES payouts (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
