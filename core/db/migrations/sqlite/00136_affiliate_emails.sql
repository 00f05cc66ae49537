-- +goose Up
-- Affiliates by the lower-case form of their e-mail address, to notice those who buy for themselves. Kept by triggers.
CREATE TABLE affiliate_emails (
    affiliate_id INTEGER NOT NULL PRIMARY KEY,
    email        TEXT NOT NULL
) STRICT;
CREATE INDEX affiliate_emails_email ON affiliate_emails (email);
