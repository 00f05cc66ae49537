-- +goose NO TRANSACTION
-- +goose Up
-- What the public pages say: each saving is a row, the newest counts. settings: JSON.
CREATE TABLE IF NOT EXISTS site_revisions (
    revision   BIGINT     NOT NULL PRIMARY KEY,
    settings   MEDIUMTEXT NOT NULL,
    created_by BIGINT     NOT NULL,
    created_at BIGINT     NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
