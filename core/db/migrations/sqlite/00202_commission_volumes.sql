-- +goose Up
-- What a rule has paid one affiliate in a calendar month (year * 100 + month) of the program's time zone. Locked by each sale
-- that a tier or a monthly cap is looked up for.
CREATE TABLE commission_volumes (
    rule_id      INTEGER NOT NULL,
    affiliate_id INTEGER NOT NULL,
    month        INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    sales        INTEGER NOT NULL,
    net_minor    INTEGER NOT NULL,
    earned_minor INTEGER NOT NULL,
    PRIMARY KEY (rule_id, affiliate_id, month, currency)
) STRICT, WITHOUT ROWID;
