-- +goose NO TRANSACTION
-- +goose Up
-- live is 1 until the rule ends and NULL after: one live rule for each program, affiliate (0: all) and trigger.
CREATE TABLE IF NOT EXISTS commission_rules (
    id           BIGINT     NOT NULL PRIMARY KEY,
    program_id   BIGINT     NOT NULL,
    affiliate_id BIGINT     NOT NULL,
    trigger_type VARCHAR(8) NOT NULL CHECK (trigger_type IN ('sale', 'lead')),
    version      BIGINT     NOT NULL,
    created_at   BIGINT     NOT NULL,
    ended_at     BIGINT     NOT NULL,
    live         TINYINT CHECK (live = 1),
    UNIQUE KEY commission_rules_live (program_id, affiliate_id, trigger_type, live)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
