-- +goose Up
-- What affiliates hand on. program_id: 0 is for all programs. media_id: of site_media; 0 is none. position: smaller first.
CREATE TABLE materials (
    id         INTEGER NOT NULL PRIMARY KEY,
    program_id INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    content    TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    media_id   INTEGER NOT NULL,
    active     INTEGER NOT NULL,
    position   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (kind IN ('banner', 'text', 'email', 'landing', 'file'))
) STRICT;
CREATE INDEX materials_order ON materials (position, id);
