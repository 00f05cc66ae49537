-- +goose Up
-- release_at: when the hold ends. released_at: when the commission became payable, 0 before.
CREATE TABLE commissions (
    id             INTEGER NOT NULL PRIMARY KEY,
    conversion_id  INTEGER NOT NULL REFERENCES conversions (id),
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
    UNIQUE (conversion_id),
    FOREIGN KEY (rule_id, rule_version) REFERENCES commission_rule_versions (rule_id, version)
) STRICT;
CREATE INDEX commissions_affiliate ON commissions (affiliate_id, id);
CREATE INDEX commissions_state ON commissions (state, id);
CREATE INDEX commissions_release ON commissions (state, release_at, id);
