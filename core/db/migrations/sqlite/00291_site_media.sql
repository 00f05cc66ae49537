-- +goose Up
-- Files that everybody may see. width and height: dots of a picture, else 0. sha256: of what is stored.
CREATE TABLE site_media (
    id           INTEGER NOT NULL PRIMARY KEY,
    file_name    TEXT    NOT NULL,
    content_type TEXT    NOT NULL,
    width        INTEGER NOT NULL,
    height       INTEGER NOT NULL,
    size_bytes   INTEGER NOT NULL,
    sha256       TEXT    NOT NULL,
    storage_key  TEXT    NOT NULL,
    created_by   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
