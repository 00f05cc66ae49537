-- +goose NO TRANSACTION
-- +goose Up
-- What a program says of attribution and commissions beside its columns: JSON, or empty for all defaults.
ALTER TABLE programs ADD COLUMN terms VARCHAR(8000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';
