-- +goose Up
-- What the public pages say: each saving is a row, the newest counts. settings: JSON.
CREATE TABLE site_revisions (
    revision   INTEGER NOT NULL PRIMARY KEY,
    settings   TEXT    NOT NULL,
    created_by INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
