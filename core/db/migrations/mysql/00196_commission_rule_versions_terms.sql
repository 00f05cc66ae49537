-- +goose NO TRANSACTION
-- +goose Up
-- More of the terms than a share or a flat amount: JSON, or empty.
ALTER TABLE commission_rule_versions ADD COLUMN terms VARCHAR(8000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
