-- +goose NO TRANSACTION
-- +goose Up
-- Files that everybody may see. width and height: dots of a picture, else 0. sha256: of what is stored.
CREATE TABLE IF NOT EXISTS site_media (
    id           BIGINT       NOT NULL PRIMARY KEY,
    file_name    VARCHAR(160) NOT NULL,
    content_type VARCHAR(32)  NOT NULL,
    width        BIGINT       NOT NULL,
    height       BIGINT       NOT NULL,
    size_bytes   BIGINT       NOT NULL,
    sha256       VARCHAR(64)  NOT NULL,
    storage_key  VARCHAR(160) NOT NULL,
    created_by   BIGINT       NOT NULL,
    created_at   BIGINT       NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
