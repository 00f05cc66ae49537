-- +goose Up
INSERT INTO affiliate_emails (affiliate_id, email)
SELECT id, LOWER(email) FROM affiliates WHERE id NOT IN (SELECT affiliate_id FROM affiliate_emails);
