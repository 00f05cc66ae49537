-- +goose Up
-- name_lower: names are looked for by how they begin, in any case.
ALTER TABLE people ADD COLUMN name_lower TEXT GENERATED ALWAYS AS (LOWER(name)) VIRTUAL;
CREATE INDEX people_name ON people (name_lower);
