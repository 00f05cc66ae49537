-- +goose Up
CREATE TABLE affiliate_groups (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
