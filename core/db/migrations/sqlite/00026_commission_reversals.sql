-- +goose Up
-- What a refund or rejection took back of a commission; 0 where rounding left nothing.
CREATE TABLE commission_reversals (
    commission_id INTEGER NOT NULL REFERENCES commissions (id),
    conversion_id INTEGER NOT NULL REFERENCES conversions (id),
    amount_minor  INTEGER NOT NULL CHECK (amount_minor >= 0),
    explanation   TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (commission_id, conversion_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX commission_reversals_conversion ON commission_reversals (conversion_id);
