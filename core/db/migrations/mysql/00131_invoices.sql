-- +goose NO TRANSACTION
-- +goose Up
-- snapshot: JSON, all that the document shows. ref_id: of a credit note the refund, of an invoice 0.
CREATE TABLE IF NOT EXISTS invoices (
    id          BIGINT NOT NULL PRIMARY KEY,
    kind        VARCHAR(12) NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    number      VARBINARY(24) NOT NULL,
    series      VARBINARY(8) NOT NULL,
    year        BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    order_id    BIGINT NOT NULL,
    ref_id      BIGINT NOT NULL,
    currency    VARCHAR(3) NOT NULL,
    total_minor BIGINT NOT NULL,
    snapshot    MEDIUMTEXT NOT NULL,
    issued_at   BIGINT NOT NULL,
    UNIQUE KEY invoices_number (number),
    UNIQUE KEY invoices_series (series, year, seq),
    UNIQUE KEY invoices_order (order_id, kind, ref_id)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
