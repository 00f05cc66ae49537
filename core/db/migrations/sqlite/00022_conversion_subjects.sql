-- +goose Up
-- One row for each merchant transaction that any conversion is about. Booking locks it, so that a sale and its refund
-- never pass each other unseen.
CREATE TABLE conversion_subjects (
    program_id INTEGER NOT NULL,
    subject    TEXT    NOT NULL,
    PRIMARY KEY (program_id, subject)
) STRICT, WITHOUT ROWID;
