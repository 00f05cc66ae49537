-- +goose NO TRANSACTION
-- +goose Up
-- What a refund or dispute of an order took from each line.
CREATE TABLE IF NOT EXISTS conversion_takes (
    conversion_id BIGINT NOT NULL,
    line_id       BIGINT NOT NULL,
    minor         BIGINT NOT NULL CHECK (minor > 0),
    PRIMARY KEY (conversion_id, line_id),
    FOREIGN KEY (conversion_id) REFERENCES conversions (id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
