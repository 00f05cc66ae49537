-- +goose NO TRANSACTION
-- +goose Up
-- The split of a refund. Tax and net are 0 until the money has gone: requested refunds only reserve.
CREATE TABLE IF NOT EXISTS order_refund_lines (
    refund_id   BIGINT NOT NULL,
    line_id     BIGINT NOT NULL,
    gross_minor BIGINT NOT NULL CHECK (gross_minor > 0),
    net_minor   BIGINT NOT NULL,
    tax_minor   BIGINT NOT NULL,
    cgst_minor  BIGINT NOT NULL,
    sgst_minor  BIGINT NOT NULL,
    igst_minor  BIGINT NOT NULL,
    PRIMARY KEY (refund_id, line_id),
    FOREIGN KEY (refund_id) REFERENCES order_refunds (id),
    FOREIGN KEY (line_id) REFERENCES order_lines (id),
    CHECK (net_minor >= 0 AND tax_minor >= 0 AND net_minor + tax_minor <= gross_minor)
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
