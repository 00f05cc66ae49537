-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS programs (
    id                      BIGINT       NOT NULL PRIMARY KEY,
    name                    VARCHAR(255) NOT NULL,
    status                  VARCHAR(16)  NOT NULL CHECK (status IN ('active', 'disabled')),
    currency                VARCHAR(3)   NOT NULL COMMENT 'ISO 4217, or empty',
    attribution_window_days INT          NOT NULL,
    attribution_model       VARCHAR(32)  NOT NULL,
    hold_days               INT          NOT NULL,
    allowed_hosts           LONGTEXT     NOT NULL COMMENT 'JSON array',
    fallback_url            TEXT         NOT NULL,
    click_param             VARCHAR(64)  NOT NULL,
    browser_conversions     VARCHAR(16)  NOT NULL,
    secret                  VARCHAR(128) NOT NULL,
    previous_secret         VARCHAR(128) NOT NULL COMMENT 'empty: none',
    created_at              BIGINT       NOT NULL,
    updated_at              BIGINT       NOT NULL,
    rev                     BIGINT       NOT NULL,
    KEY programs_rev (rev)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
