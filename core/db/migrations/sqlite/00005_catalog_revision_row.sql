-- +goose Up
INSERT INTO catalog_revision (id, rev) VALUES (1, 0);
