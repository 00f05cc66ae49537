-- +goose Up
-- What edge nodes said of themselves last. instance: one start of one process. clash_at: when two processes of the same number
-- were seen; 0 is never. status: JSON.
CREATE TABLE edge_nodes (
    node       INTEGER NOT NULL PRIMARY KEY,
    instance   TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    clash_at   INTEGER NOT NULL,
    skew_ms    INTEGER NOT NULL,
    status     TEXT    NOT NULL
) STRICT;
