-- +goose Up
-- The end of the chain a second time. One row, made by the first seal; who holds its lock may seal. newest_at: the
-- time before which, less a tolerance, nothing is sealed any more unless an operator accepts it.
CREATE TABLE ledger_chain_head (
    id        INTEGER NOT NULL PRIMARY KEY,
    seq       INTEGER NOT NULL,
    hash      TEXT    NOT NULL,
    newest_at INTEGER NOT NULL
) STRICT;
