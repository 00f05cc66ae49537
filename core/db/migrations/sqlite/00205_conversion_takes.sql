-- +goose Up
-- What a refund or dispute of an order took from each line.
CREATE TABLE conversion_takes (
    conversion_id INTEGER NOT NULL REFERENCES conversions (id),
    line_id       INTEGER NOT NULL,
    minor         INTEGER NOT NULL CHECK (minor > 0),
    PRIMARY KEY (conversion_id, line_id)
) STRICT, WITHOUT ROWID;
