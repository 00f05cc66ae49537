-- +goose NO TRANSACTION
-- +goose Up
-- Affiliates by the lower-case form of their e-mail address, to notice those who buy for themselves. Kept by triggers.
CREATE TABLE IF NOT EXISTS affiliate_emails (
    affiliate_id BIGINT NOT NULL PRIMARY KEY,
    email        VARBINARY(255) NOT NULL,
    KEY affiliate_emails_email (email)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
