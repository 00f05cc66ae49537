-- +goose Up
-- live is 1 until the rule ends and NULL after: one live rule for each program, affiliate (0: all) and trigger.
CREATE TABLE commission_rules (
    id           INTEGER NOT NULL PRIMARY KEY,
    program_id   INTEGER NOT NULL,
    affiliate_id INTEGER NOT NULL,
    trigger_type TEXT    NOT NULL CHECK (trigger_type IN ('sale', 'lead')),
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    live         INTEGER CHECK (live = 1),
    UNIQUE (program_id, affiliate_id, trigger_type, live)
) STRICT;
