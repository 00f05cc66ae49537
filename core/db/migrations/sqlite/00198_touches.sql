-- +goose Up
-- Clicks that conversions, leads and checkouts of a customer named, kept for models that look further back than the last.
CREATE TABLE touches (
    program_id   INTEGER NOT NULL,
    customer     TEXT    NOT NULL,
    clicked_at   INTEGER NOT NULL,
    click_id     TEXT    NOT NULL,
    affiliate_id INTEGER NOT NULL,
    seen_at      INTEGER NOT NULL,
    PRIMARY KEY (program_id, customer, clicked_at, click_id)
) STRICT, WITHOUT ROWID;
