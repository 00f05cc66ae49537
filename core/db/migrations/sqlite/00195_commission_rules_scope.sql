-- +goose Up
-- Rules for a product or a group: one live rule for each program, affiliate, group, product (0: all) and trigger.
-- SQLite cannot drop a constraint, so the table is made anew.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE commission_rules_before AS SELECT * FROM commission_rules;
DROP TABLE commission_rules;
CREATE TABLE commission_rules (
    id           INTEGER NOT NULL PRIMARY KEY,
    program_id   INTEGER NOT NULL,
    affiliate_id INTEGER NOT NULL,
    group_id     INTEGER NOT NULL DEFAULT 0,
    product_id   INTEGER NOT NULL DEFAULT 0,
    trigger_type TEXT    NOT NULL CHECK (trigger_type IN ('sale', 'lead')),
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    ended_at     INTEGER NOT NULL,
    live         INTEGER CHECK (live = 1),
    UNIQUE (program_id, affiliate_id, group_id, product_id, trigger_type, live)
) STRICT;
INSERT INTO commission_rules (id, program_id, affiliate_id, trigger_type, version, created_at, ended_at, live)
SELECT id, program_id, affiliate_id, trigger_type, version, created_at, ended_at, live FROM commission_rules_before;
DROP TABLE commission_rules_before;
