-- +goose Up
-- image_id: of site_media; 0 is none.
ALTER TABLE products ADD COLUMN image_id INTEGER NOT NULL DEFAULT 0;
