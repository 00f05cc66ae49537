-- +goose Up
-- Texts have no limit here: this step is for its number, which MySQL needs.
SELECT 1;
