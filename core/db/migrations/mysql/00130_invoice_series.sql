-- +goose NO TRANSACTION
-- +goose Up
-- The last number of each series and financial year. The row is locked from the number to the commit, so none is skipped.
CREATE TABLE IF NOT EXISTS invoice_series (
    series VARBINARY(8) NOT NULL,
    year   BIGINT NOT NULL,
    last   BIGINT NOT NULL CHECK (last >= 0),
    PRIMARY KEY (series, year)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
