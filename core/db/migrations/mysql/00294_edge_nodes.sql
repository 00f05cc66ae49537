-- +goose NO TRANSACTION
-- +goose Up
-- What edge nodes said of themselves last. instance: one start of one process. clash_at: when two processes of the same number
-- were seen; 0 is never. status: JSON.
CREATE TABLE IF NOT EXISTS edge_nodes (
    node       BIGINT      NOT NULL PRIMARY KEY,
    instance   VARCHAR(64) NOT NULL,
    started_at BIGINT      NOT NULL,
    seen_at    BIGINT      NOT NULL,
    clash_at   BIGINT      NOT NULL,
    skew_ms    BIGINT      NOT NULL,
    status     TEXT        NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
