-- +goose Up
-- What was given back of reversals, because a dispute was won.
CREATE TABLE commission_restorals (
    commission_id INTEGER NOT NULL REFERENCES commissions (id),
    conversion_id INTEGER NOT NULL REFERENCES conversions (id),
    amount_minor  INTEGER NOT NULL CHECK (amount_minor >= 0),
    explanation   TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (commission_id, conversion_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX commission_restorals_conversion ON commission_restorals (conversion_id);
