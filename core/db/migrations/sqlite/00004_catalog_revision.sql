-- +goose Up
CREATE TABLE catalog_revision (
    id  INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    rev INTEGER NOT NULL
) STRICT;
