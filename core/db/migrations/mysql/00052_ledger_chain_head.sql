-- +goose NO TRANSACTION
-- +goose Up
-- The end of the chain a second time. One row, made by the first seal; who holds its lock may seal. newest_at: the
-- time before which, less a tolerance, nothing is sealed any more unless an operator accepts it.
CREATE TABLE IF NOT EXISTS ledger_chain_head (
    id        SMALLINT NOT NULL PRIMARY KEY,
    seq       BIGINT   NOT NULL,
    hash      CHAR(64) NOT NULL,
    newest_at BIGINT   NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
