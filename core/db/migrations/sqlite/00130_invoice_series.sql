-- +goose Up
-- The last number of each series and financial year. The row is locked from the number to the commit, so none is skipped.
CREATE TABLE invoice_series (
    series TEXT NOT NULL,
    year   INTEGER NOT NULL,
    last   INTEGER NOT NULL CHECK (last >= 0),
    PRIMARY KEY (series, year)
) STRICT;
