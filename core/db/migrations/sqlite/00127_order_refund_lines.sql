-- +goose Up
-- The split of a refund. Tax and net are 0 until the money has gone: requested refunds only reserve.
CREATE TABLE order_refund_lines (
    refund_id   INTEGER NOT NULL,
    line_id     INTEGER NOT NULL,
    gross_minor INTEGER NOT NULL CHECK (gross_minor > 0),
    net_minor   INTEGER NOT NULL,
    tax_minor   INTEGER NOT NULL,
    cgst_minor  INTEGER NOT NULL,
    sgst_minor  INTEGER NOT NULL,
    igst_minor  INTEGER NOT NULL,
    PRIMARY KEY (refund_id, line_id),
    FOREIGN KEY (refund_id) REFERENCES order_refunds (id),
    FOREIGN KEY (line_id) REFERENCES order_lines (id),
    CHECK (net_minor >= 0 AND tax_minor >= 0 AND net_minor + tax_minor <= gross_minor)
) STRICT;
