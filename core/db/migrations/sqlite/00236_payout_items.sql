-- +goose Up
-- What a payout pays of which commission; negative: what a refund took back after an earlier payout. No foreign key to commissions:
-- it would lock a commission behind its account, the other way round than bookings do.
CREATE TABLE payout_items (
    payout_id     INTEGER NOT NULL,
    commission_id INTEGER NOT NULL,
    amount_minor  INTEGER NOT NULL,
    PRIMARY KEY (payout_id, commission_id),
    CHECK (amount_minor <> 0),
    FOREIGN KEY (payout_id) REFERENCES payouts (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX payout_items_commission ON payout_items (commission_id, payout_id, amount_minor);
