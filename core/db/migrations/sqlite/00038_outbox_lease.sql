-- +goose Up
-- Who publishes at present. One row, made with the first lease.
CREATE TABLE outbox_lease (
    name   TEXT    NOT NULL PRIMARY KEY,
    holder INTEGER NOT NULL,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
