-- +goose Up
-- total_minor and payouts are what the person saw.
CREATE TABLE payout_approvals (
    batch_id    INTEGER NOT NULL,
    person_id   INTEGER NOT NULL,
    total_minor INTEGER NOT NULL,
    payouts     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (batch_id, person_id),
    FOREIGN KEY (batch_id) REFERENCES payout_batches (id)
) STRICT, WITHOUT ROWID;
