-- +goose NO TRANSACTION
-- +goose Up
-- Coupon codes by which a program's conversions are attributed. code: upper case. ended_at 0: valid.
CREATE TABLE IF NOT EXISTS coupon_owners (
    program_id   BIGINT         NOT NULL,
    code         VARBINARY(128) NOT NULL,
    affiliate_id BIGINT         NOT NULL,
    created_at   BIGINT         NOT NULL,
    ended_at     BIGINT         NOT NULL,
    PRIMARY KEY (program_id, code),
    KEY coupon_owners_affiliate (affiliate_id, program_id, code)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
