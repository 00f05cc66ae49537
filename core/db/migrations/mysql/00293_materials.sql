-- +goose NO TRANSACTION
-- +goose Up
-- What affiliates hand on. program_id: 0 is for all programs. media_id: of site_media; 0 is none. position: smaller first.
CREATE TABLE IF NOT EXISTS materials (
    id         BIGINT         NOT NULL PRIMARY KEY,
    program_id BIGINT         NOT NULL,
    kind       VARCHAR(8)     NOT NULL,
    name       VARCHAR(255)   NOT NULL,
    subject    VARCHAR(255)   NOT NULL,
    content    TEXT           NOT NULL,
    url        VARCHAR(2048)  NOT NULL,
    media_id   BIGINT         NOT NULL,
    active     TINYINT        NOT NULL,
    position   BIGINT         NOT NULL,
    created_at BIGINT         NOT NULL,
    updated_at BIGINT         NOT NULL,
    KEY materials_order (position, id),
    CHECK (kind IN ('banner', 'text', 'email', 'landing', 'file'))
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
