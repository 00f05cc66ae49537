-- +goose Up
-- slot is 0 while the request waits and its own id afterwards: one that waits for each affiliate and currency. Amounts are what a payout
-- would have been when it was asked for. decided_by is a person, decided_token a machine; both 0: the system.
CREATE TABLE payout_requests (
    id            INTEGER NOT NULL PRIMARY KEY,
    affiliate_id  INTEGER NOT NULL,
    currency      TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    slot          INTEGER NOT NULL,
    gross_minor   INTEGER NOT NULL,
    net_minor     INTEGER NOT NULL,
    batch_id      INTEGER NOT NULL,
    payout_id     INTEGER NOT NULL,
    reason        TEXT    NOT NULL,
    decided_by    INTEGER NOT NULL,
    decided_token INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    UNIQUE (affiliate_id, currency, slot),
    CHECK (state IN ('waiting', 'taken', 'withdrawn', 'declined')),
    CHECK ((state = 'waiting') = (slot = 0)),
    CHECK ((state = 'taken') = (payout_id <> 0)),
    FOREIGN KEY (affiliate_id) REFERENCES affiliates (id)
) STRICT;
CREATE INDEX payout_requests_state ON payout_requests (state, id);
CREATE INDEX payout_requests_affiliate ON payout_requests (affiliate_id, id);
CREATE INDEX payout_requests_payout ON payout_requests (payout_id);
