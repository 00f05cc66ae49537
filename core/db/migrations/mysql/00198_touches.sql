-- +goose NO TRANSACTION
-- +goose Up
-- Clicks that conversions, leads and checkouts of a customer named, kept for models that look further back than the last.
CREATE TABLE IF NOT EXISTS touches (
    program_id   BIGINT         NOT NULL,
    customer     VARBINARY(128) NOT NULL,
    clicked_at   BIGINT         NOT NULL,
    click_id     VARCHAR(60) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    affiliate_id BIGINT         NOT NULL,
    seen_at      BIGINT         NOT NULL,
    PRIMARY KEY (program_id, customer, clicked_at, click_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
