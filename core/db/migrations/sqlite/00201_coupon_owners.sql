-- +goose Up
-- Coupon codes by which a program's conversions are attributed. code: upper case. ended_at 0: valid.
CREATE TABLE coupon_owners (
    program_id   INTEGER NOT NULL,
    code         TEXT    NOT NULL,
    affiliate_id INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    PRIMARY KEY (program_id, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX coupon_owners_affiliate ON coupon_owners (affiliate_id, program_id, code);
