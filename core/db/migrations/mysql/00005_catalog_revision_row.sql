-- +goose NO TRANSACTION
-- +goose Up
INSERT IGNORE INTO catalog_revision (id, rev) VALUES (1, 0);
