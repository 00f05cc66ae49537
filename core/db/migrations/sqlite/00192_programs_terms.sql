-- +goose Up
-- What a program says of attribution and commissions beside its columns: JSON, or empty for all defaults.
ALTER TABLE programs ADD COLUMN terms TEXT NOT NULL DEFAULT '';
