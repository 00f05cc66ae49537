-- +goose Up
CREATE TABLE links (
    id           INTEGER NOT NULL PRIMARY KEY,
    slug         TEXT    NOT NULL UNIQUE,
    affiliate_id INTEGER NOT NULL REFERENCES affiliates (id),
    program_id   INTEGER NOT NULL REFERENCES programs (id),
    destination  TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('active', 'disabled')),
    expires_at   INTEGER NOT NULL, -- 0: never
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    disabled_at  INTEGER NOT NULL DEFAULT 0, -- 0: active; kept by a trigger
    rev          INTEGER NOT NULL
) STRICT;
CREATE INDEX links_rev ON links (rev);
CREATE INDEX links_affiliate ON links (affiliate_id, id);
CREATE INDEX links_program ON links (program_id, id);
