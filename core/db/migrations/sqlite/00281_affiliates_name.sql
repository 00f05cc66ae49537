-- +goose Up
-- name_lower: names are looked for by how they begin, in any case.
ALTER TABLE affiliates ADD COLUMN name_lower TEXT GENERATED ALWAYS AS (LOWER(name)) VIRTUAL;
CREATE INDEX affiliates_name ON affiliates (name_lower);
