-- +goose Up
-- More of the terms than a share or a flat amount: JSON, or empty.
ALTER TABLE commission_rule_versions ADD COLUMN terms TEXT NOT NULL DEFAULT '';
