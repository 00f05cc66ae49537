-- +goose NO TRANSACTION
-- +goose Up
-- name_lower: names are looked for by how they begin, in any case.
ALTER TABLE people ADD COLUMN name_lower VARCHAR(255) GENERATED ALWAYS AS (LOWER(name)) VIRTUAL, ADD KEY people_name (name_lower);
