-- +goose Up
-- A conversion may earn several commissions: one for each line (0: the whole sale) and level (0: whom the conversion
-- belongs to, 1: his sponsor, and so on). replaced_at: when an assignment by hand took it away, 0: it counts. paid_at: when a
-- payout was settled with it, 0: not. SQLite cannot drop a constraint, so the table is made anew.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE commissions_before AS SELECT * FROM commissions;
DROP TABLE commissions;
CREATE TABLE commissions (
    id             INTEGER NOT NULL PRIMARY KEY,
    conversion_id  INTEGER NOT NULL REFERENCES conversions (id),
    line_id        INTEGER NOT NULL DEFAULT 0,
    level          INTEGER NOT NULL DEFAULT 0,
    program_id     INTEGER NOT NULL,
    affiliate_id   INTEGER NOT NULL,
    link_id        INTEGER NOT NULL,
    state          TEXT    NOT NULL CHECK (state IN ('pending', 'payable', 'paid', 'reversed')),
    currency       TEXT    NOT NULL,
    amount_minor   INTEGER NOT NULL CHECK (amount_minor >= 0),
    reversed_minor INTEGER NOT NULL CHECK (reversed_minor >= 0 AND reversed_minor <= amount_minor),
    rule_id        INTEGER NOT NULL,
    rule_version   INTEGER NOT NULL,
    explanation    TEXT    NOT NULL,
    created_at     INTEGER NOT NULL,
    release_at     INTEGER NOT NULL,
    released_at    INTEGER NOT NULL,
    paid_at        INTEGER NOT NULL DEFAULT 0,
    replaced_at    INTEGER NOT NULL DEFAULT 0,
    FOREIGN KEY (rule_id, rule_version) REFERENCES commission_rule_versions (rule_id, version)
) STRICT;
INSERT INTO commissions (id, conversion_id, program_id, affiliate_id, link_id, state, currency, amount_minor, reversed_minor, rule_id,
    rule_version, explanation, created_at, release_at, released_at)
SELECT id, conversion_id, program_id, affiliate_id, link_id, state, currency, amount_minor, reversed_minor, rule_id,
    rule_version, explanation, created_at, release_at, released_at FROM commissions_before;
DROP TABLE commissions_before;
CREATE INDEX commissions_conversion ON commissions (conversion_id, id);
CREATE INDEX commissions_affiliate ON commissions (affiliate_id, id);
CREATE INDEX commissions_state ON commissions (state, id);
CREATE INDEX commissions_release ON commissions (state, release_at, id);
