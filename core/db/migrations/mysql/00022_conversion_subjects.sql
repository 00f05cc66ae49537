-- +goose NO TRANSACTION
-- +goose Up
-- One row for each merchant transaction that any conversion is about. Booking locks it, so that a sale and its refund
-- never pass each other unseen. Merchants' texts are binary here: a collation would take "a" and "a " for one.
CREATE TABLE IF NOT EXISTS conversion_subjects (
    program_id BIGINT         NOT NULL,
    subject    VARBINARY(128) NOT NULL,
    PRIMARY KEY (program_id, subject)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
