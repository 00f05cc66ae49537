-- +goose Up
-- tax_year is when the tax year began in which the payout was made (Unix ms), taxable_minor what of it and of earlier payouts was taxed
-- with it. next_at is when a worker looks at it again, and a lease while one does.
CREATE TABLE payouts (
    id            INTEGER NOT NULL PRIMARY KEY,
    batch_id      INTEGER NOT NULL,
    affiliate_id  INTEGER NOT NULL,
    method_id     INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    gross_minor   INTEGER NOT NULL,
    tax_minor     INTEGER NOT NULL,
    net_minor     INTEGER NOT NULL,
    taxable_minor INTEGER NOT NULL,
    tax_rule_id   INTEGER NOT NULL,
    tax_year      INTEGER NOT NULL,
    tax_note      TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    reference     TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    next_at       INTEGER NOT NULL,
    claim         INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    paid_at       INTEGER NOT NULL,
    CHECK (state IN ('reserved', 'sending', 'sent', 'paid', 'failed', 'returned', 'cancelled')),
    CHECK (net_minor > 0 AND tax_minor >= 0 AND gross_minor = net_minor + tax_minor),
    FOREIGN KEY (batch_id) REFERENCES payout_batches (id),
    FOREIGN KEY (method_id) REFERENCES payout_methods (id)
) STRICT;
CREATE INDEX payouts_batch ON payouts (batch_id, id);
CREATE INDEX payouts_affiliate ON payouts (affiliate_id, id);
CREATE INDEX payouts_due ON payouts (state, next_at, id);
CREATE INDEX payouts_year ON payouts (affiliate_id, currency, tax_year);
