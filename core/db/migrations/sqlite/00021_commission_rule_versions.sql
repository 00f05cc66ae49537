-- +goose Up
-- Versions are added, never changed: a commission names the one it was made with. Currency '' means percent_bp counts.
CREATE TABLE commission_rule_versions (
    rule_id       INTEGER NOT NULL REFERENCES commission_rules (id),
    version       INTEGER NOT NULL,
    percent_bp    INTEGER NOT NULL CHECK (percent_bp BETWEEN 0 AND 10000),
    flat_minor    INTEGER NOT NULL CHECK (flat_minor >= 0),
    flat_currency TEXT    NOT NULL,
    valid_from    INTEGER NOT NULL,
    PRIMARY KEY (rule_id, version)
) STRICT, WITHOUT ROWID;
