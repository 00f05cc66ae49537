-- +goose Up

-- Batches that have been appended; kind as in blocks. A batch is here if and only if its records are in blocks.
CREATE TABLE batches (
    seq  INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    id   TEXT    NOT NULL,
    at   INTEGER NOT NULL, -- Unix ms, by the store's clock
    UNIQUE (kind, id)
);

-- A block is some of the rows of one UTC day, stored by column.
CREATE TABLE blocks (
    id     INTEGER PRIMARY KEY,
    kind   INTEGER NOT NULL, -- 0 clicks, 1 facts
    day    INTEGER NOT NULL, -- days since 1970-01-01
    rows   INTEGER NOT NULL,
    min_ms INTEGER NOT NULL, -- Unix ms of the first row in time
    max_ms INTEGER NOT NULL,
    detail INTEGER NOT NULL  -- 1 while the block has the columns that retention deletes
);
CREATE INDEX blocks_by_day ON blocks (kind, day);
CREATE INDEX blocks_with_detail ON blocks (day) WHERE detail = 1;

-- The key is block * 64 + column number.
CREATE TABLE columns (
    key  INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);

-- IDs of all facts ever taken in.
CREATE TABLE facts (id INTEGER PRIMARY KEY);

-- Clicks that facts of that day name and that have not come in.
CREATE TABLE waiting (
    click BLOB    NOT NULL,
    day   INTEGER NOT NULL,
    PRIMARY KEY (click, day)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE waiting;
DROP TABLE facts;
DROP TABLE columns;
DROP TABLE blocks;
DROP TABLE batches;
