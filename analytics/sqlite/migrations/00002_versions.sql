-- +goose Up

-- How often the block was written over. Blocks of a day with as many rows and versions as before are the same as before.
ALTER TABLE blocks ADD COLUMN version INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE blocks DROP COLUMN version;
