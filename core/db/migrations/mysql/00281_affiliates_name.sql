-- +goose NO TRANSACTION
-- +goose Up
-- name_lower: names are looked for by how they begin, in any case.
ALTER TABLE affiliates ADD COLUMN name_lower VARCHAR(255) GENERATED ALWAYS AS (LOWER(name)) VIRTUAL, ADD KEY affiliates_name (name_lower);
